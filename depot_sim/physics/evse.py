"""One outlet of a charger: a contactor, a limit, a meter, and the vehicle on its cable."""

from __future__ import annotations

from dataclasses import dataclass, replace

from contracts.power import NOMINAL_VOLTAGE_V, current_from_power_a, power_from_current_w
from depot_sim.physics.phases import PhaseWatts, spread
from depot_sim.physics.vehicle import Vehicle

_RAMP_S = 1.0
"""Time in which the current may travel the whole rating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evse:
    """State of an outlet. Current is per phase; `register_wh` never falls.

    A DC outlet draws on all its phases whatever the vehicle has, and knows no 6 A floor.
    """

    rated_a: float
    phases: int = 3
    first_phase: int = 1
    dc: bool = False
    voltage_v: float = NOMINAL_VOLTAGE_V
    vehicle: Vehicle | None = None
    phases_in_use: int = 0
    current_a: float = 0.0
    register_wh: float = 0.0

    @property
    def rated_w(self) -> float:
        """Power at the rated current on all phases."""
        return power_from_current_w(self.rated_a, self.phases, self.voltage_v)

    @property
    def power_w(self) -> float:
        """What the meter shows."""
        return power_from_current_w(self.current_a, self.phases_in_use, self.voltage_v)

    @property
    def phases_w(self) -> PhaseWatts:
        """What each phase of the site carries for this outlet."""
        return spread(self.power_w, self.phases_in_use or 1, self.first_phase)

    @property
    def usable_phases(self) -> int:
        """Phases that charger and vehicle share; the charger's own without a vehicle."""
        if self.dc or self.vehicle is None:
            return self.phases
        return min(self.phases, self.vehicle.phases)

    def suspends(self, limit_a: float) -> bool:
        """Whether a limit is too small to charge at all."""
        floor_a = 0.0 if self.dc or self.vehicle is None else self.vehicle.min_current_a
        return limit_a <= 0.0 or limit_a < floor_a

    def step(self, dt_s: float, *, limit_a: float, phases: int, energised: bool) -> Evse:
        """The outlet `dt_s` later under `limit_a` per phase on at most `phases` phases."""
        if not energised or self.vehicle is None:
            return replace(self, current_a=0.0, phases_in_use=0)
        used = min(self.usable_phases, phases)
        current_a = min(self._ramped(limit_a, used, dt_s), self._fills_in(used, dt_s))
        energy_wh = power_from_current_w(current_a, used, self.voltage_v) * dt_s / 3600.0
        return replace(
            self,
            current_a=current_a,
            phases_in_use=used,
            register_wh=self.register_wh + energy_wh,
            vehicle=self.vehicle.charged(energy_wh),
        )

    def _ramped(self, limit_a: float, used: int, dt_s: float) -> float:
        reach_a = self.rated_a * dt_s / _RAMP_S
        wanted_a = self._wanted(limit_a, used)
        return max(self.current_a - reach_a, min(self.current_a + reach_a, wanted_a))

    def _wanted(self, limit_a: float, used: int) -> float:
        if self.vehicle is None or self.suspends(limit_a):
            return 0.0
        accepted_w = self.vehicle.acceptance_w(dc=self.dc)
        return min(limit_a, self.rated_a, current_from_power_a(accepted_w, used, self.voltage_v))

    def _fills_in(self, used: int, dt_s: float) -> float:
        """The current that would fill the battery exactly within this step."""
        if self.vehicle is None or dt_s <= 0.0:
            return self.rated_a
        power_w = self.vehicle.headroom_wh * 3600.0 / dt_s
        return current_from_power_a(power_w, used, self.voltage_v)
