"""From configuration to devices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from contracts.time import Clock
from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import compose
from depot_sim.chargers.tls import TlsFiles
from depot_sim.config import (
    BatterySettings,
    CellsSettings,
    ChargerSettings,
    DepotSettings,
    ModbusSettings,
    MqttBatterySettings,
    MqttMeterSettings,
    MqttPvSettings,
    MqttSettings,
    PvSettings,
    VehicleSettings,
)
from depot_sim.modbus.listener import Listener
from depot_sim.mqtt.battery import MqttBattery
from depot_sim.mqtt.device import Broker
from depot_sim.mqtt.meter import MqttMeter
from depot_sim.mqtt.pv import MqttPv
from depot_sim.physics.battery import Battery
from depot_sim.physics.building import Building
from depot_sim.physics.drift import Drift
from depot_sim.physics.evse import Evse
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky
from depot_sim.physics.vehicle import Vehicle
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.sunspec.inverter import SunSpecInverter
from depot_sim.sunspec.inverter700 import SunSpecInverter700

Elapsed = Callable[[], float]


def vehicle(config: VehicleSettings, now: datetime) -> Vehicle:
    """A vehicle whose departure is counted from `now`."""
    after_s = config.departure_after_s
    departure = None if after_s is None else now + timedelta(seconds=after_s)
    values = config.model_dump(exclude={"departure_after_s"})
    return Vehicle(departure=departure, **values)


def charger(config: ChargerSettings, clock: Clock, seed: str = "") -> Charger:
    """A charger without vehicle."""
    evse = Evse(
        rated_a=config.rated_a,
        phases=config.phases,
        first_phase=config.first_phase,
        dc=config.dc,
        bidirectional=config.bidirectional,
    )
    spec = ChargerSpec(
        endpoint=Endpoint(
            url=config.url,
            charger_id=config.id,
            password=config.password,
            tls=TlsFiles(ca=config.ca, cert=config.cert, key=config.key),
        ),
        version=config.version,
        evses=dict.fromkeys(range(1, config.evses + 1), evse),
        personality=compose(config.personality),
        meter_interval_s=config.meter_interval_s,
        seed=seed,
        model=config.model,
    )
    return Charger(spec, clock)


def battery(
    config: BatterySettings, site_id: str, clock: Clock, elapsed: Elapsed
) -> SunSpecBattery | MqttBattery:
    """A battery on its protocol."""
    if isinstance(config, MqttBatterySettings):
        return MqttBattery(
            id=config.id,
            site_id=site_id,
            broker=_broker(config),
            battery=_cells(config),
            clock=clock,
            elapsed=elapsed,
            state_interval_s=config.state_interval_s,
            portal=config.portal,
        )
    return SunSpecBattery(
        id=config.id,
        listener=listener(config),
        battery=_cells(config),
        elapsed=elapsed,
        functions=config.functions,
        clock=clock,
    )


def inverter(
    config: PvSettings, depot: DepotSettings, clock: Clock, elapsed: Elapsed
) -> SunSpecInverter | SunSpecInverter700 | MqttPv:
    """A PV inverter under its own piece of sky."""
    pv = Pv(
        rated_w=config.rated_w,
        sky=DriftingSky(
            clearness=config.clearness, swing=config.swing, drift=_drift(depot, config.id)
        ),
    )
    if isinstance(config, MqttPvSettings):
        return MqttPv(
            id=config.id,
            site_id=depot.site_id,
            broker=_broker(config),
            pv=pv,
            clock=clock,
            elapsed=elapsed,
            state_interval_s=config.state_interval_s,
            portal=config.portal,
        )
    kind = SunSpecInverter700 if config.functions else SunSpecInverter
    return kind(id=config.id, listener=listener(config), pv=pv, elapsed=elapsed, clock=clock)


def meter(
    config: MqttMeterSettings, site_id: str, plant: Callable[[], Plant], clock: Clock
) -> MqttMeter:
    """One more meter of the plant, on MQTT."""
    return MqttMeter(
        id=config.id,
        site_id=site_id,
        broker=_broker(config),
        plant=plant,
        clock=clock,
        state_interval_s=config.state_interval_s,
        portal=config.portal,
    )


def building(depot: DepotSettings) -> Building:
    """The uncontrolled load."""
    use = _drift(depot, "building")
    return Building(base_w=depot.building.base_w, swing_w=depot.building.swing_w, use=use)


def listener(config: ModbusSettings) -> Listener:
    """Where a Modbus device listens."""
    return Listener(host=config.host, port=config.port, unit_id=config.unit_id)


def _broker(config: MqttSettings) -> Broker:
    return Broker(**config.broker.model_dump())


def _cells(config: CellsSettings) -> Battery:
    return Battery(
        capacity_wh=config.capacity_wh,
        max_charge_w=config.max_charge_w,
        max_discharge_w=config.max_discharge_w,
        soc_pct=config.soc_pct,
        efficiency=config.efficiency,
    )


def _drift(depot: DepotSettings, what: str) -> Drift:
    return Drift.seeded(f"{depot.seed}/{depot.site_id}/{what}", depot.drift_period_s)
