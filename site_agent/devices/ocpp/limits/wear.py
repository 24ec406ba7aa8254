"""How often a charger's flash is written, and how leases grow where that would wear it out.

Most chargers keep every profile they accept in flash that bears some 100 000 writes a year. A
lease of 300 s renewed at a third of it alone would be 315 000 in a year of charging without a
break. So a charger has an allowance that fills at the yearly budget's rate, up to a day's worth;
while it is low, leases last 2, 4 and at last 8 times as long. That is also how much longer such a
charger takes to fall back to its fail-safe share when the agent dies.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import datetime, timedelta

WRITES_A_YEAR = 100_000
_A_DAY = WRITES_A_YEAR / 365
_DAY = timedelta(days=1)
_STRETCHES = ((0.5, 1), (0.25, 2), (0.1, 4))
"""(more than this share of a day's allowance left, how many times as long leases last)."""
_LONGEST_STRETCH = 8
_MOST_REMEMBERED = 4096


class Wear:
    """Profiles written to one EVSE."""

    def __init__(self) -> None:
        self.total = 0
        """Ever, as far as is remembered."""
        self._recent: deque[datetime] = deque(maxlen=_MOST_REMEMBERED)
        self._left = _A_DAY
        self._at: datetime | None = None

    def wrote(self, now: datetime) -> None:
        """A profile was accepted."""
        self._fill(now)
        self._left = max(0.0, self._left - 1)
        self.total += 1
        self._recent.append(now)

    def per_day(self, now: datetime) -> int:
        """Writes within the last 24 h, of this process."""
        while self._recent and self._recent[0] <= now - _DAY:
            self._recent.popleft()
        return len(self._recent)

    def stretch(self, now: datetime) -> int:
        """How many times as long as usual a lease lasts."""
        if self._left > _STRETCHES[0][0] * _A_DAY:
            return _STRETCHES[0][1]  # time only adds to what is left
        self._fill(now)
        share = self._left / _A_DAY
        for above, times in _STRETCHES:
            if share > above:
                return times
        return _LONGEST_STRETCH

    def text(self) -> str:
        """To be kept over a restart."""
        at = None if self._at is None else self._at.isoformat()
        return json.dumps({"total": self.total, "left": self._left, "at": at})

    def recall(self, text: str) -> None:
        """Go on from what was kept; what cannot be read is no reason to stop."""
        try:
            held = json.loads(text)
            total, left = int(held["total"]), float(held["left"])
            at = None if held["at"] is None else datetime.fromisoformat(held["at"])
        except (ValueError, TypeError, KeyError):
            return
        self.total, self._left, self._at = max(0, total), min(max(0.0, left), _A_DAY), at

    def _fill(self, now: datetime) -> None:
        if self._at is not None and now > self._at:
            self._left = min(_A_DAY, self._left + (now - self._at) / _DAY * _A_DAY)
        self._at = now if self._at is None else max(now, self._at)
