"""Raise vehicles to a common laxity level until a constraint binds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMOOTHING_H = 1.0
"""Vehicles whose laxities lie within this of each other share power instead of taking turns."""
_TINY = 1e-6
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Rise:
    """Vehicles that rise together, one entry each; currents in A."""

    start: Array
    """What each has already."""
    wanted: Array
    """Where each stops by itself."""
    most: Array
    """What each can take: a level that is higher by `SMOOTHING_H` raises it by so much."""
    laxity: Array
    """h"""
    weights: Array
    """By constraint and vehicle."""
    capacity: Array
    """By constraint: what it bears of these vehicles."""

    def highest(self) -> tuple[Array, int | None]:
        """The currents at the highest level that fits, and the constraint that stops it, if any."""
        low, high = float(self.laxity.min()) - SMOOTHING_H, float(self.laxity.max())
        top = self._at(high)
        over = self.weights @ top - self.capacity
        if np.all(over <= _TINY):
            return top, None
        tight = np.flatnonzero(over > _TINY)  # loads only grow: no other can bind below
        return self._edge(low, high, self.weights[tight], self.capacity[tight], tight)

    def _at(self, level: float) -> Array:
        share = self.most * (level - self.laxity + SMOOTHING_H) / SMOOTHING_H
        risen: Array = np.minimum(np.maximum(share, self.start), self.wanted)
        return risen

    def _edge(
        self, low: float, high: float, weights: Array, capacity: Array, names: NDArray[np.intp]
    ) -> tuple[Array, int]:
        """Close in on the level where the first constraint is full.

        By false position (Illinois: an end that stays counts half), as the excess grows piecewise
        linearly with the level.
        """
        over = weights @ self._at(low) - capacity
        below, above = float(over.max()), float((weights @ self._at(high) - capacity).max())
        stays = 0
        for _ in range(_STEPS):
            if below >= -_TINY:
                break
            middle = (low * above - high * below) / (above - below)
            excess = weights @ self._at(middle) - capacity
            worst = float(excess.max())
            if worst <= _TINY:
                low, below, over = middle, worst, excess
                above, stays = (above / 2 if stays < 0 else above), -1
            else:
                high, above = middle, worst
                below, stays = (below / 2 if stays > 0 else below), 1
        return self._at(low), int(names[int(np.argmax(over))])
