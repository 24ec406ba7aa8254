"""An event as the rules of its program see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.time import Interval
from gateway.domain.program.quota import Counting

_NONE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One event: when it was told, when it runs, whom it concerns."""

    event_key: str
    window: Interval
    """As it stands now; without an end it runs until further notice."""
    announced: Interval | None = None
    """As it was first announced; None: as it stands now."""
    told_at: datetime | None = None
    """When the start that holds now was told; None: not known, and no notice is judged."""
    first_told_at: datetime | None = None
    """When the event was first heard of, at standby or dispatch."""
    test: bool = False
    cancelled: bool = False
    standby: bool = False
    """It asks for readiness only."""
    accepted: bool = True
    """False: we opted out of it; it does not count as use."""
    networks: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()

    def counted(self, counting: Counting, now: datetime) -> Interval | None:
        """The span that counts as use; None: nothing does.

        One without an end counts up to `now`.
        """
        if self.standby or not self.accepted or (self.cancelled and not counting.cancelled):
            return None
        ran = closed(self.window, now)
        first = ran if self.announced is None else closed(self.announced, now)
        if self.cancelled:
            return first
        planned, change = length(first), length(ran) - length(first)
        kept = counting.shortened_in_full if change < _NONE else not counting.extension
        if change and kept:
            return Interval.lasting(ran.start, planned)
        return ran


def closed(window: Interval, now: datetime) -> Interval:
    """The window; one without an end as long as it lasts up to now."""
    end = window.end if window.end is not None else max(window.start, now)
    return Interval(start=window.start, end=end)


def length(window: Interval) -> timedelta:
    """How long a closed window lasts; 0 for one without an end."""
    return window.duration or timedelta(0)
