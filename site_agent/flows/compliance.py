"""Whether chargers keep their limits: judged by the meter, for `Accepted` proves nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from site_agent.domain.device import ChargerState
from site_agent.domain.estimate import measured_a

TOLERANCE_A = 1.0
TOLERANCE_SHARE = 0.05


class Compliance:
    """Remembers since when each charger has drawn more than it may.

    Beyond `max(1 A, 5 %)` for longer than `after`, a charger does not obey; one sample within the
    tolerance and it does again. A sample older than the limit judges nothing.
    """

    def __init__(self, after: timedelta, max_age: timedelta) -> None:
        self._after, self._max_age = after, max_age
        self._over_since: dict[str, datetime] = {}

    def obeys(self, charger: ChargerState, now: datetime) -> bool:
        """The verdict on one charger at `now`."""
        name = charger.spec.evse_id
        exceeds = _exceeds(charger, now, self._max_age)
        if exceeds is False:
            self._over_since.pop(name, None)
        elif exceeds:
            self._over_since.setdefault(name, now)
        since = self._over_since.get(name)
        return since is None or now - since <= self._after


def _exceeds(charger: ChargerState, now: datetime, max_age: timedelta) -> bool | None:
    """Whether it draws more than its limit allows; None when that cannot be told."""
    drawn = measured_a(charger, now, max_age)
    limit_a, since = charger.confirmed_limit_a, charger.limit_in_force_since
    if not (charger.plugged or charger.transaction_id is not None):
        return False
    sampled = max(charger.current_a.at, charger.power_w.at)
    if drawn is None or limit_a is None or since is None or sampled < since:
        return None
    return drawn > limit_a + max(TOLERANCE_A, TOLERANCE_SHARE * limit_a)
