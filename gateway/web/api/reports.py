"""`/api/v1/events/{utility}/{event}/reports`: immutable versions of the participation report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from gateway.domain.measure.report import ParticipationReport
from gateway.reports import document
from gateway.web.api import mapping, schemas
from gateway.web.lookup import find_event, find_report
from gateway.web.state import WebState

_REPORTS = "/events/{utility_id}/{event_id:path}/reports"
Version = Annotated[int, Path(ge=1, le=1_000_000)]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Versions, and the document of one."""

    @router.get(_REPORTS, tags=["reports"])
    async def versions(utility_id: str, event_id: str) -> list[schemas.ReportVersionOut]:
        """Every version there is, oldest first; empty until the first one is made."""
        stored = await find_event(state, utility_id, event_id)
        found: list[schemas.ReportVersionOut] = []
        while (data := await state.ledger.report(stored.event.key, len(found) + 1)) is not None:
            found.append(mapping.report_version_out(stored, document.load(data)))
        return found

    @router.get(_REPORTS + "/{version}", tags=["reports"], response_model=ParticipationReport)
    async def report(utility_id: str, event_id: str, version: Version) -> JSONResponse:
        """One version: powers in W, energies in Wh. It never changes, so it may be kept."""
        found = await find_report(state, utility_id, event_id, version)
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        return JSONResponse(_content(found), headers=headers)


def _content(report: ParticipationReport) -> Mapping[str, object]:
    return document.dump(report)
