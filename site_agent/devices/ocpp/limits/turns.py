"""Turns of chargers that draw their rating for a moment after every update (`Knowledge.spikes`).

Whatever such a charger is told, it spikes. So of all of a site only one is raised or renewed within
the time that a spike lasts. Falls never wait: for as long as a spike lasts they add to what is
drawn, and then they take it away for good.

What remains, and what a site's margin has to bear: without the spike of one charger, its rating
less its limit, the sum is at or under the limit of the site. Where falls are needed meanwhile, as
many spikes as chargers are cut.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from site_agent.devices.ocpp.limits.in_force import Held

SPIKE = timedelta(seconds=15)
"""The longest a spike lasts; what goes on longer is disobedience (`limits.follow`)."""
_SELDOM = timedelta(seconds=60)
"""How long a raise waits after another update of the same charger."""


class Turns:
    """Who was updated last, of the chargers of one site that spike."""

    def __init__(self) -> None:
        self._last: tuple[str, datetime] | None = None

    def wait(
        self, evse_id: str, limit_a: float, held_a: float, lease: Held | None, now: datetime
    ) -> bool:
        """Whether an update must wait, of an EVSE that holds `held_a` by `lease`, if by any.

        A renewal waits only as long as the lease has time. What need not wait has its turn.
        """
        urgent = limit_a < held_a
        if lease is not None and lease.asked_a is not None:
            if limit_a > held_a and now - lease.begun < _SELDOM:
                return True
            urgent = urgent or (limit_a == held_a and now >= lease.must_renew_at)
        last = self._last
        if not urgent and last is not None and last[0] != evse_id and now - last[1] < SPIKE:
            return True
        self._last = (evse_id, now)
        return False
