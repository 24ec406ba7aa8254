"""From the settings of chargers to the central system they connect to."""

from __future__ import annotations

from collections import defaultdict

from contracts.identity import client_context
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.config.devices import ChargerSettings, CloudSettings
from site_agent.devices.ocpp import security
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.domain.fleet.access import Access
from site_agent.ports import CloudQueue, KeyValues, SessionStore, Wake


def make_central(
    settings: SiteSettings,
    sessions: SessionStore,
    clock: Clock,
    wake: Wake,
    memory: KeyValues | None = None,
    clouds: CloudQueue | None = None,
    access: Access | None = None,
) -> CentralSystem:
    """The central system of the site's chargers; `access` None: as the settings say, for ever.

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
        access=access or settings.access_rules(),
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
