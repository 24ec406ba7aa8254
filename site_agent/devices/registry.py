"""Which settings make which device: one line per kind, nothing registers itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from contracts.errors import ConfigError
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.config.devices import (
    ChargerSettings,
    CloudSettings,
    MeterSettings,
    ModbusSettings,
    MqttBatterySettings,
    PvSettings,
    SunSpecBatterySettings,
    battery_spec,
    pv_spec,
)
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.modbus.settings import link_settings
from site_agent.devices.mqtt.battery import MqttBattery
from site_agent.devices.mqtt.broker import BrokerAddress, SiteBroker
from site_agent.devices.ocpp import security
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.devices.ocpp.proxy.trust import client_context
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.functions import SunSpecFunctions
from site_agent.devices.sunspec.meter import SunSpecMeter
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.ports import (
    AutonomousFunctions,
    Battery,
    CloudQueue,
    KeyValues,
    Meter,
    PvInverter,
    SessionStore,
    Wake,
)


class Workshop:
    """What factories share: the clock, the loop's bell, one Modbus link per socket, the broker."""

    def __init__(
        self, site_id: str, clock: Clock, wake: Wake, broker: BrokerAddress | None = None
    ) -> None:
        self.site_id = site_id
        self.clock = clock
        self.wake = wake
        self.broker = broker
        self.links: dict[str, RegisterLink] = {}

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


def _sunspec_meter(shop: Workshop, settings: MeterSettings) -> Meter:
    return SunSpecMeter(
        shop.link(settings),
        settings.unit,
        name="meter",
        clock=shop.clock,
        wake=shop.wake,
        invert=settings.invert,
        period_s=settings.period_s,
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
    )


def _mqtt_battery(shop: Workshop, settings: MqttBatterySettings) -> Battery:
    if shop.broker is None:
        raise ValueError("an MQTT device before the broker is known")
    return MqttBattery(
        shop.broker,
        shop.site_id,
        battery_spec(settings),
        clock=shop.clock,
        wake=shop.wake,
        valid_for_s=settings.lease_s,
    )


def _sunspec_pv(shop: Workshop, settings: PvSettings) -> PvInverter:
    return SunSpecPv(
        shop.link(settings),
        settings.unit,
        pv_spec(settings),
        clock=shop.clock,
        wake=shop.wake,
        lease_s=settings.lease_s,
    )


# Each takes the settings of its own kind, which the settings' `kind` has already decided.
METERS: Mapping[str, Callable[[Workshop, Any], Meter]] = {"sunspec": _sunspec_meter}
BATTERIES: Mapping[str, Callable[[Workshop, Any], Battery]] = {
    "sunspec": _sunspec_battery,
    "mqtt": _mqtt_battery,
}
PV_INVERTERS: Mapping[str, Callable[[Workshop, Any], PvInverter]] = {"sunspec": _sunspec_pv}


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


def make_broker(settings: SiteSettings, clock: Clock) -> SiteBroker | None:
    """The site's own broker, when it has MQTT devices and no broker elsewhere."""
    devices = [one for one in settings.batteries if isinstance(one, MqttBatterySettings)]
    if not devices or not settings.mqtt.embedded:
        return None
    return SiteBroker(
        settings.site_id,
        {one.id: one.password for one in devices if one.password is not None},
        folder=settings.data / "mqtt",
        clock=clock,
        host=settings.mqtt.host,
        port=settings.mqtt.port,
    )


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
    for charger in settings.chargers:
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
