"""A stationary battery behind its inverter."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """State of a battery; `power_w` at the AC side, charging positive.

    `efficiency` holds one way: charging stores `power * efficiency`, discharging takes
    `power / efficiency` out of the cells. The registers count AC energy and never fall.
    """

    capacity_wh: float
    max_charge_w: float
    max_discharge_w: float
    soc_pct: float
    efficiency: float = 0.96
    power_w: float = 0.0
    charged_wh: float = 0.0
    discharged_wh: float = 0.0

    @property
    def stored_wh(self) -> float:
        """Energy in the cells."""
        return self.capacity_wh * self.soc_pct / 100.0

    def step(self, dt_s: float, *, setpoint_w: float) -> Battery:
        """The battery `dt_s` later: follows the setpoint within its power and its energy."""
        power_w = self._feasible(setpoint_w, dt_s)
        energy_wh = power_w * dt_s / 3600.0
        stored_wh = self.stored_wh + (
            energy_wh * self.efficiency if energy_wh > 0.0 else energy_wh / self.efficiency
        )
        return replace(
            self,
            power_w=power_w,
            soc_pct=min(100.0, max(0.0, 100.0 * stored_wh / self.capacity_wh)),
            charged_wh=self.charged_wh + max(0.0, energy_wh),
            discharged_wh=self.discharged_wh + max(0.0, -energy_wh),
        )

    def _feasible(self, setpoint_w: float, dt_s: float) -> float:
        power_w = max(-self.max_discharge_w, min(self.max_charge_w, setpoint_w))
        if dt_s <= 0.0:
            return power_w
        most_w = (self.capacity_wh - self.stored_wh) / self.efficiency * 3600.0 / dt_s
        least_w = -self.stored_wh * self.efficiency * 3600.0 / dt_s
        return max(least_w, min(most_w, power_w))
