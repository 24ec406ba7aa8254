"""Who of a pool gets how much in which slot, when only the sums are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.horizon import Series

Powers = NDArray[np.float64]
"""By stay and slot."""
_NEAR = 1e-3
_HALVINGS = 50


def spread(needs: Series, most: Series, totals: Series) -> Powers | None:
    """Powers with these sums by stay and by slot, none above `most`; None: there are none.

    One stay after the other takes from the slots that have most left. That succeeds if anything
    does as long as everybody can be split at will; whole blocks, with few pauses and each at full
    power, are better for vehicles, so these come first, and the earliest slots to the first stays.
    """
    for taken in (_in_blocks, _evenly):
        powers = _spread(needs, most, totals, taken)
        if powers is not None:
            return powers
    return None


def _spread(
    needs: Series, most: Series, totals: Series, taken: Callable[[float, float, Series], Series]
) -> Powers | None:
    left = totals.copy()
    powers = np.zeros((len(needs), len(totals)))
    for i, (need, limit) in enumerate(zip(needs.tolist(), most.tolist(), strict=True)):
        powers[i] = taken(need, limit, left)
        left -= powers[i]
    missed = np.abs(needs - powers.sum(axis=1)).max(initial=0.0)
    return powers if max(missed, np.abs(left).max(initial=0.0)) <= _NEAR else None


def _in_blocks(need: float, limit: float, left: Series) -> Series:
    """Slot after slot as much as it can, from the fullest on, the earliest of equals first."""
    order = np.argsort(-left.round(6), kind="stable")
    able = np.minimum(limit, left[order])
    taken = np.zeros_like(left)
    taken[order] = np.clip(need - (able.cumsum() - able), 0.0, able)
    return taken


def _evenly(need: float, limit: float, left: Series) -> Series:
    """What lies above a level, so that as little as can be is left in the fullest slots."""
    low, high = 0.0, float(left.max(initial=0.0))
    for _ in range(_HALVINGS):
        level = (low + high) / 2
        enough = np.clip(left - level, 0.0, limit).sum() >= need
        low, high = (level, high) if enough else (low, level)
    return np.clip(left - low, 0.0, limit)
