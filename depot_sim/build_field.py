"""From settings to devices on Modbus, and to what surrounds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from contracts.time import Clock
from depot_sim.config import DepotSettings, ModbusChargerSettings
from depot_sim.config_field import (
    CellsSettings,
    ContactsSettings,
    LineSettings,
    MeterSettings,
    ModbusSettings,
    RoofSettings,
    SunSpecBatterySettings,
    SunSpecPvSettings,
    VendorBatterySettings,
    VendorPvSettings,
)
from depot_sim.grid import Mains
from depot_sim.modbus.framing import Framing
from depot_sim.modbus.listener import Listener, Tls
from depot_sim.physics.battery import Battery, Traits
from depot_sim.physics.building import Building, Step
from depot_sim.physics.drift import Drift
from depot_sim.physics.evse import Evse
from depot_sim.physics.grid import Grid
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky, RealSky, Sky
from depot_sim.physics.sun import Plane
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.sunspec.battery124 import SunSpecBattery124
from depot_sim.sunspec.inverter import SunSpecInverter
from depot_sim.sunspec.inverter700 import SunSpecInverter700
from depot_sim.sunspec.meter import SunSpecMeter
from depot_sim.vendor.alfen import AlfenCharger
from depot_sim.vendor.contacts import Contacts
from depot_sim.vendor.meters import Em540Meter, Sdm630Meter
from depot_sim.vendor.sungrow import SungrowBattery, SungrowInverter
from depot_sim.vendor.victron import VictronBattery

Elapsed = Callable[[], float]
FieldMeter = SunSpecMeter | Em540Meter | Sdm630Meter
FieldBattery = SunSpecBattery | SunSpecBattery124 | SungrowBattery | VictronBattery
FieldInverter = SunSpecInverter | SunSpecInverter700 | SungrowInverter
_OTHER_BATTERIES: Mapping[str, type[SunSpecBattery124 | SungrowBattery | VictronBattery]] = {
    "sunspec": SunSpecBattery124,
    "sungrow": SungrowBattery,
    "victron": VictronBattery,
}
_HOUR_S = 3600.0


def listener(config: LineSettings, unit_id: int = 1) -> Listener:
    """Where a Modbus device or a bus listens."""
    if isinstance(config, ModbusSettings):
        unit_id = config.unit_id
    return Listener(
        host=config.host,
        port=config.port,
        unit_id=unit_id,
        framing=Framing(config.framing),
        tls=None if config.tls is None else Tls(**config.tls.model_dump()),
        serial=config.serial,
    )


def meter(
    config: MeterSettings, plant: Callable[[], Plant], clock: Clock, elapsed: Elapsed
) -> FieldMeter:
    """A meter of what `plant` says."""
    where = listener(config)
    if config.kind in {"em540", "sdm630"}:
        kind = Em540Meter if config.kind == "em540" else Sdm630Meter
        return kind(id=config.id, listener=where, plant=plant, elapsed=elapsed, clock=clock)
    return SunSpecMeter(
        id=config.id,
        listener=where,
        rated_a=config.rated_a,
        plant=plant,
        elapsed=elapsed,
        floats=config.kind == "sunspec-float",
        clock=clock,
    )


def battery(
    config: SunSpecBatterySettings | VendorBatterySettings, clock: Clock, elapsed: Elapsed
) -> FieldBattery:
    """A battery with its registers."""
    where, state = listener(config), cells(config)
    if config.kind == "sunspec" and config.control == "704":
        return SunSpecBattery(
            id=config.id,
            listener=where,
            battery=state,
            elapsed=elapsed,
            functions=config.functions,
            heartbeat_s=config.heartbeat_s,
            clock=clock,
        )
    kind = _OTHER_BATTERIES[config.kind]
    return kind(id=config.id, listener=where, battery=state, elapsed=elapsed, clock=clock)


def inverter(
    config: SunSpecPvSettings | VendorPvSettings, pv: Pv, clock: Clock, elapsed: Elapsed
) -> FieldInverter:
    """A PV inverter with its registers."""
    where = listener(config)
    if isinstance(config, VendorPvSettings):
        return SungrowInverter(id=config.id, listener=where, pv=pv, elapsed=elapsed, clock=clock)
    if not config.functions:
        return SunSpecInverter(
            id=config.id,
            listener=where,
            pv=pv,
            elapsed=elapsed,
            strings=config.strings,
            clock=clock,
        )
    return SunSpecInverter700(
        id=config.id,
        listener=where,
        pv=pv,
        elapsed=elapsed,
        strings=config.strings,
        heartbeat_s=config.heartbeat_s,
        clock=clock,
    )


def charger(config: ModbusChargerSettings, clock: Clock, elapsed: Elapsed) -> AlfenCharger:
    """A socket without vehicle."""
    evse = Evse(rated_a=config.rated_a, phases=config.phases, first_phase=config.first_phase)
    return AlfenCharger(
        id=config.id,
        listener=listener(config),
        evse=evse,
        validity_s=config.validity_s,
        safe_a=config.safe_a,
        elapsed=elapsed,
        clock=clock,
    )


def contacts(config: ContactsSettings, clock: Clock, elapsed: Elapsed) -> Contacts:
    """A remote I/O module with all its contacts open."""
    return Contacts(
        id=config.id,
        listener=listener(config),
        count=config.count,
        elapsed=elapsed,
        clock=clock,
    )


def cells(config: CellsSettings) -> Battery:
    """A battery, at the temperature around it."""
    traits = Traits(
        lowest_pct=config.lowest_pct,
        highest_pct=config.highest_pct,
        taper_from_pct=config.taper_from_pct,
        taper_below_pct=config.taper_below_pct,
        ramp_w_per_s=math.inf if config.ramp_w_per_s is None else config.ramp_w_per_s,
        reaction_s=config.reaction_s,
        standby_w=config.standby_w,
        resistive_loss=config.resistive_loss,
        ambient_c=config.ambient_c,
    )
    return Battery(
        capacity_wh=config.capacity_wh,
        max_charge_w=config.max_charge_w,
        max_discharge_w=config.max_discharge_w,
        soc_pct=config.soc_pct,
        efficiency=config.efficiency,
        traits=traits,
        temperature_c=20.0 if config.ambient_c is None else config.ambient_c,
    )


def pv(config: RoofSettings, depot: DepotSettings, now: datetime) -> Pv:
    """Modules under their own piece of sky, at `now` in second 0 unless the place says when."""
    return Pv(rated_w=config.rated_w, sky=_sky(config, depot, now))


def building(depot: DepotSettings, now: datetime) -> Building:
    """The uncontrolled load."""
    config = depot.building
    hour = now.hour + now.minute / 60.0 if config.start_hour is None else config.start_hour
    return Building(
        base_w=config.base_w,
        swing_w=config.swing_w,
        use=drift(depot, "building"),
        shape=config.shape,
        begin_s=hour * _HOUR_S,
        steps=tuple(Step(**step.model_dump()) for step in config.steps),
    )


def mains(depot: DepotSettings, elapsed: Elapsed) -> Mains:
    """The grid in front of the depot."""
    config = depot.grid
    grid = Grid(
        drift=drift(depot, "grid"),
        wander_hz=config.wander_hz,
        wander_v=config.wander_v,
        impedance_ohm=config.impedance_ohm,
    )
    return Mains(grid, elapsed)


def drift(depot: DepotSettings, what: str) -> Drift:
    """The wandering of one thing of this depot."""
    return Drift.seeded(f"{depot.seed}/{depot.site_id}/{what}", depot.drift_period_s)


def _sky(config: RoofSettings, depot: DepotSettings, now: datetime) -> Sky:
    moved = drift(depot, config.id)
    if config.sky == "drift" or depot.place is None:
        return DriftingSky(clearness=config.clearness, swing=config.swing, drift=moved)
    plane = Plane(
        latitude_deg=depot.place.latitude_deg,
        longitude_deg=depot.place.longitude_deg,
        tilt_deg=config.tilt_deg,
        azimuth_deg=config.azimuth_deg,
    )
    return RealSky(
        plane=plane,
        begin=depot.place.begin or now,
        clouds=moved,
        cover=config.cover,
        oversize=config.oversize,
        ambient_c=config.ambient_c,
    )
