"""What a utility should have of a series, and what of it has been told.

An adapter keeps, with how far it has told a series, the stretches of which it had no value to tell;
the rest is arithmetic on intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.time import Interval
from gateway.domain.curves import merged

KEPT = timedelta(days=35)
"""So long a stretch without values is remembered: a month of settlement and some days."""
MOST_STRETCHES = 200
"""And so many of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A series of intervals that a utility is to have."""

    utility_id: str
    key: str
    """Names it at the utility: a report request, a usage point."""
    what: str
    """In words: `TELEMETRY_USAGE, 3 points`."""
    period: timedelta
    """Length of an interval, > 0."""
    begin: datetime
    """Start of the first one."""
    end: datetime | None
    """None: until further notice."""
    allowance: timedelta
    """So long after its end an interval may still be on its way."""
    told_until: datetime
    """Every interval that ends by then has been told, as far as there was something to tell."""
    gaps: Sequence[Interval] = ()
    """Stretches, on the edges of intervals, told without some or all of their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Of one duty over a window; counts of intervals, `due = told + behind + gaps`."""

    duty: Duty
    due: int
    told: int
    behind: int
    """Due, and not told yet."""
    gaps: int
    """Told without some or all values: nothing was measured, or it came too late."""
    missing: tuple[Interval, ...]
    """Where: gaps and what is behind, joined."""

    @property
    def share(self) -> float | None:
        """Told over due, 0-1; None while nothing is due."""
        return self.told / self.due if self.due else None


def completeness(duty: Duty, window: Interval, now: datetime) -> Completeness:
    """How far a duty is fulfilled, of the intervals that end inside a window.

    `now` is by the clock that the duty's instants are on.
    """
    last = min(filter(None, (now - duty.allowance, duty.end, window.end)))
    first = max(duty.begin, window.start)
    due = _ends(duty, first, last)
    told_until = min(max(duty.told_until, duty.begin), last)
    behind = _ends(duty, max(told_until, first), last)
    holes = [piece for gap in duty.gaps if (piece := _within(gap, first, told_until))]
    empty = sum(_ends(duty, piece.start, piece.end or piece.start) for piece in holes)
    open_end = [Interval(start=max(told_until, first), end=last)] if behind else []
    return Completeness(
        duty=duty,
        due=due,
        told=due - behind - empty,
        behind=behind,
        gaps=empty,
        missing=tuple(merged([*holes, *open_end])),
    )


def with_gaps(
    known: Iterable[Interval], pieces: Sequence[Interval], whole: Iterable[datetime]
) -> tuple[Interval, ...]:
    """The stretches so far with those of newly told intervals that are not `whole` (by start).

    Joined where they touch; the oldest are forgotten (`KEPT`, `MOST_STRETCHES`).
    """
    complete = set(whole)
    found = merged([*known, *(piece for piece in pieces if piece.start not in complete)])
    oldest = pieces[-1].start - KEPT if pieces else None
    kept = [one for one in found if oldest is None or one.end is None or one.end > oldest]
    return tuple(kept[-MOST_STRETCHES:])


def _ends(duty: Duty, after: datetime, until: datetime) -> int:
    """How many intervals of a duty end after one instant and by another."""
    before, by = (max(0, (edge - duty.begin) // duty.period) for edge in (after, until))
    return max(0, by - before)


def _within(gap: Interval, first: datetime, last: datetime) -> Interval | None:
    return gap.intersection(Interval(start=first, end=last)) if first < last else None
