"""Slow, seeded, repeatable wandering: clouds over a roof, people in a building."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

_WAVES = 3


@dataclass(frozen=True, slots=True)
class _Wave:
    period_s: float
    phase_rad: float


@dataclass(frozen=True, slots=True)
class Drift:
    """A sum of slow sine waves: smooth, bounded, and the same for the same seed."""

    waves: tuple[_Wave, ...]

    @classmethod
    def seeded(cls, seed: str, period_s: float) -> Drift:
        """A drift whose waves last between half of `period_s` and twice that."""
        dice = random.Random(seed)  # noqa: S311 - weather, not cryptography
        return cls(
            tuple(
                _Wave(period_s * dice.uniform(0.5, 2.0), dice.uniform(0.0, math.tau))
                for _ in range(_WAVES)
            )
        )

    def at(self, now_s: float) -> float:
        """The value at `now_s` seconds, within -1..1."""
        total = sum(math.sin(math.tau * now_s / w.period_s + w.phase_rad) for w in self.waves)
        return total / len(self.waves)
