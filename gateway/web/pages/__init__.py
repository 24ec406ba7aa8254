"""Pages for people: plain HTML from the server, kept alive by one stream of updates each."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from gateway.web.pages import (
    accounts,
    api_guide,
    controls,
    events,
    portfolio,
    reports,
    sites,
    statements,
    summaries,
    why,
)
from gateway.web.rendering import Pages
from gateway.web.state import WebState


def page_routes(state: WebState, pages: Pages) -> APIRouter:
    """Every page; none of them is part of the API's description."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    portfolio.add_routes(router, state, pages)
    reports.add_routes(router, state, pages)
    events.add_routes(router, state, pages)  # last of the events: its ids may hold slashes
    sites.add_routes(router, state, pages)
    accounts.add_routes(router, state, pages)
    controls.add_routes(router, state, pages)
    statements.add_routes(router, state, pages)
    summaries.add_routes(router, state, pages)
    why.add_routes(router, state, pages)
    api_guide.add_routes(router, pages)
    return router
