"""The average power drawn over the last demand interval, whenever one looks."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

_GRAIN = timedelta(seconds=15)


class RollingDemand:
    """Remembers what was drawn during the last `interval`.

    `allowed_w` keeps the average of any interval, wherever it begins, at a target: as long as the
    site stays at the target all is well, and an excess is paid back within a third of the interval.
    """

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval
        self._parts: deque[tuple[datetime, float]] = deque()
        """(begin, Wh) of pieces of time of at most `_GRAIN` and a call more, the newest last."""
        self._since: datetime | None = None
        self._power_w = 0.0

    def add(self, now: datetime, power_w: float | None) -> None:
        """The power at the PCC from now on, W; None: not known, it is taken to go on."""
        if self._since is not None and now > self._since:
            self._count(self._since, now)
        self._since = now if self._since is None else max(self._since, now)
        self._power_w = self._power_w if power_w is None else power_w
        while self._parts and self._parts[0][0] < now - self._interval - _GRAIN:
            self._parts.popleft()

    def _count(self, since: datetime, now: datetime) -> None:
        wh = max(0.0, self._power_w) * ((now - since) / timedelta(hours=1))
        if self._parts and since - self._parts[-1][0] < _GRAIN:
            begin, before = self._parts.pop()
            self._parts.append((begin, before + wh))
        else:
            self._parts.append((since, wh))

    def average_w(self, now: datetime) -> float:
        """Over the interval that ends now, W; what is not known counts as nothing."""
        return self._drawn_wh(now - self._interval) / (self._interval / timedelta(hours=1))

    def allowed_w(self, target_w: float, now: datetime) -> float:
        """What may be drawn now so that no average exceeds the target, W, >= 0."""
        hours, soon = self._interval / timedelta(hours=1), self._interval / 3
        drawn_wh = self._drawn_wh(now - self._interval + soon)
        left_wh = target_w * hours - drawn_wh
        return max(0.0, min(target_w, left_wh / (soon / timedelta(hours=1))))

    def _drawn_wh(self, since: datetime) -> float:
        """Since then; a piece that began before counts by what lies after."""
        total = 0.0
        ends = [*(begin for begin, _ in self._parts), self._since or since][1:]
        for (begin, wh), end in zip(self._parts, ends, strict=False):
            if end > since and end > begin:
                total += wh * min(1.0, (end - since) / (end - begin))
        return total
