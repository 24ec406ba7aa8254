"""The participation report as a page, as PDF and as CSV."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from gateway.domain.measure.report import ParticipationReport
from gateway.reports.export import report_csv
from gateway.reports.pdf import report_pdf
from gateway.reports.view import SIMULATED, report_view
from gateway.web.links import event_url
from gateway.web.lookup import find_report
from gateway.web.rendering import Pages
from gateway.web.state import WebState

Version = Annotated[int | None, Query(ge=1, le=1_000_000)]


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/events/{utility}/{event}/report`, `.pdf` and `.csv`; `?version=` for an older one."""

    @router.get("/events/{utility_id}/{event_id:path}/report")
    async def page(utility_id: str, event_id: str, version: Version = None) -> HTMLResponse:
        report = await find_report(state, utility_id, event_id, version)
        key = report.header.event_key
        return pages.page(
            "report.html",
            view=report_view(report),
            simulated=report.header.simulated,
            event_page=event_url(key),
            pdf_url=event_url(key, "report.pdf", version=report.version),
            csv_url=event_url(key, "report.csv", version=report.version),
            versions=[(n, event_url(key, "report", version=n)) for n in range(1, report.version)],
        )

    @router.get("/events/{utility_id}/{event_id:path}/report.pdf")
    async def pdf(utility_id: str, event_id: str, version: Version = None) -> Response:
        report = await find_report(state, utility_id, event_id, version)
        return _file(await report_pdf(report), "application/pdf", report, "pdf", "inline")

    @router.get("/events/{utility_id}/{event_id:path}/report.csv")
    async def csv(utility_id: str, event_id: str, version: Version = None) -> Response:
        report = await find_report(state, utility_id, event_id, version)
        text = report_csv(report)
        return _file(text.encode(), "text/csv; charset=utf-8", report, "csv", "attachment")


def _file(
    content: bytes, media_type: str, report: ParticipationReport, ending: str, how: str
) -> Response:
    name = f'filename="{file_name(report, ending)}"'
    return Response(
        content, media_type=media_type, headers={"Content-Disposition": f"{how}; {name}"}
    )


def file_name(report: ParticipationReport, ending: str) -> str:
    """`participation_<event>_v2_PRELIMINARY_SIMULATED.pdf`, safe in a header and on a disk."""
    head = report.header
    event = re.sub(r"[^A-Za-z0-9.-]+", "-", head.event_id).strip("-.")[:60] or "event"
    status = "FINAL" if report.final else "PRELIMINARY"
    label = f"_{SIMULATED}" if head.simulated else ""
    return f"participation_{event}_v{report.version}_{status}{label}.{ending}"
