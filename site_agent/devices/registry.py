"""Which settings make which device: one line per kind, nothing registers itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from contracts.errors import ConfigError
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.config.buses import DlmsMeterSettings, MBusMeterSettings
from site_agent.config.devices import (
    BatterySettings,
    ChargerSettings,
    CloudSettings,
    ModbusSettings,
    MqttBatterySettings,
    MqttMeterSettings,
    MqttPvSettings,
    ProfileBatterySettings,
    ProfileChargerSettings,
    ProfileMeterSettings,
    ProfilePvSettings,
    ProfileSensorSettings,
    SensorSettings,
    SunSpecBatterySettings,
    SunSpecMeterSettings,
    SunSpecPvSettings,
    battery_spec,
    pv_spec,
)
from site_agent.config.mqtt import MqttDeviceSettings, MqttSensorSettings
from site_agent.devices.bms import BatteryWithBms
from site_agent.devices.buses import BusSources
from site_agent.devices.modbus.contacts import Contacts
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.modbus.plan import Table
from site_agent.devices.modbus.settings import link_settings
from site_agent.devices.mqtt import plan as mqtt
from site_agent.devices.mqtt.broker import BrokerAddress, SiteBroker
from site_agent.devices.mqtt.plan import MqttPlan
from site_agent.devices.ocpp import security
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.devices.ocpp.proxy.trust import client_context
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.points.battery import PointBattery
from site_agent.devices.points.charger import PointCharger
from site_agent.devices.points.meter import PointMeter
from site_agent.devices.points.pv import PointPv
from site_agent.devices.points.sensor import PointSensor
from site_agent.devices.points.source import Source
from site_agent.devices.profiles.sources import ProfileSources
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.functions import SunSpecFunctions
from site_agent.devices.sunspec.meter import SunSpecMeter
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.flows.telecontrol import Telecontrol
from site_agent.ports import (
    AutonomousFunctions,
    Battery,
    CloudQueue,
    KeyValues,
    Meter,
    PvInverter,
    Sensor,
    SessionStore,
    Wake,
)


class Workshop:
    """What factories share: clock, the loop's bell, a Modbus link per socket, broker, memory."""

    def __init__(
        self,
        site_id: str,
        clock: Clock,
        wake: Wake,
        broker: BrokerAddress | None = None,
        memory: KeyValues | None = None,
    ) -> None:
        self.site_id = site_id
        self.clock = clock
        self.wake = wake
        self.broker = broker
        self.memory = memory
        self.links: dict[str, RegisterLink] = {}
        self.buses = BusSources(clock, wake)
        self.profiles = ProfileSources(self.link, clock, wake)

    def link(self, settings: ModbusSettings) -> RegisterLink:
        """The link to this socket or serial line, made once: some devices let in one client only.

        Raises:
            ConfigError: its TLS files cannot be used, or two devices want another timeout,
                framing, ... of the same link.
        """
        wanted = link_settings(settings)
        link = self.links.get(wanted.where)
        if link is None:
            link = self.links[wanted.where] = RegisterLink(wanted, self.clock)
        if link.settings != wanted:
            raise ConfigError(f"{wanted.where}: its devices do not agree how it is spoken to")
        return link


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


def _mqtt_meter(shop: Workshop, settings: MqttMeterSettings) -> Meter:
    source = MqttPlan.of(shop.site_id, settings.id, "meter", settings).source(
        shop.broker, shop.clock
    )
    return PointMeter(
        source, name=settings.id, clock=shop.clock, wake=shop.wake, invert=settings.invert
    )


def _mqtt_battery(shop: Workshop, settings: MqttBatterySettings) -> Battery:
    plan = MqttPlan.of(shop.site_id, settings.id, "battery", settings)
    source = plan.source(shop.broker, shop.clock, settings.lease_s)
    return PointBattery(source, battery_spec(settings), clock=shop.clock, wake=shop.wake)


def _mqtt_pv(shop: Workshop, settings: MqttPvSettings) -> PvInverter:
    plan = MqttPlan.of(shop.site_id, settings.id, "pv", settings)
    source = plan.source(shop.broker, shop.clock, settings.lease_s)
    return PointPv(source, pv_spec(settings), clock=shop.clock, wake=shop.wake)


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


def _profile_meter(shop: Workshop, settings: ProfileMeterSettings) -> Meter:
    source = shop.profiles.source("meter", "meter", settings)
    return PointMeter(
        source, name="meter", clock=shop.clock, wake=shop.wake, invert=settings.invert
    )


def _profile_battery(shop: Workshop, settings: ProfileBatterySettings) -> Battery:
    source = shop.profiles.source(settings.id, "battery", settings)
    return PointBattery(source, battery_spec(settings), clock=shop.clock, wake=shop.wake)


def _profile_pv(shop: Workshop, settings: ProfilePvSettings) -> PvInverter:
    source = shop.profiles.source(settings.id, "pv", settings)
    return PointPv(source, pv_spec(settings), clock=shop.clock, wake=shop.wake)


