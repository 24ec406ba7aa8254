"""What all devices of a site share, and the one place that knows which wire a setting means."""

from __future__ import annotations

from contracts.errors import ConfigError
from contracts.time import Clock
from site_agent.config.buses import CanSettings, DlmsSettings, MBusSettings
from site_agent.config.devices import ModbusSettings, ProfileSettings
from site_agent.config.mqtt import MqttDeviceSettings
from site_agent.devices.buses import BusSources
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.modbus.settings import link_settings
from site_agent.devices.mqtt.broker import BrokerAddress
from site_agent.devices.mqtt.plan import MqttPlan
from site_agent.devices.points.source import Source
from site_agent.devices.profiles.schema import Nature
from site_agent.devices.profiles.sources import ProfileSources
from site_agent.ports import KeyValues, Wake

_USUAL_LEASE_S = 30.0


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
        self._buses = BusSources(clock, wake)
        self._profiles = ProfileSources(self.link, clock, wake)

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

    def source(
        self,
        name: str,
        nature: Nature,
        settings: MqttDeviceSettings | ProfileSettings | MBusSettings | CanSettings | DlmsSettings,
        lease_s: float = _USUAL_LEASE_S,
    ) -> Source:
        """What brings the points of a device, by the wire that its settings name.

        `lease_s`: how long a setpoint may last there without us.

        Raises:
            ConfigError: its profile, map or database cannot be used, or a package is missing.
        """
        if isinstance(settings, MqttDeviceSettings):
            plan = MqttPlan.of(self.site_id, settings.id, nature, settings)
            return plan.source(self.broker, self.clock, lease_s)
        if isinstance(settings, ProfileSettings):
            return self._profiles.source(name, nature, settings)
        return self._buses.source(name, settings)
