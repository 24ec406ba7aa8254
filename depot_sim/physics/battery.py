"""A stationary battery behind its inverter."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from depot_sim.physics.warmth import cold_share, hot_share

_LEAST_TAPER = 0.05
"""Share of full power below which a taper does not fall, so that charging ends."""
_HEAT_CAPACITY_PER_H = 0.0018
"""Heat the cells take per kelvin, as a share of their capacity: about 6.5 kg per kWh at
1 kJ/(kg K)."""
_COOLING_TIME_S = 3 * 3600.0
"""Time constant of a ventilated cabinet towards the ambient temperature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """How a battery differs from an ideal one; the defaults are the ideal one."""

    lowest_pct: float = 0.0
    highest_pct: float = 100.0
    """The window of its state of charge."""
    taper_from_pct: float = 100.0
    """Above it charging power falls linearly to the end of the window."""
    taper_below_pct: float = 0.0
    """Below it discharging power does."""
    ramp_w_per_s: float = math.inf
    reaction_s: float = 0.0
    """A new setpoint is followed after so long."""
    standby_w: float = 0.0
    """Taken out of the cells whatever flows, for as long as there is something in them."""
    resistive_loss: float = 0.0
    """Lost at full power beside `efficiency`, as a share of it; grows with the square of power."""
    ambient_c: float | None = None
    """None: temperature never matters."""


