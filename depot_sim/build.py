"""From configuration to devices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from contracts.time import Clock
from depot_sim import build_field
from depot_sim.build_field import Elapsed, FieldBattery, FieldInverter, FieldMeter
from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import compose
from depot_sim.chargers.tls import TlsFiles
from depot_sim.config import (
    BatterySettings,
    ChargerSettings,
    DepotSettings,
    MqttBatterySettings,
    MqttPvSettings,
    MqttSettings,
    PvSettings,
    SubMeters,
    VehicleSettings,
)
from depot_sim.config_field import MeterSettings
from depot_sim.mqtt.battery import MqttBattery
from depot_sim.mqtt.device import Broker
from depot_sim.mqtt.meter import MqttMeter
from depot_sim.mqtt.pv import MqttPv
from depot_sim.physics.evse import Evse
from depot_sim.physics.plant import Plant
from depot_sim.physics.vehicle import Vehicle


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
) -> FieldBattery | MqttBattery:
    """A battery on its protocol."""
    if not isinstance(config, MqttBatterySettings):
        return build_field.battery(config, clock, elapsed)
    return MqttBattery(
        id=config.id,
        site_id=site_id,
        broker=_broker(config),
        battery=build_field.cells(config),
        clock=clock,
        elapsed=elapsed,
        state_interval_s=config.state_interval_s,
        portal=config.portal,
    )


def inverter(
    config: PvSettings, depot: DepotSettings, clock: Clock, elapsed: Elapsed
) -> FieldInverter | MqttPv:
    """A PV inverter under its own piece of sky."""
    pv = build_field.pv(config, depot, clock.now())
    if not isinstance(config, MqttPvSettings):
        return build_field.inverter(config, pv, clock, elapsed)
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


def meter(
    config: SubMeters, site_id: str, plant: Callable[[], Plant], clock: Clock, elapsed: Elapsed
) -> FieldMeter | MqttMeter:
    """One more meter of what `plant` says."""
    if isinstance(config, MeterSettings):
        return build_field.meter(config, plant, clock, elapsed)
    return MqttMeter(
        id=config.id,
        site_id=site_id,
        broker=_broker(config),
        plant=plant,
        clock=clock,
        state_interval_s=config.state_interval_s,
        portal=config.portal,
    )


def _broker(config: MqttSettings) -> Broker:
    return Broker(**config.broker.model_dump())
