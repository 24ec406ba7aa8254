"""Everything in the depot that nobody controls: light, workshop, offices."""

from __future__ import annotations

from dataclasses import dataclass

from depot_sim.physics.drift import Drift
from depot_sim.physics.phases import PhaseWatts, spread, total

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A load of its own from `at_s` on, for `for_s`: a compressor, a wash hall, a lift."""

    at_s: float
    for_s: float
    power_w: float
    phases: int = 3
    first_phase: int = 1
    every_s: float | None = None
    """It comes again so often; None: once."""

    def power_at(self, now_s: float) -> float:
        """What it draws at `now_s`."""
        since_s = now_s - self.at_s
        if since_s >= 0.0 and self.every_s is not None:
            since_s %= self.every_s
        return self.power_w if 0.0 <= since_s < self.for_s else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A base load that wanders by `swing_w`, unequally spread over the phases, and what comes on.

    `shape` has factors of the base load for equal parts of the day (24: by the hour), joined by
    straight lines; second 0 is `begin_s` after local midnight.
    """

    base_w: float
    swing_w: float
    use: Drift
    shares: PhaseWatts = (0.36, 0.34, 0.30)
    """Part of each phase; they sum to 1."""
    shape: tuple[float, ...] = (1.0,)
    begin_s: float = 0.0
    steps: tuple[Step, ...] = ()

    def power_w(self, now_s: float) -> float:
        """Consumption at `now_s`, never negative."""
        return self._base_w(now_s) + sum(step.power_at(now_s) for step in self.steps)

    def phases_w(self, now_s: float) -> PhaseWatts:
        """The same, phase by phase."""
        base_w = self._base_w(now_s)
        l1, l2, l3 = (base_w * share for share in self.shares)
        steps = (spread(s.power_at(now_s), s.phases, s.first_phase) for s in self.steps)
        return total([(l1, l2, l3), *steps])

    def _base_w(self, now_s: float) -> float:
        return max(0.0, self.base_w * self._factor(now_s) + self.swing_w * self.use.at(now_s))

    def _factor(self, now_s: float) -> float:
        place = (self.begin_s + now_s) % _DAY_S / _DAY_S * len(self.shape)
        before, part = int(place) % len(self.shape), place % 1.0
        after = (before + 1) % len(self.shape)
        return self.shape[before] * (1.0 - part) + self.shape[after] * part
