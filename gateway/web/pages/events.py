"""Events: the list, one event with its reasons, and taking a site out of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from contracts.web.stream import updates
from gateway.ports import StoredEvent
from gateway.web.event_view import EventView, event_view
from gateway.web.links import event_url
from gateway.web.lookup import find_event, find_site, record_of
from gateway.web.opting_out import MAX_REASON, opt_out
from gateway.web.portfolio_view import event_card
from gateway.web.rendering import Pages
from gateway.web.state import WebState

EVENTS_SHOWN = 200
_SEE_OTHER = 303


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/events` and what lies below it, except reports."""
    _add_opt_out(router, state, pages)

    @router.get("/events")
    async def events() -> HTMLResponse:
        now = state.now()
        newest = list(await state.ledger.events())[:EVENTS_SHOWN]
        cards = [event_card(stored, state.portfolio, now, state.zone) for stored in newest]
        return pages.page("events.html", cards=cards, most=EVENTS_SHOWN)

    async def known(utility_id: str, event_id: str) -> None:
        await find_event(state, utility_id, event_id)  # 404 before the stream has begun

    @router.get(
        "/events/{utility_id}/{event_id:path}/stream",
        response_class=EventSourceResponse,
        dependencies=[Depends(known)],
    )
    async def stream(utility_id: str, event_id: str) -> AsyncIterator[ServerSentEvent]:
        async def look() -> Sequence[ServerSentEvent]:
            stored = await find_event(state, utility_id, event_id)
            html = pages.text("_event.html", **(await _shown(state, stored)))
            return ServerSentEvent(raw_data=html), ServerSentEvent(event="tick", data={})

        async for update in updates(look, state.stopping):
            yield update

    @router.get("/events/{utility_id}/{event_id:path}")
    async def event(utility_id: str, event_id: str) -> HTMLResponse:
        stored = await find_event(state, utility_id, event_id)
        return pages.page("event.html", **(await _shown(state, stored)))


def _add_opt_out(router: APIRouter, state: WebState, pages: Pages) -> None:
    @router.get("/events/{utility_id}/{event_id:path}/opt-out")
    async def confirm(utility_id: str, event_id: str, site: str) -> HTMLResponse:
        stored = await find_event(state, utility_id, event_id)
        chosen = find_site(state, site)
        card = event_card(stored, state.portfolio, state.now(), state.zone)
        return pages.page(
            "opt_out.html",
            card=card,
            site=chosen,
            action=event_url(stored.event.key, "opt-out"),
            most=MAX_REASON,
        )

    @router.post("/events/{utility_id}/{event_id:path}/opt-out")
    async def act(utility_id: str, event_id: str, request: Request) -> RedirectResponse:
        stored = await find_event(state, utility_id, event_id)
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        site_id = form.get("site", [""])[0]
        await opt_out(state, stored, site_id, form.get("reason", [""])[0])
        return RedirectResponse(event_url(stored.event.key), _SEE_OTHER)


async def _shown(state: WebState, stored: StoredEvent) -> dict[str, object]:
    record = await record_of(state, stored)
    view: EventView = event_view(record, state.portfolio, state.now(), state.zone)
    reported = await state.ledger.report_final(stored.event.key) is not None
    key = stored.event.key
    return {
        "view": view,
        "report_url": event_url(key, "report") if reported else "",
        "stream_url": event_url(key, "stream"),
    }
