"""The point of common coupling: where everything in the depot meets the grid."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from contracts.power import NOMINAL_VOLTAGE_V
from depot_sim.physics.grid import NOMINAL_HZ
from depot_sim.physics.phases import NO_FLOW, PhaseWatts, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """What the grid meter sees. Import positive; the two registers never fall.

    The registers count the sum of the phases at each step, as a netting (vectorial) meter does.
    """

    phases_w: PhaseWatts = NO_FLOW
    phases_var: PhaseWatts = NO_FLOW
    """Reactive power, absorbed positive."""
    import_wh: float = 0.0
    export_wh: float = 0.0
    phases_v: PhaseWatts = (NOMINAL_VOLTAGE_V, NOMINAL_VOLTAGE_V, NOMINAL_VOLTAGE_V)
    frequency_hz: float = NOMINAL_HZ

    @property
    def power_w(self) -> float:
        """Total active power."""
        return sum(self.phases_w)

    @property
    def voltage_v(self) -> float:
        """Mean of the phases, to neutral."""
        return sum(self.phases_v) / len(self.phases_v)

    @property
    def phases_va(self) -> PhaseWatts:
        """Apparent power of each phase."""
        l1, l2, l3 = (
            math.hypot(*pair) for pair in zip(self.phases_w, self.phases_var, strict=True)
        )
        return l1, l2, l3

    @property
    def phases_a(self) -> PhaseWatts:
        """RMS current of each phase: a magnitude, without direction."""
        l1, l2, l3 = (
            apparent_va / voltage_v if voltage_v else 0.0
            for apparent_va, voltage_v in zip(self.phases_va, self.phases_v, strict=True)
        )
        return l1, l2, l3

    @property
    def power_factor(self) -> float:
        """Of the whole, with the sign of active power; 1 without load."""
        apparent_va = math.hypot(self.power_w, sum(self.phases_var))
        return self.power_w / apparent_va if apparent_va else 1.0

    def step(self, dt_s: float, flows: Iterable[PhaseWatts]) -> Plant:
        """The meter after `dt_s` of these flows: their plain sum, phase by phase."""
        phases_w = total(flows)
        energy_wh = sum(phases_w) * dt_s / 3600.0
        return replace(
            self,
            phases_w=phases_w,
            import_wh=self.import_wh + max(0.0, energy_wh),
            export_wh=self.export_wh + max(0.0, -energy_wh),
        )


def reactive(phases_w: PhaseWatts, power_factor: float) -> PhaseWatts:
    """What a load with this displacement (0 < factor <= 1, inductive) absorbs."""
    ratio = math.tan(math.acos(power_factor))
    l1, l2, l3 = (abs(power_w) * ratio for power_w in phases_w)
    return l1, l2, l3
