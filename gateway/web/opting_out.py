"""Taking one site out of one event: the page and the API do it through here."""

from __future__ import annotations

from fastapi import HTTPException

from contracts.errors import PermanentError
from gateway.ports import StoredEvent
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
    said = " ".join(reason.split())[:MAX_REASON] or "no reason given"
    cause = f"opted out by a person at the gateway: {said}"
    try:
        await state.actions.opt_out_site(stored.event.key, site.site_id, cause)
    except PermanentError as error:
        raise HTTPException(409, str(error)) from error
