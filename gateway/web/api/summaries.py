"""`/api/v1/reports/summary`: what a program asked and got over a month or season."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from gateway.domain.measure.summary import ProgramSummary
from gateway.reports.summary.tables import SUMMARY_FILES, summary_file_name
from gateway.web.readers import ReaderQuery, named_file
from gateway.web.state import WebState
from gateway.web.summary_lookup import find_summary

ProgramId = Annotated[str, Query(max_length=200)]
Period = Annotated[str, Query(max_length=60, description="Such as 2026-10, or 2026-summer.")]
Format = Literal["csv", "xlsx"]


def add_routes(router: APIRouter, state: WebState) -> None:
    """As data and as files."""

    @router.get("/reports/summary", tags=["reports"])
    async def program_summary(
        program_id: ProgramId, period: Period, reader: ReaderQuery
    ) -> ProgramSummary:
        """Of every event that began in the period: powers in W, energies in Wh, no money."""
        return await find_summary(state, program_id, period, reader)

    @router.get(
        "/reports/summary/{format}",
        tags=["reports"],
        response_class=Response,
        responses={200: {"content": {media_type: {} for media_type, _ in SUMMARY_FILES.values()}}},
    )
    async def file(
        format: Format, program_id: ProgramId, period: Period, reader: ReaderQuery
    ) -> Response:
        """The events as CSV; with sites and causes as Excel."""
        found = await find_summary(state, program_id, period, reader)
        media_type, make = SUMMARY_FILES[format]
        style = reader.style(state) if reader.locale else None
        content = await asyncio.to_thread(make, found, state.now(), style)
        return named_file(content, media_type, summary_file_name(found, format))
