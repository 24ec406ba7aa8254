"""How a reading ages when its source stops confirming it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.reading import Quality, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """A reading is what it says for `stale_after`, then STALE, and gone after `lost_after`.

    One of a time to come, because our clock was set back, is as far from now as one of the past.
    """

    stale_after: timedelta
    lost_after: timedelta = timedelta(seconds=30)

    def at(self, reading: Reading, now: datetime) -> Reading:
        """The reading as it must be taken at `now`."""
        age = abs(now - reading.at)
        if age > self.lost_after:
            return Reading.missing(reading.at)
        if age > self.stale_after and reading.value is not None:
            return replace(reading, quality=Quality.STALE)
        return reading
