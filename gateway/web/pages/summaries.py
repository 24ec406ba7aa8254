"""A program's summary as a page: choose a program and a month, see events, sites and causes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from gateway.reports.summary.tables import SUMMARY_FILES
from gateway.reports.summary.view import summary_view
from gateway.reports.words import styled
from gateway.web.links import event_url, statement_url, summary_url
from gateway.web.readers import ReaderQuery
from gateway.web.rendering import Pages
from gateway.web.state import WebState
from gateway.web.summary_lookup import find_summary

_NAMES = {"csv": "CSV", "xlsx": "Excel"}
ProgramId = Annotated[str, Query(max_length=200)]
Period = Annotated[str, Query(max_length=60)]


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/summary?program_id=&period=`."""

    @router.get("/summary")
    async def page(
        reader: ReaderQuery, program_id: ProgramId = "", period: Period = ""
    ) -> HTMLResponse:
        view, query = None, reader.query()
        if program_id and period:
            found = await find_summary(state, program_id, period, reader)
            with styled(reader.style(state)):
                view = summary_view(found)
        return pages.page(
            "summary.html",
            view=view,
            program_id=program_id,
            period=period or f"{state.now().astimezone(state.zone):%Y-%m}",
            programs={one.program_id: one.name for one in state.portfolio.programs},
            query=query,
            files=[
                (_NAMES[ending], summary_url(program_id, period, ending, **query))
                for ending in SUMMARY_FILES
            ],
            statement=statement_url(program_id, period),
            report_of=lambda key: event_url(key, "report", **query),
        )