IDEAL = Traits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """State of a battery; `power_w` at the AC side, charging positive.

    `efficiency` holds one way: charging stores `power * efficiency`, discharging takes
    `power / efficiency` out of the cells, before what `traits` take in addition. The registers
    count AC energy and what was lost, and never fall: `charged - discharged = stored + lost`.
    """

    capacity_wh: float
    max_charge_w: float
    max_discharge_w: float
    soc_pct: float
    efficiency: float = 0.96
    traits: Traits = IDEAL
    temperature_c: float = 20.0
    power_w: float = 0.0
    charged_wh: float = 0.0
    discharged_wh: float = 0.0
    lost_wh: float = 0.0
    obeyed_w: float = 0.0
    unheeded_s: float = 0.0

    @property
    def stored_wh(self) -> float:
        """Energy in the cells."""
        return self.capacity_wh * self.soc_pct / 100.0

    @property
    def charge_limit_w(self) -> float:
        """Most it takes now."""
        over = self.traits.highest_pct - self.soc_pct
        taper = _taper(over, self.traits.highest_pct - self.traits.taper_from_pct)
        return self.max_charge_w * min(taper, self._warmth(cold_matters=True))

    @property
    def discharge_limit_w(self) -> float:
        """Most it gives now; a magnitude."""
        over = self.soc_pct - self.traits.lowest_pct
        taper = _taper(over, self.traits.taper_below_pct - self.traits.lowest_pct)
        return self.max_discharge_w * min(taper, self._warmth(cold_matters=False))

    def step(self, dt_s: float, *, setpoint_w: float) -> Battery:
        """The battery `dt_s` later: follows the setpoint within its power and its energy."""
        obeyed_w, unheeded_s = self._heard(setpoint_w, dt_s)
        power_w = self._feasible(self._ramped(obeyed_w, dt_s), dt_s)
        return self._after(dt_s, power_w, obeyed_w=obeyed_w, unheeded_s=unheeded_s)

    def off(self, dt_s: float) -> Battery:
        """The battery after `dt_s` with its contactors open."""
        return self._after(dt_s, 0.0, obeyed_w=0.0, unheeded_s=0.0)

    def _after(self, dt_s: float, power_w: float, *, obeyed_w: float, unheeded_s: float) -> Battery:
        energy_wh = power_w * dt_s / 3600.0
        most_wh = max(self.stored_wh, self._window_wh(self.traits.highest_pct))
        wanted_wh = self.stored_wh + self._into_cells_w(power_w) * dt_s / 3600.0
        stored_wh = min(most_wh, max(0.0, wanted_wh - self.traits.standby_w * dt_s / 3600.0))
        lost_wh = max(0.0, energy_wh - (stored_wh - self.stored_wh))
        return replace(
            self,
            power_w=power_w,
            soc_pct=min(100.0, max(0.0, 100.0 * stored_wh / self.capacity_wh)),
            charged_wh=self.charged_wh + max(0.0, energy_wh),
            discharged_wh=self.discharged_wh + max(0.0, -energy_wh),
            lost_wh=self.lost_wh + lost_wh,
            temperature_c=self._temperature(lost_wh, dt_s),
            obeyed_w=obeyed_w,
            unheeded_s=unheeded_s,
        )

    def _heard(self, setpoint_w: float, dt_s: float) -> tuple[float, float]:
        """The setpoint obeyed, and for how long a newer one has gone unheeded."""
        if setpoint_w == self.obeyed_w:
            return setpoint_w, 0.0
        unheeded_s = self.unheeded_s + dt_s
        if unheeded_s < self.traits.reaction_s:
            return self.obeyed_w, unheeded_s
        return setpoint_w, 0.0

    def _ramped(self, wanted_w: float, dt_s: float) -> float:
        within_w = max(-self.discharge_limit_w, min(self.charge_limit_w, wanted_w))
        if math.isinf(self.traits.ramp_w_per_s):
            return within_w
        reach_w = self.traits.ramp_w_per_s * dt_s
        return max(self.power_w - reach_w, min(self.power_w + reach_w, within_w))

    def _feasible(self, power_w: float, dt_s: float) -> float:
        """No more than fills, or empties, the window within this step."""
        if dt_s <= 0.0:
            return power_w
        room_wh = max(0.0, self._window_wh(self.traits.highest_pct) - self.stored_wh)
        spare_wh = max(0.0, self.stored_wh - self._window_wh(self.traits.lowest_pct))
        most_w = room_wh / self.efficiency * 3600.0 / dt_s
        return max(-self._given_w(spare_wh * 3600.0 / dt_s), min(most_w, power_w))

    def _into_cells_w(self, power_w: float) -> float:
        """What the cells take of `power_w` (negative: what they have to give for it)."""
        kept_w = power_w * self.efficiency if power_w > 0.0 else power_w / self.efficiency
        return kept_w - self._resistance * power_w * power_w

    def _given_w(self, cells_w: float) -> float:
        """AC power that the cells can give with `cells_w`: `_into_cells_w` turned round."""
        if self._resistance == 0.0:
            return cells_w * self.efficiency
        half = 1.0 / self.efficiency / 2.0 / self._resistance
        return math.sqrt(half * half + cells_w / self._resistance) - half

    @property
    def _resistance(self) -> float:
        """Loss per square of power, 1/W."""
        return self.traits.resistive_loss / max(self.max_charge_w, self.max_discharge_w)

    def _window_wh(self, soc_pct: float) -> float:
        return self.capacity_wh * soc_pct / 100.0

    def _warmth(self, *, cold_matters: bool) -> float:
        """Share of full power that the temperature leaves; cold cells still discharge."""
        if self.traits.ambient_c is None:
            return 1.0
        cold = cold_share(self.temperature_c) if cold_matters else 1.0
        return min(cold, hot_share(self.temperature_c))

    def _temperature(self, lost_wh: float, dt_s: float) -> float:
        if self.traits.ambient_c is None:
            return self.temperature_c
        kept = math.exp(-dt_s / _COOLING_TIME_S)
        risen_k = lost_wh / (self.capacity_wh * _HEAT_CAPACITY_PER_H)
        ambient_c = self.traits.ambient_c
        return ambient_c + (self.temperature_c - ambient_c) * kept + risen_k


def _taper(over_pct: float, span_pct: float) -> float:
    """Share of full power with `over_pct` left to the end of the window."""
    if over_pct <= 0.0:
        return 0.0
    return 1.0 if over_pct >= span_pct else max(_LEAST_TAPER, over_pct / span_pct)
