"""The pages people at the depot look at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AwareDatetime

from contracts.errors import TransientError
from contracts.web.stream import updates
from site_agent.domain.fleet.readiness import Readiness
from site_agent.domain.journal import Entry
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.why.answer import Seen, Subject
from site_agent.domain.why.asked import UnknownSubjectError
from site_agent.web.plan_view import OLDEST, PlanView, plan_view
from site_agent.web.rendering import Pages
from site_agent.web.state import Move, WebState
from site_agent.web.view import EntryRow, PageView, entry_row, page_view
from site_agent.web.words import NA, clock, exact

NEWEST = 8
"""Entries of the journal on the live page."""
STREAM_S = 1.0
"""The live page changes so often."""
_FRESH_S = 0.8 * STREAM_S
"""What one visitor was shown so lately is shown to others too."""
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


class _Live:
    """The live page, made once for all who look at it, off the event loop."""

    def __init__(self, state: WebState, pages: Pages) -> None:
        self._state = state
        self._pages = pages
        self._turn = asyncio.Lock()
        self._made_at = state.clock.monotonic() - STREAM_S
        self._html = ""

    async def html(self) -> str:
        """What the page shows, at most `STREAM_S` old."""
        async with self._turn:
            now_s = self._state.clock.monotonic()
            if not self._html or now_s - self._made_at >= _FRESH_S:
                self._html = await asyncio.to_thread(self._make, _look(self._state))
                self._made_at = now_s
            return self._html

    def _make(self, look: _Look) -> str:
        values = _live(look)
        return self._pages.text("_site.html" if values["view"] else "_waiting.html", values)


def _add_live(router: APIRouter, state: WebState, pages: Pages) -> None:
    live = _Live(state, pages)

    @router.get("/")
    async def site() -> HTMLResponse:
        return pages.page("site.html", {"live": await live.html()})

    @router.get("/stream", response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[ServerSentEvent]:
        async def look() -> Sequence[ServerSentEvent]:
            html = await live.html()
            return ServerSentEvent(raw_data=html), ServerSentEvent(event="tick", data={})

        async for update in updates(look, state.stopping, STREAM_S):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What the page is made of, taken at one instant on the event loop."""

    now: datetime
    zone: tzinfo
    seen: Seen | None
    prospects: Sequence[Readiness]
    recent: Sequence[Entry]
    plan: Schedule | None
    moves: Sequence[Move]


def _look(state: WebState) -> _Look:
    return _Look(
        now=state.now(),
        zone=state.zone,
        seen=state.journal.seen,
        prospects=tuple(state.prospects()),
        recent=state.journal.recent(NEWEST),
        plan=state.plan(),
        moves=tuple(state.moves())[:_MOST_MOVES],
    )


def _live(look: _Look) -> Mapping[str, object]:
    view: PageView | None = None
    if look.seen is not None:
        view = page_view(look.seen, look.prospects, look.recent, look.now, look.zone)
    moves = [_move(one, look.now, look.zone) for one in look.moves]
    return {"view": view, "plan": _plan(look.plan, look.now), "moves": moves}


def _plan(plan: Schedule | None, now: datetime) -> PlanView | None:
    return None if plan is None or now - plan.made_at > OLDEST else plan_view(plan, now)


def _move(one: Move, now: datetime, zone: tzinfo) -> MoveRow:
    return MoveRow(
        at=clock(one.at, now, zone),
        vehicle=one.vehicle_id,
        start=one.from_evse or "parked",
        end=one.to_evse or "parking",
        by=clock(one.by, now, zone),
        why=one.why or NA,
    )


def _rows(state: WebState, entries: Sequence[Entry]) -> list[EntryRow]:
    return [entry_row(entry, state.now(), state.zone) for entry in entries]


def _instant(at: datetime) -> str:
    return quote(at.isoformat())
