"""What pages and API need in order to explain."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import HTTPException

from gateway.flows.why.desk import WhyDesk
from gateway.web.state import WebState


def desk_of(state: WebState) -> WhyDesk:
    """Who answers, over what the pages hold on to."""
    return WhyDesk(
        state.portfolio,
        state.ledger,
        state.delivery,
        state.live,
        state.clock,
        controls=state.controls.of_site,
        prices=state.prices,
    )


def zone_of(name: str | None) -> ZoneInfo | None:
    """A time zone by its IANA name; None: the subject's own.

    Raises:
        HTTPException: 422, there is none of that name.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise HTTPException(422, "zone: use an IANA name, such as Europe/Berlin") from error
