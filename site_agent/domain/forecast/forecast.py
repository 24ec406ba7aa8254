"""A forecast: the expected course and how far it may be off, with how it came about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.horizon import Horizon, Series

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One value a slot of `horizon`, W, load convention turned to magnitudes: all are >= 0 for PV.

    In four of five cases the truth lies between `p10` and `p90`, if the future is like the past.
    """

    horizon: Horizon
    p10: Series
    p50: Series
    p90: Series
    method: str
    trained_days: int
    """Days of history it rests on; 0: it is a guess."""
    why: str
    """How it came about, in words."""

    def on(self, horizon: Horizon) -> Forecast:
        """The same on other slots: averaged where they overlap; beyond the end as a day earlier."""
        offset, step = horizon.start - self.horizon.start, self.horizon.step
        if horizon.step == step and not offset % step:
            taken = _indices(offset // step, horizon.count, self.horizon)
            return replace(
                self,
                horizon=horizon,
                p10=self.p10[taken],
                p50=self.p50[taken],
                p90=self.p90[taken],
            )
        weights = _overlap(self.horizon, horizon)
        return replace(
            self,
            horizon=horizon,
            p10=weights @ self.p10,
            p50=weights @ self.p50,
            p90=weights @ self.p90,
        )


def _indices(first: int, count: int, known: Horizon) -> NDArray[np.intp]:
    """Which known slot each of `count` slots takes: the quick way where slots coincide."""
    asked = np.arange(first, first + count)
    a_day = max(1, _DAY // known.step)
    beyond = np.maximum(0, asked - known.count + 1)
    back = np.minimum(-(-beyond // a_day), np.maximum(0, asked) // a_day)
    taken: NDArray[np.intp] = np.clip(asked - back * a_day, 0, known.count - 1)
    return taken


def _overlap(known: Horizon, asked: Horizon) -> Series:
    """By asked slot the share of each known slot in it; rows sum to 1."""
    weights = np.zeros((asked.count, known.count))
    for i, start in enumerate(asked):
        since, until = start, start + asked.step
        while until > known.end and since - _DAY >= known.start:
            since, until = since - _DAY, until - _DAY
        share = known.share(since, until)
        weights[i] = share if share.any() else _nearest(known, since)
    rows: Series = weights / weights.sum(axis=1, keepdims=True)
    return rows


def _nearest(known: Horizon, at: datetime) -> Series:
    one = np.zeros(known.count)
    one[0 if at < known.start else -1] = 1.0
    return one
