"""How far the server's clock and ours are apart."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.time import Interval

_SECOND = timedelta(seconds=1)


class Difference:
    """Our clock less the server's, in whole seconds, and steady.

    A measurement less than a second away changes nothing: what we tell sites would otherwise move
    with every reading of two clocks.
    """

    def __init__(self) -> None:
        self._value: timedelta | None = None
        self._last: tuple[datetime, datetime] | None = None

    @property
    def known(self) -> bool:
        """Whether there was a measurement."""
        return self._value is not None

    def measured(self, ours: datetime, theirs: datetime) -> bool:
        """Take a measurement; True when it has changed the difference."""
        self._last, found = (ours, theirs), ours - theirs
        if self._value is not None and abs(found - self._value) < _SECOND:
            return False
        self._value = timedelta(seconds=round(found.total_seconds()))
        return True

    def ours(self, theirs: Interval, begun: datetime | None = None) -> Interval:
        """An interval of the server's on our clock.

        What had begun at the last measurement, or by `begun` (the server's), has begun on our
        clock too, though the difference is known to a second only and the server's clock may be
        measured a little slower than before: nothing that is in force may pause for a moment.
        """
        end = None if theirs.end is None else self.ours_at(theirs.end)
        start = self.ours_at(theirs.start)
        if self._last is not None and theirs.start <= max(self._last[1], begun or self._last[1]):
            start = min(start, self._last[0])
        return Interval(start=start, end=end if end is None else max(end, start))

    def ours_at(self, theirs: datetime) -> datetime:
        """An instant of the server's on our clock."""
        return theirs + (self._value or timedelta(0))

    def theirs(self, ours: datetime) -> datetime:
        """An instant of ours on the server's clock."""
        return ours - (self._value or timedelta(0))
