"""The pages people at the depot look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AwareDatetime

from contracts.errors import TransientError
from contracts.web.stream import updates
from site_agent.domain.journal import Entry
from site_agent.domain.why.answer import Subject
from site_agent.domain.why.asked import UnknownSubjectError
from site_agent.web.plan_view import OLDEST, PlanView, plan_view
from site_agent.web.rendering import Pages
from site_agent.web.state import Move, WebState
from site_agent.web.view import EntryRow, PageView, entry_row, page_view
from site_agent.web.words import NA, clock, exact

NEWEST = 8
"""Entries of the journal on the live page."""
A_PAGE = 100
_OF_ONE = 30
_MOST_MOVES = 50
_KINDS = {
    Subject.SITE: "the site",
    Subject.NODE: "circuit node",
    Subject.CHARGER: "charger",
    Subject.BATTERY: "battery",
    Subject.PV: "PV inverter",
    Subject.VEHICLE: "vehicle",
}
STEPS: Mapping[str, str] = {
    "limit": "Limit",
    "room": "Used",
    "need": "Need",
    "share": "Share",
    "setpoint": "Setpoint",
    "accepted": "Accepted",
    "device": "Device",
    "lease": "Lease",
    "ready": "Readiness",
    "mode": "Mode",
    "plan": "Plan",
}
At = Annotated[AwareDatetime | None, Query(description="A past instant, RFC 3339.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRow:
    """One line of the yard list."""

    at: str
    vehicle: str
    start: str
    end: str
    by: str
    why: str


def page_routes(state: WebState) -> APIRouter:
    """The live page and its stream, `/why/{subject}` and `/journal`."""
    router, pages = APIRouter(include_in_schema=False), Pages(state)
    _add_live(router, state, pages)

    @router.get("/why/{subject:path}")
    async def why(subject: str, at: At = None) -> HTMLResponse:
        try:
            return await _why(state, pages, subject, at)
        except (UnknownSubjectError, TransientError) as error:
            return pages.error(_status(error), str(error))

    @router.get("/journal")
    async def journal(before: At = None) -> HTMLResponse:
        try:
            entries = await state.journal.page(None, before, A_PAGE)
        except TransientError as error:
            return pages.error(_status(error), str(error))
        older = f"/journal?before={_instant(entries[-1].at)}" if len(entries) == A_PAGE else ""
        return pages.page("journal.html", {"entries": _rows(state, entries), "older": older})

    return router


def _add_live(router: APIRouter, state: WebState, pages: Pages) -> None:
    @router.get("/")
    async def site() -> HTMLResponse:
        return pages.page("site.html", _live(state))

    @router.get("/stream", response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[ServerSentEvent]:
        async def look() -> Sequence[ServerSentEvent]:
            values = _live(state)
            html = pages.text("_site.html" if values["view"] else "_waiting.html", values)
            return ServerSentEvent(raw_data=html), ServerSentEvent(event="tick", data={})

        async for update in updates(look, state.stopping):
            yield update


async def _why(state: WebState, pages: Pages, subject: str, at: datetime | None) -> HTMLResponse:
    answer = await state.journal.why(subject, at)
    entries = await state.journal.page(subject, at, _OF_ONE)
    sentence = answer.sentence
    if answer.of is Subject.SITE:  # what begins with a name keeps it as it is written
        sentence = f"{sentence[:1].upper()}{sentence[1:]}"
    return pages.page(
        "why.html",
        {
            "answer": answer,
            "sentence": sentence,
            "kind": _KINDS[answer.of],
            "as_of": exact(answer.at, state.zone),
            "past": at is not None,
            "words": STEPS,
            "entries": _rows(state, entries),
        },
    )


def _status(error: UnknownSubjectError | TransientError) -> int:
    return 404 if isinstance(error, UnknownSubjectError) else 503


def _live(state: WebState) -> dict[str, object]:
    seen, now = state.journal.seen, state.now()
    view: PageView | None = None
    if seen is not None:
        recent = state.journal.recent(NEWEST)
        view = page_view(seen, state.prospects(), recent, now, state.zone)
    moves = [_move(one, now, state) for one in list(state.moves())[:_MOST_MOVES]]
    return {"view": view, "plan": _plan(state, now), "moves": moves}


def _plan(state: WebState, now: datetime) -> PlanView | None:
    plan = state.plan()
    return None if plan is None or now - plan.made_at > OLDEST else plan_view(plan, now)


def _move(one: Move, now: datetime, state: WebState) -> MoveRow:
    return MoveRow(
        at=clock(one.at, now, state.zone),
        vehicle=one.vehicle_id,
        start=one.from_evse or "parked",
        end=one.to_evse or "parking",
        by=clock(one.by, now, state.zone),
        why=one.why or NA,
    )


def _rows(state: WebState, entries: Sequence[Entry]) -> list[EntryRow]:
    return [entry_row(entry, state.now(), state.zone) for entry in entries]


def _instant(at: datetime) -> str:
    return quote(at.isoformat())
