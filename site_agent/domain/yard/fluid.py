"""Charging everybody under the site's power, as water: who misses how much.

In every slot power goes first to what is needed from now on at full power (least laxity), then in
order of laxity; the same rule as the allocation's, without its currents and minimums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from site_agent.domain.horizon import Horizon, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One vehicle at its plug during `[since, until)`."""

    since: datetime
    until: datetime
    most_w: float
    required_wh: float


def shortfall_wh(draws: Sequence[Draw], horizon: Horizon, site_w: Series) -> Series:
    """What each misses at its end, Wh, when all share `site_w` in every slot of `horizon`."""
    left = np.array([draw.required_wh for draw in draws], dtype=np.float64)
    if not draws:
        return left
    most = np.array([max(1e-9, draw.most_w) for draw in draws])
    share = np.array([horizon.share(draw.since, draw.until) for draw in draws])
    after = np.flip(np.cumsum(np.flip(share, axis=1), axis=1), axis=1) * horizon.hours
    for slot in range(horizon.count):
        here = (share[:, slot] > 0) & (left > 0)
        if not here.any():
            continue
        could = np.where(here, np.minimum(most * share[:, slot] * horizon.hours, left), 0.0)
        laxity = np.where(here, after[:, slot] - left / most, np.inf)
        order = np.argsort(laxity, kind="stable")
        room = max(0.0, float(site_w[slot])) * horizon.hours
        before = np.cumsum(could[order]) - could[order]
        left[order] -= np.clip(room - before, 0.0, could[order])
    return left
