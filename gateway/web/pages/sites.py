"""One site: every point it measures, and whether its vehicles will be ready."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from contracts.web.stream import updates
from gateway.web.links import site_url
from gateway.web.lookup import find_site
from gateway.web.rendering import Pages
from gateway.web.site_view import SiteView, site_view
from gateway.web.snapshot import take
from gateway.web.state import WebState


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/sites/{id}` and its stream."""

    async def known(site_id: str) -> None:
        find_site(state, site_id)  # 404 before the stream has begun

    @router.get("/sites/{site_id}", dependencies=[Depends(known)])
    async def site(site_id: str) -> HTMLResponse:
        view = await _view(state, site_id)
        return pages.page("site.html", view=view, stream_url=f"{site_url(site_id)}/stream")

    @router.get(
        "/sites/{site_id}/stream",
        response_class=EventSourceResponse,
        dependencies=[Depends(known)],
    )
    async def stream(site_id: str) -> AsyncIterator[ServerSentEvent]:
        async def look() -> Sequence[ServerSentEvent]:
            html = pages.text("_site.html", view=await _view(state, site_id))
            return ServerSentEvent(raw_data=html), ServerSentEvent(event="tick", data={})

        async for update in updates(look, state.stopping):
            yield update


async def _view(state: WebState, site_id: str) -> SiteView:
    snapshot, readiness = await take(state), await state.ledger.readiness(site_id)
    live = next(one for one in snapshot.live.sites if one.site.site_id == site_id)
    offer = await state.ledger.offer(site_id)
    return site_view(live, readiness, snapshot, state.controls.of_site(site_id), offer)
