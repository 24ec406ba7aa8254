"""Statements as pages: choose a program or site and a month, read it, settle it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from contracts.errors import PermanentError
from gateway.domain.settle.account import PeriodStatement
from gateway.reports import words
from gateway.reports.statement.files import ENDINGS
from gateway.reports.statement.view import StatementView, statement_view, sums
from gateway.web.links import event_url, statement_url
from gateway.web.rendering import Pages
from gateway.web.state import WebState
from gateway.web.statement_lookup import find_statement, settle

_SEE_OTHER = 303
_NOT_FOUND = 404
_NAMES = {"pdf": "PDF", "csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}
Subject = Annotated[str, Query(max_length=200)]
Period = Annotated[str, Query(max_length=60)]
Version = Annotated[int | None, Query(ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One version in the table of versions."""

    number: int
    url: str
    shown: bool
    made: str
    status: str
    total: str
    changed: int


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/statements?subject=&period=`."""

    @router.get("/statements")
    async def page(
        subject: Subject = "", period: Period = "", version: Version = None
    ) -> HTMLResponse:
        view, problem = None, ""
        if subject and period:
            view, problem = await _found(state, subject, period, version)
        newest = version is None or not view
        return pages.page(
            "statement.html",
            view=view,
            problem=problem,
            subject=subject,
            period=period or f"{state.now().astimezone(state.zone):%Y-%m}",
            periods=await state.statements.periods(subject) if subject else (),
            subjects=_subjects(state),
            files=[
                (ending, _NAMES[ending], statement_url(subject, period, ending, version))
                for ending in ENDINGS
            ],
            part_rows=[] if view is None else _part_rows(view),
            change_rows=[] if view is None else _change_rows(view),
            versions=[] if view is None else await _versions(state, subject, period, view),
            settles=bool(subject and period) and newest,
            statement_link=statement_url,
            report_link=lambda key: _report_url(state, subject, key),
        )

    @router.post("/statements")
    async def make(request: Request) -> RedirectResponse:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        subject, period = (form.get(name, [""])[0] for name in ("subject", "period"))
        await settle(state, subject, period)
        return RedirectResponse(statement_url(subject, period), _SEE_OTHER)


async def _found(
    state: WebState, subject: str, period: str, version: int | None
) -> tuple[StatementView | None, str]:
    """The statement; where there is none yet, why."""
    try:
        return statement_view(await find_statement(state, subject, period, version)), ""
    except HTTPException as error:
        if error.status_code == _NOT_FOUND and version is None and _known(state, subject):
            return None, str(error.detail)
        raise


def _known(state: WebState, subject: str) -> bool:
    return any(subject == key for key, _ in _subjects(state))


def _subjects(state: WebState) -> list[tuple[str, str]]:
    programs = {one.program_id: f"Program: {one.name}" for one in state.portfolio.programs}
    sites = {one.site_id: f"Site: {one.name}" for one in state.portfolio.sites}
    return [*programs.items(), *sites.items()]


def _report_url(state: WebState, subject: str, event_key: str) -> str:
    """The event's report, of a site's statement the owner's."""
    if state.portfolio.site(subject) is None:
        return event_url(event_key, "report")
    return event_url(event_key, "report", audience="owner", site_id=subject)


def _part_rows(view: StatementView) -> list[tuple[str, ...]]:
    return [(one.who, one.events, one.energy, one.performance, one.amount) for one in view.parts]


def _change_rows(view: StatementView) -> list[tuple[str, ...]]:
    return [(one.what, one.before, one.after, "; ".join(one.because)) for one in view.changes]


async def _versions(
    state: WebState, subject: str, period: str, view: StatementView
) -> list[VersionRow]:
    """Of a program's statement, newest first; a site's is made of the newest."""
    if state.portfolio.site(subject) is not None:
        return []
    try:
        known: Sequence[PeriodStatement] = await state.statements.versions(subject, period)
    except PermanentError:
        return []
    return [
        VersionRow(
            number=one.version,
            url=statement_url(subject, period, version=one.version),
            shown=one.version == view.version,
            made=words.moment(one.created_at, ZoneInfo(one.time_zone)),
            status="FINAL" if one.final else "PRELIMINARY",
            total=sums(one.totals),
            changed=len(one.changes),
        )
        for one in reversed(known)
    ]
