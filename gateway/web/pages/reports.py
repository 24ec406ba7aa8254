"""The participation report as a page and as files, for operator, owner and utility."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import HTMLResponse

from gateway.domain.measure.report import ParticipationReport
from gateway.reports.audience import Audience
from gateway.reports.files import KINDS
from gateway.reports.view import report_view
from gateway.reports.words import styled
from gateway.web.leaves import Leaves, part_of
from gateway.web.links import event_url
from gateway.web.readers import Reader, ReaderQuery, Shown, as_file, shown_to
from gateway.web.rendering import Pages
from gateway.web.state import WebState

Version = Annotated[int | None, Query(ge=1, le=1_000_000)]
Leaf = Annotated[int, Query(ge=1, le=100_000, description="Of a report of many sites.")]
_NAMES = {"pdf": "PDF", "csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/events/{utility}/{event}/report`, `.pdf`, `.csv`, ...; `?version=` for an older one."""

    @router.get("/events/{utility_id}/{event_id:path}/report")
    async def page(
        utility_id: str,
        event_id: str,
        reader: ReaderQuery,
        version: Version = None,
        leaf: Leaf = 1,
    ) -> HTMLResponse:
        shown = await shown_to(state, reader, utility_id, event_id, version, part_of(leaf))
        with styled(shown.style):
            return await asyncio.to_thread(_page, pages, shown, reader, leaf)

    def add_file(ending: str) -> None:
        @router.get("/events/{utility_id}/{event_id:path}/report." + ending)
        async def file(
            utility_id: str, event_id: str, reader: ReaderQuery, version: Version = None
        ) -> Response:
            shown = await shown_to(state, reader, utility_id, event_id, version)
            return await as_file(shown, ending)

    for ending in KINDS:
        add_file(ending)


def _page(pages: Pages, shown: Shown, reader: Reader, leaf: int) -> HTMLResponse:
    """Some of the sites one by one, and what all of them did."""
    report = shown.variant.report
    leaves = Leaves(len(report.sites), leaf)
    if leaf > leaves.count:
        raise HTTPException(404, f"This report has {leaves.count} leaves, not {leaf}")
    key, query = report.header.event_key, reader.query()
    return pages.page(
        "report.html",
        view=report_view(shown.variant, shown.zone, leaves.part),
        simulated=report.header.simulated,
        event_page=event_url(key),
        files=[
            (ending, _NAMES[ending], event_url(key, f"report.{ending}", **_at(report), **query))
            for ending in KINDS
        ],
        versions=[
            (n, event_url(key, "report", version=n, **query)) for n in range(1, report.version)
        ],
        readers=_readers(report, reader, leaves.part),
        leaves=leaves,
        leaf_url=lambda number: event_url(key, "report", **_at(report), **query, leaf=number),
    )


def _readers(report: ParticipationReport, reader: Reader, part: slice) -> list[tuple[str, str]]:
    """From the operator's page to what the others see."""
    if reader.audience is not Audience.OPERATOR:
        return []
    key, at = report.header.event_key, _at(report)
    return [
        ("As the utility sees it", event_url(key, "report", **at, audience="utility")),
        *(
            (
                f"As the owner of {site.name} sees it",
                event_url(key, "report", **at, audience="owner", site_id=site.site_id),
            )
            for site in report.sites[part]
        ),
    ]


def _at(report: ParticipationReport) -> dict[str, int]:
    return {"version": report.version}
