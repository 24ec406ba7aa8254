"""Which settings make which device: one line per kind, nothing registers itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.config.buses import DlmsMeterSettings, MBusMeterSettings
from site_agent.config.devices import (
    BatterySettings,
    MqttBatterySettings,
    MqttMeterSettings,
    MqttPvSettings,
    ProfileBatterySettings,
    ProfileChargerSettings,
    ProfileMeterSettings,
    ProfilePvSettings,
    SensorSettings,
    SunSpecBatterySettings,
    SunSpecMeterSettings,
    SunSpecPvSettings,
    battery_spec,
    pv_spec,
)
from site_agent.config.mqtt import MqttDeviceSettings
from site_agent.devices.bms import BatteryWithBms
from site_agent.devices.modbus.contacts import Contacts
from site_agent.devices.modbus.plan import Table
from site_agent.devices.mqtt import plan as mqtt
from site_agent.devices.mqtt.broker import SiteBroker
from site_agent.devices.mqtt.plan import MqttPlan
from site_agent.devices.points.battery import PointBattery
from site_agent.devices.points.charger import PointCharger
from site_agent.devices.points.meter import PointMeter
from site_agent.devices.points.pv import PointPv
from site_agent.devices.points.sensor import PointSensor
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.functions import SunSpecFunctions
from site_agent.devices.sunspec.meter import SunSpecMeter
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.devices.workshop import Workshop
from site_agent.domain.fleet.access import Access
from site_agent.flows.orders.telecontrol import Telecontrol
from site_agent.ports import (
    AutonomousFunctions,
    Battery,
    KeyValues,
    Meter,
    PvInverter,
    Sensor,
    SessionStore,
)


def _sunspec_meter(shop: Workshop, settings: SunSpecMeterSettings) -> Meter:
    return SunSpecMeter(
        shop.link(settings),
        settings.unit,
        name="meter",
        clock=shop.clock,
        wake=shop.wake,
        invert=settings.invert,
        period_s=settings.period_s,
        max_age_s=settings.max_age_s,
    )


def _sunspec_battery(shop: Workshop, settings: SunSpecBatterySettings) -> Battery:
    return SunSpecBattery(
        shop.link(settings),
        settings.unit,
        battery_spec(settings),
        clock=shop.clock,
        wake=shop.wake,
        lease_s=settings.lease_s,
        invert_setpoint=settings.invert_setpoint,
        hybrid=settings.hybrid,
        memory=shop.memory,
    )


def _sunspec_pv(shop: Workshop, settings: SunSpecPvSettings) -> PvInverter:
    return SunSpecPv(
        shop.link(settings),
        settings.unit,
        pv_spec(settings),
        clock=shop.clock,
        wake=shop.wake,
        lease_s=settings.lease_s,
        memory=shop.memory,
    )


def _meter(
    shop: Workshop,
    settings: MqttMeterSettings | ProfileMeterSettings | MBusMeterSettings | DlmsMeterSettings,
) -> Meter:
    name = settings.id if isinstance(settings, MqttMeterSettings) else "meter"
    source = shop.source(name, "meter", settings)
    return PointMeter(source, name=name, clock=shop.clock, wake=shop.wake, invert=settings.invert)


def _battery(shop: Workshop, settings: MqttBatterySettings | ProfileBatterySettings) -> Battery:
    source = shop.source(settings.id, "battery", settings, settings.lease_s)
    return PointBattery(source, battery_spec(settings), clock=shop.clock, wake=shop.wake)


def _pv(shop: Workshop, settings: MqttPvSettings | ProfilePvSettings) -> PvInverter:
    source = shop.source(settings.id, "pv", settings, settings.lease_s)
    return PointPv(source, pv_spec(settings), clock=shop.clock, wake=shop.wake)


def make_battery(shop: Workshop, settings: BatterySettings) -> Battery:
    """One battery, under its own management where that speaks on a wire of its own.

    Raises:
        ConfigError: its profile or database cannot be used, or a package is missing.
    """
    battery = BATTERIES[settings.kind](shop, settings)
    if settings.bms is None:
        return battery
    bms = shop.source(f"{settings.id} bms", "battery", settings.bms)
    return BatteryWithBms(battery, bms, clock=shop.clock, wake=shop.wake)


def make_sensor(shop: Workshop, settings: SensorSettings) -> Sensor:
    """One sensor.

    Raises:
        ConfigError: its profile cannot be used, or a package is missing.
    """
    source = shop.source(settings.id, "sensor", settings)
    return PointSensor(source, name=settings.id, clock=shop.clock, wake=shop.wake)


def make_charger(
    shop: Workshop,
    site: SiteSettings,
    settings: ProfileChargerSettings,
    sessions: SessionStore,
    access: Access | None = None,
) -> PointCharger:
    """One charger that speaks Modbus (`access` as in `make_central`); raises as `make_sensor`."""
    source = shop.source(settings.id, "charger", settings)
    return PointCharger(
        source,
        site.charger_spec(settings),
        clock=shop.clock,
        wake=shop.wake,
        sessions=sessions,
        access=access or site.access_rules(),
    )


# Each takes the settings of its own kind, which the settings' `kind` has already decided.
METERS: Mapping[str, Callable[[Workshop, Any], Meter]] = {
    "sunspec": _sunspec_meter,
    "mqtt": _meter,
    "profile": _meter,
    "mbus": _meter,
    "dlms": _meter,
}
BATTERIES: Mapping[str, Callable[[Workshop, Any], Battery]] = {
    "sunspec": _sunspec_battery,
    "mqtt": _battery,
    "profile": _battery,
}
PV_INVERTERS: Mapping[str, Callable[[Workshop, Any], PvInverter]] = {
    "sunspec": _sunspec_pv,
    "mqtt": _pv,
    "profile": _pv,
}


def make_functions(
    shop: Workshop, settings: SiteSettings, memory: KeyValues
) -> dict[str, AutonomousFunctions]:
    """Autonomous functions of the devices that may have any, by device id: those on SunSpec."""
    inverters = [one for one in (*settings.batteries, *settings.pv) if one.kind == "sunspec"]
    return {
        one.id: SunSpecFunctions(
            shop.link(one), one.unit, device_id=one.id, memory=memory, clock=shop.clock
        )
        for one in inverters
    }


def make_contacts(
    shop: Workshop, settings: SiteSettings, telecontrol: Telecontrol
) -> list[Contacts]:
    """What listens to the network operator's contacts."""
    return [
        Contacts(
            shop.link(one),
            one.unit,
            Table.COILS if one.table == "coils" else Table.DISCRETE,
            one.table_of_contacts(),
            name=one.id,
            idle=one.idle,
            heard=partial(telecontrol.heard, one.id),
            period_s=one.period_s,
            clock=shop.clock,
            wake=shop.wake,
        )
        for one in settings.telecontrol
        if one.kind == "contacts"
    ]


def make_broker(settings: SiteSettings, clock: Clock) -> SiteBroker | None:
    """The site's own broker, when it has devices for it and none elsewhere.

    Raises:
        ConfigError: a topic map cannot be used, or two devices claim the same topic.
    """
    plans = [
        MqttPlan.of(settings.site_id, one.id, nature, one)
        for nature, devices in (
            ("meter", (settings.meter,)),
            ("battery", settings.batteries),
            ("pv", settings.pv),
            ("sensor", settings.sensors),
        )
        for one in devices
        if isinstance(one, MqttDeviceSettings)
    ]
    mqtt.check_claims(plans)
    ours = [plan.access() for plan in plans if plan.where is None]
    if not ours or not settings.mqtt.embedded:
        return None
    return mqtt.site_broker(settings.mqtt, ours, folder=settings.data / "mqtt", clock=clock)