def _bus_meter(shop: Workshop, settings: MBusMeterSettings | DlmsMeterSettings) -> Meter:
    source = shop.buses.source("meter", settings)
    return PointMeter(
        source, name="meter", clock=shop.clock, wake=shop.wake, invert=settings.invert
    )


def make_battery(shop: Workshop, settings: BatterySettings) -> Battery:
    """One battery, under its own management where that speaks on a wire of its own.

    Raises:
        ConfigError: its profile or database cannot be used, or a package is missing.
    """
    battery = BATTERIES[settings.kind](shop, settings)
    if settings.bms is None:
        return battery
    bms = shop.buses.source(f"{settings.id} bms", settings.bms)
    return BatteryWithBms(battery, bms, clock=shop.clock, wake=shop.wake)


def make_sensor(shop: Workshop, settings: SensorSettings) -> Sensor:
    """One sensor.

    Raises:
        ConfigError: its profile cannot be used, or a package is missing.
    """
    if isinstance(settings, ProfileSensorSettings):
        source: Source = shop.profiles.source(settings.id, "sensor", settings)
    elif isinstance(settings, MqttSensorSettings):
        plan = MqttPlan.of(shop.site_id, settings.id, "sensor", settings)
        source = plan.source(shop.broker, shop.clock)
    else:
        source = shop.buses.source(settings.id, settings)
    return PointSensor(source, name=settings.id, clock=shop.clock, wake=shop.wake)


def make_charger(
    shop: Workshop,
    site: SiteSettings,
    settings: ProfileChargerSettings,
    sessions: SessionStore,
) -> PointCharger:
    """One charger that speaks Modbus; raises as `make_sensor`."""
    source = shop.profiles.source(settings.id, "charger", settings)
    return PointCharger(
        source,
        site.charger_spec(settings),
        clock=shop.clock,
        wake=shop.wake,
        sessions=sessions,
        access=site.rules(),
    )


# Each takes the settings of its own kind, which the settings' `kind` has already decided.
METERS: Mapping[str, Callable[[Workshop, Any], Meter]] = {
    "sunspec": _sunspec_meter,
    "mqtt": _mqtt_meter,
    "profile": _profile_meter,
    "mbus": _bus_meter,
    "dlms": _bus_meter,
}
BATTERIES: Mapping[str, Callable[[Workshop, Any], Battery]] = {
    "sunspec": _sunspec_battery,
    "mqtt": _mqtt_battery,
    "profile": _profile_battery,
}
PV_INVERTERS: Mapping[str, Callable[[Workshop, Any], PvInverter]] = {
    "sunspec": _sunspec_pv,
    "mqtt": _mqtt_pv,
    "profile": _profile_pv,
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


def make_central(
    settings: SiteSettings,
    sessions: SessionStore,
    clock: Clock,
    wake: Wake,
    memory: KeyValues | None = None,
    clouds: CloudQueue | None = None,
) -> CentralSystem:
    """The central system of the site's chargers.

    Raises:
        ConfigError: the server's certificate or key cannot be read.
    """
    ocpp = settings.ocpp
    profile = Profile(ocpp.security_profile)
    held = stations(settings)
    security.check(profile, held, ocpp.host)
    return CentralSystem(
        held,
        sessions=sessions,
        access=settings.rules(),
        clock=clock,
        wake=wake,
        host=ocpp.host,
        port=ocpp.port,
        ssl_context=security.server_context(profile, ocpp.cert, ocpp.key, ocpp.client_ca),
        profile=profile,
        timing=Timing(lease_s=ocpp.lease_s, meter_interval_s=ocpp.meter_interval_s),
        memory=memory,
        clouds=clouds,
    )


def _cloud(station: str, cloud: CloudSettings) -> CloudConfig:
    secure = cloud.url.startswith("wss:")
    return CloudConfig(
        url=cloud.url,
        identity=cloud.identity or station,
        password=cloud.password,
        tls=client_context(cloud.ca, cloud.cert, cloud.key) if secure else None,
        final_word=FinalWord(cloud.final_word),
        firmware=cloud.firmware,
        patience_s=cloud.patience_s,
        most_kept=cloud.most_kept,
    )


def stations(settings: SiteSettings) -> list[StationConfig]:
    """The charging stations; EVSEs that name the same charge point belong together."""
    members: defaultdict[str, list[ChargerSettings]] = defaultdict(list)
    for charger in settings.ocpp_chargers:
        members[charger.station].append(charger)
    return [
        StationConfig(
            charge_point_id=station,
            evses={one.connector: settings.charger_spec(one) for one in evses},
            versions=tuple(Version(version) for version in evses[0].versions),
            password=evses[0].password,
            tolerant=evses[0].tolerant,
            cloud=None if evses[0].cloud is None else _cloud(station, evses[0].cloud),
        )
        for station, evses in members.items()
    ]
