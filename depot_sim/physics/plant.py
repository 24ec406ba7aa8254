"""The point of common coupling: where everything in the depot meets the grid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contracts.power import NOMINAL_VOLTAGE_V
from depot_sim.physics.phases import NO_FLOW, PhaseWatts, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """What the grid meter sees. Import positive; the two registers never fall.

    The registers count the sum of the phases at each step, as a netting (vectorial) meter does.
    """

    phases_w: PhaseWatts = NO_FLOW
    import_wh: float = 0.0
    export_wh: float = 0.0
    voltage_v: float = NOMINAL_VOLTAGE_V

    @property
    def power_w(self) -> float:
        """Total active power."""
        return sum(self.phases_w)

    @property
    def phases_a(self) -> PhaseWatts:
        """RMS current of each phase at unity power factor: a magnitude, without direction."""
        l1, l2, l3 = (abs(power_w) / self.voltage_v for power_w in self.phases_w)
        return l1, l2, l3

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
