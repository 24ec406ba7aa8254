"""Opting a site out of a utility's control, and back in: the question, then the act."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.web.control_view import control_line
from gateway.web.links import choice_url, site_url
from gateway.web.lookup import find_control, find_site
from gateway.web.opting_out import MAX_REASON, choose
from gateway.web.rendering import Pages
from gateway.web.state import WebState

_SEE_OTHER = 303
Way = Literal["out", "in"]


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/controls/{utility}/{control}/opt-out` and `opt-in`."""

    @router.get("/controls/{utility_id}/{control_id}/opt-{way}")
    async def confirm(utility_id: str, control_id: str, way: Way, site: str) -> HTMLResponse:
        control = find_control(state, utility_id, control_id, site)
        chosen = find_site(state, site)
        return pages.page(
            "choice.html",
            site=chosen,
            control=control_line(control, chosen.time_zone),
            out=way == "out",
            back=site_url(site),
            action=choice_url(utility_id, control.control_id, f"opt-{way}"),
            most=MAX_REASON,
        )

    @router.post("/controls/{utility_id}/{control_id}/opt-{way}")
    async def act(utility_id: str, control_id: str, way: Way, request: Request) -> RedirectResponse:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        control = find_control(state, utility_id, control_id, form.get("site", [""])[0])
        await choose(state, control, way, form.get("reason", [""])[0])
        return RedirectResponse(site_url(control.site_id), _SEE_OTHER)
