"""The live page: the portfolio now, the event, every site, what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from hashlib import sha256

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from contracts.web.stream import updates
from gateway.web.chart_data import DEFAULT_SPAN, SPANS, chart_data, chart_span, tick_data
from gateway.web.live_curves import live_curves
from gateway.web.portfolio_view import PortfolioView, portfolio_view
from gateway.web.rendering import Pages
from gateway.web.snapshot import Snapshot, take
from gateway.web.state import WebState


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/`, its chart's data and its stream."""

    @router.get("/")
    async def portfolio(span: str = DEFAULT_SPAN) -> HTMLResponse:
        shown = span if span in SPANS else DEFAULT_SPAN
        view = _view(state, await take(state))
        return pages.page("portfolio.html", view=view, span=shown, spans=SPANS)

    @router.get("/ui/chart")
    async def chart(span: str = DEFAULT_SPAN) -> JSONResponse:
        snapshot = await take(state)
        curves = await live_curves(state.telemetry, snapshot, chart_span(snapshot.now, span))
        live, revision = snapshot.live, _revision(snapshot)
        data = chart_data(curves, live.events, live.at, state.zone.key, revision)
        return JSONResponse(data)

    @router.get("/ui/stream", response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[ServerSentEvent]:
        async for event in updates(look, state.stopping):
            yield event

    async def look() -> Sequence[ServerSentEvent]:
        snapshot = await take(state)
        html = pages.text("_live.html", view=_view(state, snapshot))
        tick = tick_data(snapshot.now, snapshot.load_w, _revision(snapshot))
        return ServerSentEvent(raw_data=html), ServerSentEvent(event="tick", data=tick)


def _view(state: WebState, snapshot: Snapshot) -> PortfolioView:
    health = tuple(state.utilities())
    return portfolio_view(snapshot, state.portfolio, health, state.zone)


def _revision(snapshot: Snapshot) -> str:
    """Changes when an event or its plan does: the page then asks for the whole chart again."""
    bands = [f"{b.event_key}:{b.revision}:{b.window}" for b in snapshot.live.events]
    return sha256("|".join([*bands, *sorted(snapshot.compared)]).encode()).hexdigest()[:12]
