"""Learns from the meter how a charger takes limits: how long it needs, and whether it spikes."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from msgspec import Struct

_TOLERANCE_A = 1.0
_TOLERANCE_SHARE = 0.05
_LONGEST = timedelta(seconds=60)
"""Who needs longer is not slow, but does not follow."""
_SPIKES_WITHIN = timedelta(seconds=15)
_REMEMBERED = 16
_SPIKES = 2
"""Updates in which it must have been seen to spike, to count as a charger that does."""


class _Update(Struct, frozen=True):
    at: datetime
    before_a: float
    limit_a: float


class Follower:
    """Watches one EVSE; what it finds stands in `follows_s` and `spikes`."""

    def __init__(self) -> None:
        self.follows_s: float | None = None
        """Longest it has taken lately to come down to a limit, s, as far as samples can tell."""
        self.spikes = False
        """Whether it has drawn more than before and after, right after an update, repeatedly."""
        self._update: _Update | None = None
        self._falling: _Update | None = None
        self._told: deque[tuple[datetime, float]] = deque(maxlen=_REMEMBERED)
        self._above = False
        """Whether it has been seen above the limit it is to fall to."""
        self._drawn_a: float | None = None
        self._seen_spikes = 0

    def told(self, at: datetime, before_a: float | None, limit_a: float) -> None:
        """A limit was accepted at `at`, where `before_a` was in force (None: unknown)."""
        if before_a is None:
            self._update = self._falling = None
            self._told.append((at, limit_a))
            return
        self._update = _Update(at, before_a, limit_a)
        above = self._drawn_a is not None and self._drawn_a > most(limit_a)
        falling = self._falling
        if limit_a < before_a and falling is None and not self._lower_told(at, before_a):
            self._falling, self._above = self._update, above
        elif falling is not None and (limit_a < before_a or above):
            self._falling = _Update(falling.at, before_a, limit_a)  # by falling, to the new limit
            self._above = self._above or above
        else:
            self._falling = None  # raised to where it is: nothing is to be seen
        self._told.append((at, limit_a))

    def highest_a(self, since: datetime) -> float | None:
        """The highest limit told since then, A; a charger that is slow may come to it first."""
        return max((limit for told, limit in self._told if told >= since), default=None)

    def _lower_told(self, at: datetime, before_a: float) -> bool:
        """Whether a lower limit was told lately: a slow charger may come to that one first."""
        lower = [told for told, limit in self._told if limit < before_a]
        return bool(lower) and at - lower[-1] <= _LONGEST

    def sampled(self, at: datetime, drawn_a: float) -> bool:
        """A sample; whether something was learnt from it."""
        before, self._drawn_a = self._drawn_a, drawn_a
        return self._learn_spike(at, before, drawn_a) | self._learn_delay(at, drawn_a)

    def _learn_delay(self, at: datetime, drawn_a: float) -> bool:
        falling = self._falling
        if falling is None or at < falling.at:
            return False
        if drawn_a > most(falling.limit_a):
            self._above = True
            return False
        if not self._above and at - falling.at <= _LONGEST:
            return False  # it draws less than it may, or a higher limit has still to show
        self._falling = None
        took = at - falling.at
        if took > _LONGEST or not self._above:
            return False
        known, took_s = self.follows_s, took.total_seconds()
        self.follows_s = took_s if known is None else max(took_s, 0.9 * known)
        return self.follows_s != known

    def _learn_spike(self, at: datetime, before_a: float | None, drawn_a: float) -> bool:
        update = self._update
        if update is None or before_a is None or not update.at <= at <= update.at + _SPIKES_WITHIN:
            return False
        allowed_a = most(max(update.before_a, update.limit_a))
        if before_a > allowed_a or drawn_a <= allowed_a or self.spikes:
            return False
        self._update = None  # counted once for each update
        self._seen_spikes += 1
        self.spikes = self._seen_spikes >= _SPIKES
        return self.spikes


def most(limit_a: float) -> float:
    """The current that still counts as within a limit."""
    return limit_a + max(_TOLERANCE_A, _TOLERANCE_SHARE * limit_a)
