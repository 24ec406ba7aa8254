"""Taking a site out of an event or a control: pages and API do it through here."""

from __future__ import annotations

from typing import Literal

from fastapi import HTTPException

from contracts.errors import PermanentError
from gateway.ports import SiteControl, StoredEvent
from gateway.web.lookup import find_site
from gateway.web.snapshot import OVER
from gateway.web.state import WebState

MAX_REASON = 200


async def opt_out(state: WebState, stored: StoredEvent, site_id: str, reason: str) -> None:
    """Take the site out, with a person's reason for the journal and the report.

    Raises:
        HTTPException: 404 no such site; 409 the event is over, or the gateway refused.
    """
    site = find_site(state, site_id)
    if stored.event.status(state.now()) in OVER:
        raise HTTPException(409, "The event is over: nobody can be taken out of it any more")
    try:
        await state.actions.opt_out_site(stored.event.key, site.site_id, _cause("out", reason))
    except PermanentError as error:
        raise HTTPException(409, str(error)) from error


async def opt_in(state: WebState, stored: StoredEvent, site_id: str, reason: str) -> None:
    """Take a site that opted out back into the event, with a person's reason for the journal.

    Raises:
        HTTPException: 404 no such site; 409 the event is over, or the gateway refused.
    """
    site = find_site(state, site_id)
    if stored.event.status(state.now()) in OVER:
        raise HTTPException(409, "The event is over: nobody can be taken into it any more")
    try:
        await state.actions.opt_in_site(stored.event.key, site.site_id, _cause("in", reason))
    except PermanentError as error:
        raise HTTPException(409, str(error)) from error


async def choose(
    state: WebState, control: SiteControl, way: Literal["out", "in"], reason: str
) -> bool:
    """Take a site out of a control, or back in, with a person's reason for the journal.

    Raises:
        HTTPException: 409 nobody may opt out of it, or it is over; False when it was so already.
    """
    key = control.utility_id, control.control_id, control.site_id
    try:
        return await state.controls.choose(*key, _cause(way, reason), out=way == "out")
    except PermanentError as error:
        raise HTTPException(409, str(error)) from error


def _cause(way: Literal["out", "in"], reason: str) -> str:
    said = " ".join(reason.split())[:MAX_REASON] or "no reason given"
    return f"opted {way} by a person at the gateway: {said}"
