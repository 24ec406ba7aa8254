"""Why: an event, a site or an instruction explains itself, now or at a past time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from gateway.domain.why import Answer
from gateway.web.explaining import desk_of
from gateway.web.links import event_url, site_url
from gateway.web.rendering import Pages
from gateway.web.state import WebState
from gateway.web.why_view import why_view

_Ask = Callable[[datetime | None, tzinfo], Awaitable[Answer | None]]


def add_routes(router: APIRouter, state: WebState, pages: Pages) -> None:
    """`/why/...`; times on the form are on the wall of the page's zone."""
    desk = desk_of(state)

    async def shown(ask: _Ask, at: str, back: str, name: str) -> HTMLResponse:
        answer = await ask(_instant(at, state), state.zone)
        if answer is None:
            raise HTTPException(404, f"Nothing is known of {name}, or was by then")
        view = why_view(answer, state.zone)
        return pages.page("why.html", view=view, back=back, asked_at=at)

    @router.get("/why/event/{event_key:path}")
    async def event(event_key: str, at: str = "") -> HTMLResponse:
        return await shown(
            lambda when, zone: desk.event(event_key, when, zone),
            at,
            event_url(event_key),
            f"event {event_key!r}",
        )

    @router.get("/why/site/{site_id}")
    async def site(site_id: str, at: str = "") -> HTMLResponse:
        return await shown(
            lambda when, zone: desk.site(site_id, when, zone),
            at,
            site_url(site_id),
            f"site {site_id!r}",
        )

    @router.get("/why/instruction/{instruction_id}")
    async def instruction(instruction_id: str, at: str = "") -> HTMLResponse:
        return await shown(
            lambda when, zone: desk.instruction(instruction_id, when, zone),
            at,
            "",
            f"instruction {instruction_id!r}",
        )


def _instant(text: str, state: WebState) -> datetime | None:
    """What the form sends, such as `2026-11-21T17:12`; empty: now.

    Raises:
        HTTPException: 422, it is no time, or yet to come.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(422, "Say a date and a time, such as 2026-11-21T17:12") from error
    found = found if found.tzinfo else found.replace(tzinfo=state.zone)
    if found > state.now():
        raise HTTPException(422, "That time is yet to come")
    return found
