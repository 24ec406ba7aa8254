"""`/api/v1/events/{utility}/{event}/reports`: immutable versions of the participation report."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse

from gateway.domain.measure.report import ParticipationReport
from gateway.reports import document
from gateway.reports.files import KINDS
from gateway.web.api import mapping, schemas
from gateway.web.lookup import find_event
from gateway.web.readers import ReaderQuery, as_file, shown_to
from gateway.web.state import WebState

_REPORTS = "/events/{utility_id}/{event_id:path}/reports"
Version = Annotated[int, Path(ge=1, le=1_000_000)]
Format = Literal["pdf", "csv", "xlsx", "parquet"]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Versions, the document of one, and its files."""

    @router.get(_REPORTS, tags=["reports"])
    async def versions(utility_id: str, event_id: str) -> list[schemas.ReportVersionOut]:
        """Every version there is, oldest first; empty until the first one is made."""
        stored = await find_event(state, utility_id, event_id)
        found: list[schemas.ReportVersionOut] = []
        while (
            data := await state.ledger.report(stored.event.key, len(found) + 1, curves_of=())
        ) is not None:
            found.append(mapping.report_version_out(stored, document.load(data)))
        return found

    @router.get(
        _REPORTS + "/{version}/{format}",
        tags=["reports"],
        response_class=Response,
        responses={200: {"content": {kind.media_type: {} for kind in KINDS.values()}}},
    )
    async def file(
        utility_id: str, event_id: str, version: Version, format: Format, reader: ReaderQuery
    ) -> Response:
        """One version as a file, for operator, owner or utility."""
        return await as_file(await shown_to(state, reader, utility_id, event_id, version), format)

    @router.get(_REPORTS + "/{version}", tags=["reports"], response_model=ParticipationReport)
    async def report(
        utility_id: str, event_id: str, version: Version, reader: ReaderQuery
    ) -> JSONResponse:
        """One version: powers in W, energies in Wh. It never changes, so it may be kept."""
        shown = await shown_to(state, reader, utility_id, event_id, version)
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        content = await asyncio.to_thread(document.dump, shown.variant.report)
        return JSONResponse(content, headers=headers)
