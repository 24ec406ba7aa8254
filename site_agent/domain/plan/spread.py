"""Who of a pool gets how much in which slot, when only the sums are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.horizon import Series

Powers = NDArray[np.float64]
"""By stay and slot."""
_NEAR = 1e-3
_GRAIN = 6
"""Decimals of what a slot has left: so that equals are equal, whatever the solver's last digits."""
_HALVINGS = 50


def spread(needs: Series, most: Series, totals: Series) -> Powers | None:
    """Powers with these sums by stay and by slot, none above its `most`; None: none were found.

    One stay after the other takes from the slots that have most left, so that what is left suits
    those who come later. Whole blocks, with few pauses and nearly all at full power, are better for
    vehicles, so these come first, and the earliest slots go to the first stays; where blocks do not
    come out even, everybody takes thinner slices.
    """
    for shared in (_in_blocks, _in_slices):
        powers = shared(needs, most, totals)
        missed = np.abs(powers.sum(axis=1) - needs).max(initial=0.0)
        left = np.abs(powers.sum(axis=0) - totals).max(initial=0.0)
        if max(missed, left) <= _NEAR:
            return powers
    return None


def _in_blocks(needs: Series, most: Series, totals: Series) -> Powers:
    """As much as it can slot after slot, from the fullest on, the earliest of equals first."""
    left: list[float] = totals.round(_GRAIN).tolist()
    powers = [[0.0] * len(left) for _ in needs]
    for mine, need, limit in zip(powers, needs.tolist(), most.tolist(), strict=True):
        missing = need
        for slot in sorted(range(len(left)), key=left.__getitem__, reverse=True):
            taken = min(limit, left[slot], missing)
            if taken <= 0:
                break
            mine[slot] = taken
            left[slot] -= taken
            missing -= taken
    return np.array(powers)


def _in_slices(needs: Series, most: Series, totals: Series) -> Powers:
    """What lies above a level, so that as little as can be is left in the fullest slots."""
    left = totals.copy()
    powers = np.zeros((len(needs), len(left)))
    for mine, need, limit in zip(powers, needs.tolist(), most.tolist(), strict=True):
        low, high = 0.0, float(left.max(initial=0.0))
        for _ in range(_HALVINGS):
            level = (low + high) / 2
            enough = np.clip(left - level, 0.0, limit).sum() >= need
            low, high = (level, high) if enough else (low, level)
        mine[:] = np.clip(left - low, 0.0, limit)
        left -= mine
    return powers
