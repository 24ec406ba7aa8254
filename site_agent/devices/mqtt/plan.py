"""From settings to devices on MQTT: their maps, their topics, whom they meet at which broker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from contracts.errors import ConfigError
from contracts.identity import client_context
from contracts.mqtt_broker import BrokerTls
from contracts.time import Clock
from site_agent.config.mqtt import BrokerSettings, MqttDeviceSettings, MqttSettings
from site_agent.devices.mqtt import topics
from site_agent.devices.mqtt.broker import Access, BrokerAddress, SiteBroker
from site_agent.devices.mqtt.device import TopicSource, access, make_source
from site_agent.devices.mqtt.library import load_map
from site_agent.devices.mqtt.topic_map import TopicMap
from site_agent.domain.device import Lapse


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttPlan:
    """One device."""

    device_id: str
    topic_map: TopicMap
    names: Mapping[str, str]
    settings: MqttDeviceSettings

    @classmethod
    def of(
        cls, site_id: str, device_id: str, nature: str, settings: MqttDeviceSettings
    ) -> MqttPlan:
        """What the settings of one device mean.

        Raises:
            ConfigError: its map cannot be read, is of another nature, needs other names, or has
                setpoints that stay although the settings say that they lapse.
        """
        topic_map = load_map(settings.map)
        if topic_map.nature != nature:
            raise ConfigError(
                f"{device_id}: map {topic_map.id} is of a {topic_map.nature}, not of a {nature}"
            )
        if odd := settings.names.keys() - set(topic_map.names):
            raise ConfigError(f"{device_id}: map {topic_map.id} has no {', '.join(sorted(odd))}")
        if topic_map.lapse == "none" and getattr(settings, "lapse", None) is Lapse.DEVICE:
            raise ConfigError(
                f"{device_id}: setpoints of map {topic_map.id} never end by themselves; say "
                "`lapse: none`, so that the site counts on it"
            )
        names = {**settings.names, "site": site_id, "device": device_id}
        plan = cls(device_id=device_id, topic_map=topic_map, names=names, settings=settings)
        plan.access()
        return plan

    @property
    def where(self) -> tuple[str, int] | None:
        """The broker of its own, if it has one."""
        own = self.settings.broker
        return None if own is None else (own.host, own.port)

    def access(self) -> Access:
        """Its topics, and its login at the site's own broker."""
        return access(
            self.topic_map, self.names, name=self.device_id, password=self.settings.password
        )

    def source(
        self, broker: BrokerAddress | None, clock: Clock, valid_for_s: float = 30.0
    ) -> TopicSource:
        """The device; `broker` is the site's, for those that have none of their own.

        Raises:
            ConfigError: certificates cannot be read.
        """
        own = self.settings.broker
        where = address(own) if own is not None else broker
        if where is None:
            raise ValueError("an MQTT device before the broker is known")
        return make_source(
            where,
            self.topic_map,
            self.names,
            name=self.device_id,
            clock=clock,
            valid_for_s=valid_for_s,
        )

    def values(self) -> Iterator[tuple[str, str]]:
        """Topic and pointer of everything that makes a value."""
        for point in self.topic_map.points.values():
            yield topics.fill(point.topic, self.names), point.pointer or ""

    def commands(self) -> Iterator[str]:
        """The topics of its controls."""
        for control in self.topic_map.controls.values():
            for topic in control.topics:
                yield topics.fill(topic, self.names)


def check_claims(plans: Sequence[MqttPlan]) -> None:
    """Refuse two devices that are one: of one name, told on one topic, or read from one value.

    Raises:
        ConfigError: there are such.
    """
    for one, other in combinations(plans, 2):
        if one.device_id == other.device_id:
            raise ConfigError(f"two devices on MQTT are called {one.device_id!r}")
        if one.where != other.where:
            continue
        for topic in set(one.commands()) & set(other.commands()):
            raise ConfigError(f"{one.device_id} and {other.device_id} are both told on {topic}")
        for topic, pointer in one.values():
            for another, same in other.values():
                if pointer == same and topics.overlap(topic, another):
                    raise ConfigError(
                        f"{one.device_id} and {other.device_id} both read {another} {pointer}"
                    )


def address(broker: BrokerSettings) -> BrokerAddress:
    """A broker elsewhere.

    Raises:
        ConfigError: certificates cannot be read.
    """
    return BrokerAddress(
        host=broker.host,
        port=broker.port,
        username=broker.username,
        password=broker.password,
        tls=client_context(broker.ca, broker.cert, broker.key) if broker.tls else None,
    )


def site_address(settings: MqttSettings) -> BrokerAddress:
    """The site's broker, when it is elsewhere; raises as `address`."""
    return address(settings.elsewhere())


def site_broker(
    settings: MqttSettings, devices: Sequence[Access], *, folder: Path, clock: Clock
) -> SiteBroker:
    """The site's broker, when it is embedded; raises as `SiteBroker`."""
    tls = None
    if settings.cert is not None and settings.key is not None:
        tls = BrokerTls(cert=settings.cert, key=settings.key)
    return SiteBroker(
        devices, folder=folder, clock=clock, host=settings.host, port=settings.port, tls=tls
    )
