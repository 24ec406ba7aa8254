"""How fast somebody may ask: a bucket of tokens that fills steadily."""

from __future__ import annotations

from collections import OrderedDict

from contracts.time import Clock

_MOST_NAMES = 1_000


class Pace:
    """Lets `per_minute` through for each name, and a burst of a quarter of that (at least 1)."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_s = per_minute / 60.0
        self._burst = max(1.0, per_minute / 4.0)
        self._clock = clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """0 and one less left, or how long to wait before the next, s."""
        now_s = self._clock.monotonic()
        left, at_s = self._held.get(name, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self._per_s)
        allowed = left >= 1.0
        self._held[name] = (left - 1.0 if allowed else left, now_s)
        self._held.move_to_end(name)
        while len(self._held) > _MOST_NAMES:
            self._held.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._per_s
