"""A thousand depots as the gateway sees them: slow, noisy, some deaf, some dropping out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Watts = NDArray[np.float64]
_REBOUND_SHARE, _REBOUND_TAU_MIN = 0.5, 20.0
"""What is drawn beyond the baseline once a site is free, of its reduction, and how it dies away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """What may go wrong; parts of the sites or of the minutes."""

    sites: int = 1000
    deaf: float = 0.04
    """Sites that take an instruction and do nothing, in every event."""
    dropping: float = 0.03
    """Sites that cease to follow within an event, at any minute of it."""
    unheard: float = 0.05
    """Minutes of a site of which no telemetry arrives."""
    answer: float = 0.93
    """Part of what it is asked that a site gives, in the mean ..."""
    answer_spread: float = 0.06
    """... and by how much sites differ, standard deviation."""
    noise: float = 0.03
    """Of a site's load from minute to minute, standard deviation, of its baseline."""
    longest_lag_min: int = 4


class Sites:
    """Their hidden truth, and their load minute by minute."""

    def __init__(self, nature: Nature, seed: int) -> None:
        self._nature = nature
        self._draw = np.random.default_rng(seed)
        count = nature.sites
        self.ids = [f"site-{k:05d}" for k in range(count)]
        self.baseline_w = self._draw.lognormal(np.log(120_000.0), 0.6, count)
        self.offer_w = self.baseline_w * self._draw.uniform(0.2, 0.7, count)
        self.connection_w = self.baseline_w * self._draw.uniform(1.3, 2.0, count)
        self._lag = self._draw.integers(1, nature.longest_lag_min + 1, count)
        self._answer = self._draw.normal(nature.answer, nature.answer_spread, count).clip(0.5, 1.0)
        self._deaf = self._draw.random(count) < nature.deaf
        self.begin_event(0)

    def begin_event(self, minutes: int) -> None:
        """Nobody has been asked anything; who will drop out, and when, is drawn."""
        count = self._nature.sites
        drops = self._draw.random(count) < self._nature.dropping
        self._until = np.where(drops, self._draw.integers(0, max(1, minutes), count), 1 << 30)
        self._limits: list[Watts] = []
        self._held_w = np.zeros(count)
        self._free_for = np.zeros(count)
        self._minute = 0

    def live_a_minute(self, limit_w: Watts) -> Watts:
        """The load of every site, W, while it was told to stay under these limits (inf: free)."""
        self._limits.append(limit_w)
        held = self._heard()
        follows = np.isfinite(held) & ~self._deaf & (self._minute < self._until)
        reduced_w = np.where(follows, np.maximum(0.0, self.baseline_w - held) * self._answer, 0.0)
        back = ~follows & (self._held_w > 0) & np.isinf(held)
        self._free_for = np.where(back, self._free_for + 1, 0.0)
        fade = np.exp(-(self._free_for - 1) / _REBOUND_TAU_MIN)
        wanted_w = np.where(back, _REBOUND_SHARE * self._held_w * fade, -reduced_w)
        rising = follows & (held > self.baseline_w)
        owed_w = np.minimum(held - self.baseline_w, _REBOUND_SHARE * self._held_w)
        wanted_w = np.where(rising, owed_w, wanted_w)
        self._held_w = np.maximum(self._held_w, reduced_w)
        self._minute += 1
        noise_w = self._draw.normal(0.0, self._nature.noise, len(self.ids)) * self.baseline_w
        return np.minimum(self.baseline_w + wanted_w + noise_w, self.connection_w)

    def heard_minute(self) -> NDArray[np.bool_]:
        """Whose telemetry of this minute arrives."""
        return self._draw.random(len(self.ids)) >= self._nature.unheard

    def _heard(self) -> Watts:
        """The limit each site follows now: what it was told its lag ago."""
        told = np.array(self._limits[-1 - self._nature.longest_lag_min :])
        back = np.minimum(self._lag, len(told) - 1)
        found: Watts = told[len(told) - 1 - back, np.arange(len(self.ids))]
        early = self._lag >= len(told)
        return np.where(early, np.inf, found)
