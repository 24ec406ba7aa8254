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

    def measured(self, ours: datetime, theirs: datetime) -> bool:
        """Take a measurement; True when it has changed the difference."""
        found = ours - theirs
        if self._value is not None and abs(found - self._value) < _SECOND:
            return False
        self._value = timedelta(seconds=round(found.total_seconds()))
        return True

    def ours(self, theirs: Interval) -> Interval:
        """An interval of the server's on our clock."""
        end = None if theirs.end is None else self.ours_at(theirs.end)
        return Interval(start=self.ours_at(theirs.start), end=end)

    def ours_at(self, theirs: datetime) -> datetime:
        """An instant of the server's on our clock."""
        return theirs + (self._value or timedelta(0))

    def theirs(self, ours: datetime) -> datetime:
        """An instant of ours on the server's clock."""
        return ours - (self._value or timedelta(0))
