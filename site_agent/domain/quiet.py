"""Whether this is a moment at which an agent may start anew without anybody losing by it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from site_agent.domain.device import ChargerState
from site_agent.domain.instruction import SiteInstruction
from site_agent.domain.mode import Mode
from site_agent.domain.site import SiteSnapshot


def unquiet(
    snapshot: SiteSnapshot,
    mode: Mode,
    instructions: Iterable[SiteInstruction],
    ahead: timedelta,
) -> str:
    """Why not; empty: it is quiet.

    Not while an event is in force or begins within `ahead` (what holds all the time, an operating
    envelope, is none), not on an island, and not while a charger holds a limit that nobody can be
    sure of.
    """
    now = snapshot.at
    if mode is Mode.ISLAND:
        return "the site runs on its own"
    for one in instructions:
        if not one.standing and one.begins_at - ahead <= now < one.ends_at:
            return f"event {one.event_id} is in force, or soon will be"
    odd = sorted(one.spec.evse_id for one in snapshot.chargers if _odd(one))
    return f"the limit of {', '.join(odd)} is not certain" if odd else ""


def _odd(charger: ChargerState) -> bool:
    charging = charger.online and charger.transaction_id is not None
    return charging and (charger.confirmed_limit_a is None or not charger.obeys)
