"""An electric vehicle: what it accepts, and what charging and discharging do to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

FULL_PCT = 99.9
"""The battery management ends charging here."""
_LEAST_TAPER = 0.05
"""Share of full power below which the taper does not fall, so that charging ends."""
_WARM_C, _FROZEN_C, _LEAST_WHEN_FROZEN = 15.0, -20.0, 0.1
"""A lithium-ion battery takes its full charge from here, and this share of it at the other end;
linear between, which is the shape makers' derating tables have (typical values, not one maker's).
"""
_HEAT_CAPACITY_PER_H = 0.0018
"""Heat a battery takes per kelvin, as a share of its capacity: about 6.5 kg of pack per kWh at
1 kJ/(kg K)."""
_LOSS_INTO_BATTERY = 0.5
"""Share of the losses that heats the battery; the rest leaves through the on-board charger."""
_SETTLED_K = 0.01
"""A battery this near to ambient no longer changes."""
_COOLING_TIME_S = 6 * 3600.0
"""Time constant towards the ambient temperature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A vehicle at its state of charge; `departure` and `required_soc_pct` are the fleet's plan.

    `max_ac_w` bounds its on-board charger over `phases` phases, `max_dc_w` its battery on a DC
    outlet. On AC it takes nothing below `min_current_a` per phase (6 A, IEC 61851-1 annex A).
    Of the power at the outlet `fixed_loss_w` is lost whatever flows, and of the rest `efficiency`
    is stored, so charging slowly is charging poorly. It gives back up to `max_discharge_w` at the
    outlet while above `min_soc_pct` (ISO 15118-20 bidirectional power transfer).
    """

    id: str
    id_tag: str
    capacity_wh: float
    soc_pct: float
    max_ac_w: float
    max_dc_w: float = 0.0
    max_discharge_w: float = 0.0
    min_soc_pct: float = 20.0
    phases: int = 3
    min_current_a: float = 6.0
    taper_from_pct: float = 85.0
    efficiency: float = 0.92
    fixed_loss_w: float = 0.0
    battery_c: float = 20.0
    ambient_c: float = 20.0
    reports_soc: bool = True
    """False: the charger never learns its state of charge (plain IEC 61851)."""
    reaction_s: float = 0.0
    """Time to follow a new pilot duty cycle; IEC 61851-1 allows 5 s, 1 to 3 are usual."""
    sleeps_after_s: float | None = None
    """After so long a pause it takes nothing until `woken`; None: it stays awake."""
    paused_s: float = 0.0
    departure: datetime | None = None
    required_soc_pct: float = 80.0
    tag_type: str = "ISO14443"
    """What `id_tag` is, in the words of OCPP 2.0.1: a card, an eMAID, a MacAddress (autocharge)."""
    contract: str | None = None
    """PEM chain of an ISO 15118 contract certificate."""

    @property
    def stored_wh(self) -> float:
        """Energy in the battery."""
        return self.capacity_wh * self.soc_pct / 100.0

    @property
    def asleep(self) -> bool:
        """Whether it needs to be woken before it charges again."""
        return self.sleeps_after_s is not None and self.paused_s >= self.sleeps_after_s

    def headroom_wh(self, dt_s: float) -> float:
        """Energy the outlet can deliver within `dt_s` until the battery is full, with losses."""
        missing_wh = self.capacity_wh - self.stored_wh
        return missing_wh / self.efficiency + self._fixed_wh(dt_s)

    def spare_wh(self, dt_s: float) -> float:
        """Energy the outlet can take back within `dt_s` down to `min_soc_pct`, losses included."""
        over_wh = self.stored_wh - self.capacity_wh * self.min_soc_pct / 100.0
        return max(0.0, over_wh * self.efficiency - self._fixed_wh(dt_s))

    def acceptance_w(self, *, dc: bool = False) -> float:
        """The most it takes now: constant current, then a linear fall with the missing charge.

        A fall that is linear in the missing charge is the exponential decay of a constant-voltage
        phase. A cold battery takes less.
        """
        if self.soc_pct >= FULL_PCT or self.asleep:
            return 0.0
        missing = (100.0 - self.soc_pct) / (100.0 - self.taper_from_pct)
        share = min(1.0, max(_LEAST_TAPER, missing), self._warmth())
        return (self.max_dc_w if dc else self.max_ac_w) * share

    def charged(self, energy_wh: float, dt_s: float) -> Vehicle:
        """The vehicle after `dt_s` that brought `energy_wh` to the outlet (at most `headroom_wh`).

        Negative: it gave that much back (at most `spare_wh`).
        """
        if energy_wh == 0.0:
            return self._paused(dt_s)
        stored_wh = self._into_battery(energy_wh, dt_s)
        soc_pct = self.soc_pct + 100.0 * stored_wh / self.capacity_wh
        return replace(
            self,
            soc_pct=min(100.0, max(0.0, soc_pct)),
            battery_c=self._temperature(energy_wh - stored_wh, dt_s),
            paused_s=0.0,
        )

    def woken(self) -> Vehicle:
        """The vehicle after a new start of the session (or of its plug) has woken it."""
        return replace(self, paused_s=0.0)

    def _paused(self, dt_s: float) -> Vehicle:
        settled = abs(self.battery_c - self.ambient_c) < _SETTLED_K
        if settled and (self.sleeps_after_s is None or self.asleep):
            return self
        return replace(self, paused_s=self.paused_s + dt_s, battery_c=self._temperature(0.0, dt_s))

    def _into_battery(self, energy_wh: float, dt_s: float) -> float:
        """What reaches the cells (charging) or leaves them (negative)."""
        if energy_wh > 0.0:
            return max(0.0, energy_wh - self._fixed_wh(dt_s)) * self.efficiency
        return (energy_wh - self._fixed_wh(dt_s)) / self.efficiency

    def _fixed_wh(self, dt_s: float) -> float:
        return self.fixed_loss_w * dt_s / 3600.0

    def _warmth(self) -> float:
        """Share of full power at the battery's temperature."""
        above = (self.battery_c - _FROZEN_C) / (_WARM_C - _FROZEN_C)
        return min(1.0, max(_LEAST_WHEN_FROZEN, above))

    def _temperature(self, lost_wh: float, dt_s: float) -> float:
        """The battery's after `dt_s` with these losses, ambient pulling on it."""
        risen_k = lost_wh * _LOSS_INTO_BATTERY / (self.capacity_wh * _HEAT_CAPACITY_PER_H)
        kept = max(0.0, 1.0 - dt_s / _COOLING_TIME_S)
        return self.ambient_c + (self.battery_c - self.ambient_c) * kept + risen_k
