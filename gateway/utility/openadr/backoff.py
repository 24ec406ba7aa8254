"""Truncated binary exponential back-off with full jitter (OpenADR 2.0b transport rules)."""

from __future__ import annotations

import random


class Backoff:
    """Seconds to wait after each failure in a row; `reset` on success."""

    def __init__(self, *, first_s: float, longest_s: float, rng: random.Random) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._rng = rng
        self.failures = 0

    def reset(self) -> None:
        """The peer answered."""
        self.failures = 0

    def next_s(self) -> float:
        """How long to wait now: between half and all of the doubled limit."""
        ceiling = min(self._longest_s, self._first_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return self._rng.uniform(0.5, 1.0) * ceiling
