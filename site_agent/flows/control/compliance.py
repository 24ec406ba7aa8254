"""Whether chargers keep their limits: judged by the meter, for `Accepted` proves nothing."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf

from site_agent.domain.device import ChargerState
from site_agent.domain.protect.estimate import measured_a

TOLERANCE_A = 1.0
TOLERANCE_SHARE = 0.05
SLACK = timedelta(seconds=10)
"""Beyond the time a charger is given or has been seen to need: its clock, and a sample's."""
LEAST = timedelta(seconds=15)
MOST = timedelta(seconds=60)
_AT_LIMIT_SHARE = 0.1
_MOST_LIMITS = 64
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Record:
    """What is remembered of one charger."""

    limits: deque[tuple[datetime, float]] = field(
        default_factory=lambda: deque([(_EVER, inf)], maxlen=_MOST_LIMITS)
    )
    """(since when, limit in A), oldest first; before the first one anything was allowed."""
    sampled_at: datetime | None = None
    over_since: datetime | None = None
    distrusted: bool = False


class Compliance:
    """Remembers what each charger was allowed, and since when it has drawn more.

    A charger may draw what any of its limits of the last T allowed, and max(1 A, 5 %) more; T is
    what it has been seen to need to follow (`ChargerState.follows_within`), `after` while that is
    not known, with some slack, 15 to 60 s. One that still draws more does not obey, until it has
    been seen to follow: its draw stands at its limit, not merely below it, where a vehicle that
    takes little would be as well. A sample older than the limit judges nothing.
    """

    def __init__(self, after: timedelta, max_age: timedelta) -> None:
        self._after, self._max_age = after, max_age
        self._records: dict[str, _Record] = {}

    def obeys(self, charger: ChargerState, now: datetime) -> bool:
        """The verdict on one charger at `now`."""
        record = self._records.setdefault(charger.spec.evse_id, _Record())
        limit_a, since = charger.confirmed_limit_a, charger.limit_in_force_since
        if limit_a is not None and since is not None:
            _remember(record, limit_a, since)
        drawn = measured_a(charger, now, self._max_age)
        sampled = max(charger.current_a.at, charger.power_w.at)
        occupied = charger.plugged or charger.transaction_id is not None
        if limit_a is None or since is None or drawn is None or sampled < since:
            record.over_since = record.over_since if occupied else None
        elif not occupied or drawn <= most(limit_a):
            record.over_since, record.sampled_at = None, sampled
            at_limit = drawn >= limit_a - max(TOLERANCE_A, _AT_LIMIT_SHARE * limit_a)
            record.distrusted = record.distrusted and not (occupied and at_limit)
        else:
            self._exceeds(record, charger.follows_within, drawn, sampled)
        return not record.distrusted

    def _exceeds(
        self, record: _Record, follows: timedelta | None, drawn: float, sampled: datetime
    ) -> None:
        since = record.limits[-1][0]
        if record.over_since is None:  # it began after the sample before, or with the limit
            record.over_since = max(since, record.sampled_at or since)
        record.sampled_at = sampled
        within = min(MOST, max(LEAST, (self._after if follows is None else follows) + SLACK))
        late = sampled - record.over_since > within
        if late and drawn > most(_allowed_a(record, sampled - within)):
            record.distrusted = True


def most(limit_a: float) -> float:
    """The current that still counts as within a limit, A."""
    return limit_a + max(TOLERANCE_A, TOLERANCE_SHARE * limit_a)


def _remember(record: _Record, limit_a: float, since: datetime) -> None:
    at, held_a = record.limits[-1]
    if held_a == limit_a:
        return
    record.limits.append((max(at, since), limit_a))


def _allowed_a(record: _Record, begin: datetime) -> float:
    """The highest limit in force at any time since `begin`; older ones are forgotten."""
    limits = record.limits
    while len(limits) > 1 and limits[1][0] <= begin:
        limits.popleft()
    return max(limit for _, limit in limits)
