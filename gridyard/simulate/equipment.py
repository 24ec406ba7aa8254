"""What stands in a simulated depot, and how adapters would tell its state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.reading import Quality, Reading
from depot_sim.physics.battery import Battery
from depot_sim.physics.evse import Evse
from depot_sim.physics.pv import Pv
from gridyard.simulate.night import Visit
from site_agent.domain.device import (
    BatterySpec,
    BatteryState,
    ChargerSpec,
    ChargerState,
    PvSpec,
    PvState,
)
from site_agent.domain.protect.circuit import path
from site_agent.domain.site import SiteModel


@dataclass(slots=True)
class Outlet:
    """One EVSE with what is on its cable."""

    spec: ChargerSpec
    dc: bool
    evse: Evse
    nodes: tuple[str, ...]
    limit_a: float
    since: datetime
    told_a: float
    """What it is asked for; above `limit_a` while a rise waits."""
    visit: Visit | None = None
    begun_wh: float = 0.0
    online: bool = True
    reserved: bool = False
    """People are on their way to it."""
    rested_s: float = 0.0
    """Time in which nothing flowed, not yet told to its vehicle."""

    @property
    def power_w(self) -> float:
        """What it draws, W."""
        return self.evse.power_w

    @property
    def soc_pct(self) -> float:
        """Of the vehicle on its cable; 0 without."""
        return self.evse.vehicle.soc_pct if self.evse.vehicle is not None else 0.0

    def advance(self, dt_s: float) -> None:
        """The outlet `dt_s` later; one at rest is stepped when it moves again."""
        evse, vehicle = self.evse, self.evse.vehicle
        if vehicle is None:
            return
        still = evse.obeyed_a == self.limit_a and evse.current_a == 0.0 and evse.phases_in_use
        if still and (evse.suspends(self.limit_a) or not vehicle.acceptance_w(dc=self.dc)):
            self.rested_s += dt_s
            return
        if self.rested_s:
            evse = replace(evse, vehicle=vehicle.charged(0.0, self.rested_s))
            self.rested_s = 0.0
        phases = len(self.spec.phases)
        self.evse = evse.step(dt_s, limit_a=self.limit_a, phases=phases, energised=True)

    @property
    def missing_wh(self) -> float:
        """What its vehicle still needs, Wh."""
        return 0.0 if self.visit is None else self.visit.missing_wh(self.soc_pct)


@dataclass(slots=True)
class Store:
    """One stationary battery."""

    spec: BatterySpec
    battery: Battery
    setpoint_w: float = 0.0
    since: datetime | None = None


@dataclass(slots=True)
class Roof:
    """One PV inverter."""

    spec: PvSpec
    pv: Pv
    limit_w: float | None = None
    since: datetime | None = None


def charger_state(outlet: Outlet, now: datetime) -> ChargerState:
    """The charger as its adapter would tell it."""
    there, reports = outlet.visit is not None, False
    if outlet.evse.vehicle is not None:
        reports = outlet.evse.vehicle.reports_soc
    return ChargerState(
        spec=outlet.spec,
        online=outlet.online,
        plugged=there,
        transaction_id=outlet.visit.visit_id if outlet.visit is not None else None,
        id_tag=outlet.visit.vehicle.id_tag if outlet.visit is not None else None,
        power_w=reading(outlet.power_w, now),
        current_a=reading(outlet.evse.current_a, now),
        energy_wh=reading(outlet.evse.register_wh - outlet.begun_wh, now),
        soc_pct=reading(outlet.soc_pct, now) if there and reports else Reading.missing(now),
        confirmed_limit_a=outlet.limit_a,
        limit_in_force_since=outlet.since,
        phases_used=outlet.evse.phases_in_use or None,
    )


def battery_state(store: Store, now: datetime) -> BatteryState:
    """The battery as its adapter would tell it."""
    return BatteryState(
        spec=store.spec,
        online=True,
        power_w=reading(store.battery.power_w, now),
        soc_pct=reading(store.battery.soc_pct, now),
        confirmed_w=store.setpoint_w,
        in_force_since=store.since,
    )


def pv_state(roof: Roof, now: datetime) -> PvState:
    """The inverter as its adapter would tell it."""
    return PvState(
        spec=roof.spec,
        online=True,
        power_w=reading(roof.pv.power_w, now),
        limited_w=roof.limit_w,
        limited_since=roof.since,
    )


def outlet_of(model: SiteModel, spec: ChargerSpec, dc: bool, begin: datetime) -> Outlet:
    """A plug with nothing on it, at its fail-safe share."""
    evse = Evse(
        rated_a=spec.max_current_a,
        phases=len(spec.phases),
        first_phase=spec.phases[0],
        dc=dc,
        voltage_v=spec.voltage_v,
    )
    share_a = spec.fail_safe_current_a
    return Outlet(
        spec=spec,
        dc=dc,
        evse=evse,
        nodes=tuple(node for node in path(model, spec.node)),
        limit_a=share_a,
        since=begin - timedelta(hours=1),
        told_a=share_a,
    )


def reading(value: float, at: datetime) -> Reading:
    """Fresh and true."""
    return Reading(value=value, quality=Quality.GOOD, at=at)
