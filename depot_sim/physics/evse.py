"""One outlet of a charger: a contactor, a limit, a meter, and the vehicle on its cable."""

from __future__ import annotations

from dataclasses import dataclass, replace

from contracts.power import NOMINAL_VOLTAGE_V, current_from_power_a, power_from_current_w
from depot_sim.physics.phases import NO_FLOW, PhaseWatts, spread
from depot_sim.physics.vehicle import Vehicle

_RAMP_S = 1.0
"""Time in which the current may travel the whole rating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evse:
    """State of an outlet. Current is per phase, discharge negative; both registers never fall.

    A DC outlet draws on all its phases whatever the vehicle has, and knows no 6 A floor. A
    `bidirectional` one follows a negative limit as an order to discharge at that current.
    `obeyed_a` is the limit the vehicle has reacted to, `unheeded_s` how long another one stands.
    """

    rated_a: float
    phases: int = 3
    first_phase: int = 1
    dc: bool = False
    bidirectional: bool = False
    voltage_v: float = NOMINAL_VOLTAGE_V
    vehicle: Vehicle | None = None
    phases_in_use: int = 0
    current_a: float = 0.0
    register_wh: float = 0.0
    export_wh: float = 0.0
    obeyed_a: float = 0.0
    unheeded_s: float = 0.0

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
        if not self.phases_in_use:
            return NO_FLOW
        return spread(self.power_w, self.phases_in_use, self.first_phase)

    @property
    def usable_phases(self) -> int:
        """Phases that charger and vehicle share; the charger's own without a vehicle."""
        if self.dc or self.vehicle is None:
            return self.phases
        return min(self.phases, self.vehicle.phases)

    def suspends(self, limit_a: float) -> bool:
        """Whether a limit is too small to charge at all and does not ask for discharge either."""
        if limit_a < 0.0:
            return not self.bidirectional
        floor_a = 0.0 if self.dc or self.vehicle is None else self.vehicle.min_current_a
        return limit_a <= 0.0 or limit_a < floor_a

    def step(self, dt_s: float, *, limit_a: float, phases: int, energised: bool) -> Evse:
        """The outlet `dt_s` later under `limit_a` per phase on at most `phases` phases."""
        if self.vehicle is None or not energised:
            return self._open(dt_s)
        heard = self._signalled(limit_a, dt_s)
        used = min(self.usable_phases, phases)
        current_a = heard._within_battery(heard._ramped(used, dt_s), used, dt_s)
        energy_wh = power_from_current_w(current_a, used, self.voltage_v) * dt_s / 3600.0
        return replace(
            heard,
            current_a=current_a + 0.0,  # no negative zero on the meter
            phases_in_use=used,
            register_wh=self.register_wh + max(0.0, energy_wh),
            export_wh=self.export_wh + max(0.0, -energy_wh),
            vehicle=self.vehicle.charged(energy_wh, dt_s),
        )

    def _open(self, dt_s: float) -> Evse:
        """Contactor open: nothing flows; the next pilot starts from nothing."""
        vehicle = self.vehicle.charged(0.0, dt_s) if self.vehicle else None
        at_work = self.current_a or self.phases_in_use or self.obeyed_a or self.unheeded_s
        if vehicle is self.vehicle and not at_work:
            return self
        return replace(
            self, current_a=0.0, phases_in_use=0, obeyed_a=0.0, unheeded_s=0.0, vehicle=vehicle
        )

    def _signalled(self, limit_a: float, dt_s: float) -> Evse:
        """The limit on the pilot, and the vehicle obeying it after its reaction time."""
        if limit_a == self.obeyed_a:
            return replace(self, unheeded_s=0.0) if self.unheeded_s else self
        unheeded_s = self.unheeded_s + dt_s
        if self.vehicle is not None and unheeded_s <= self.vehicle.reaction_s:
            return replace(self, unheeded_s=unheeded_s)
        return replace(self, obeyed_a=limit_a, unheeded_s=0.0)

    def _ramped(self, used: int, dt_s: float) -> float:
        reach_a = self.rated_a * dt_s / _RAMP_S
        wanted_a = self._wanted(used)
        return max(self.current_a - reach_a, min(self.current_a + reach_a, wanted_a))

    def _wanted(self, used: int) -> float:
        if self.vehicle is None or self.vehicle.asleep or self.suspends(self.obeyed_a):
            return 0.0
        if self.obeyed_a < 0.0:
            given_w = self.vehicle.max_discharge_w
            return -min(-self.obeyed_a, self.rated_a, self._amperes(given_w, used))
        accepted_w = self.vehicle.acceptance_w(dc=self.dc)
        return min(self.obeyed_a, self.rated_a, self._amperes(accepted_w, used))

    def _within_battery(self, current_a: float, used: int, dt_s: float) -> float:
        """At most the current that fills the battery, or empties it, exactly within this step."""
        if self.vehicle is None or dt_s <= 0.0:
            return current_a
        if current_a >= 0.0:
            return min(
                current_a, self._amperes(self.vehicle.headroom_wh(dt_s) * 3600.0 / dt_s, used)
            )
        return max(current_a, -self._amperes(self.vehicle.spare_wh(dt_s) * 3600.0 / dt_s, used))

    def _amperes(self, power_w: float, used: int) -> float:
        return current_from_power_a(power_w, used, self.voltage_v)
