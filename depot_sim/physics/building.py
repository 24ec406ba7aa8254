"""Everything in the depot that nobody controls: light, workshop, offices."""

from __future__ import annotations

from dataclasses import dataclass

from depot_sim.physics.drift import Drift
from depot_sim.physics.phases import PhaseWatts


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A base load that wanders by `swing_w`, unequally spread over the phases."""

    base_w: float
    swing_w: float
    use: Drift
    shares: PhaseWatts = (0.36, 0.34, 0.30)
    """Part of each phase; they sum to 1."""

    def power_w(self, now_s: float) -> float:
        """Consumption at `now_s`, never negative."""
        return max(0.0, self.base_w + self.swing_w * self.use.at(now_s))

    def phases_w(self, now_s: float) -> PhaseWatts:
        """The same, phase by phase."""
        power_w = self.power_w(now_s)
        l1, l2, l3 = (power_w * share for share in self.shares)
        return l1, l2, l3
