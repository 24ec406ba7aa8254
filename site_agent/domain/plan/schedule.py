"""The plan: what vehicles, batteries and PV do slot by slot, what it costs, and what bounds it.

Powers are those of the part of a slot that was still to come when the plan was made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

import numpy as np

from site_agent.domain.horizon import Horizon, Series

_TOLERANCE_WH = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VehiclePlan:
    """One stay."""

    key: str
    vehicle_id: str
    evse_id: str | None
    present: bool
    departs: datetime
    required_wh: float
    """When the plan was made."""
    max_power_w: float
    min_power_w: float
    power_w: Series
    """Giving back is negative."""
    shortfall_wh: float
    """What it will miss when it leaves."""
    later_wh: float = 0.0
    """Left for the time after the plan; it leaves after that."""
    reason: str = ""
    """Why it will miss some of it; empty when it misses nothing."""

    @property
    def ready(self) -> bool:
        """Whether it has all it requires when it leaves."""
        return self.shortfall_wh <= _TOLERANCE_WH


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryPlan:
    """One battery."""

    battery_id: str
    power_w: Series
    """Charging positive."""
    stored_wh: Series
    """At the end of each slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPlan:
    """One demand charge within one billing month."""

    name: str
    so_far_w: float
    peak_w: float
    """The month's highest average as the plan leaves it."""
    slots: frozenset[int]
    """In which it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the plan expects to be paid, in the tariff's currency."""

    energy: float = 0.0
    demand: float = 0.0
    """Of what the month's peaks rise by, the share of a day (`PlanPolicy.peak_days`)."""
    export: float = 0.0
    """Credit, <= 0."""
    wear: float = 0.0

    @property
    def total(self) -> float:
        """The sum."""
        return self.energy + self.demand + self.export + self.wear


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A plan as it was made."""

    made_at: datetime
    zone: tzinfo
    currency: str
    horizon: Horizon
    vehicles: tuple[VehiclePlan, ...]
    batteries: tuple[BatteryPlan, ...]
    building_w: Series
    pv_w: Series
    """Generated after curtailment, <= 0."""
    curtailed_w: Series
    """Not generated, a magnitude."""
    net_w: Series
    """At the PCC: import positive, export negative."""
    import_per_kwh: Series
    export_per_kwh: Series
    bound_by: tuple[str, ...]
    """What keeps each slot from taking more, in words; empty: nothing but the price."""
    demand: tuple[DemandPlan, ...] = ()
    cost: Cost = field(default_factory=Cost)
    objective: float = 0.0
    """Of the linear programme, penalties and the worth of what is stored included."""
    warm: bool = False
    """Whether the solver began from the plan before."""

    @property
    def name(self) -> str:
        """As people call it: `the plan of 14:05`, on the site's clock."""
        return f"the plan of {self.clock(self.made_at)}"

    @property
    def shortfalls(self) -> tuple[VehiclePlan, ...]:
        """The stays that will not have all they require."""
        return tuple(one for one in self.vehicles if not one.ready)

    @property
    def present(self) -> Series:
        """How much of each slot was still to come when it was made, 0 to 1."""
        return self.horizon.share(self.made_at, self.horizon.end)

    def clock(self, at: datetime) -> str:
        """A time of day as people at the site read it; with the weekday on another day."""
        local, made = at.astimezone(self.zone), self.made_at.astimezone(self.zone)
        return f"{local:%H:%M}" if local.date() == made.date() else f"{local:%a %H:%M}"

    def slot(self, at: datetime) -> int | None:
        """The slot of an instant; None outside the plan."""
        i = self.horizon.slot(at)
        return i if 0 <= i < self.horizon.count and at >= self.made_at else None

    def planned_wh(self, power_w: Series, until: datetime) -> float:
        """Energy of a planned power from when the plan was made until `until`, Wh."""
        share = self.horizon.share(self.made_at, until)
        return float(np.dot(power_w, share)) * self.horizon.hours
