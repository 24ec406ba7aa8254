"""Settings of devices on MQTT and of the brokers they meet at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from site_agent.config.values import Host, PeerPort

TopicLevel = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]([A-Za-z0-9_.: -]{0,62}[A-Za-z0-9_-])?$")]
"""Part of one level of a topic, never a wildcard or more than a level."""
DeviceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")]
Secret = Annotated[str, Field(min_length=1, max_length=200)]


class _BrokerSettings(Settings):
    host: Host
    port: PeerPort = 1883
    username: str | None = None
    """Our login, with `password`."""
    password: Secret | None = Field(default=None, repr=False)
    tls: bool = False
    """The port for it is mostly 8883; the broker's certificate and name are checked."""
    ca: Path | None = None
    """Whom to trust; None: the system's roots."""
    cert: Path | None = None
    """With `key`: shown where the broker asks for a client certificate."""
    key: Path | None = None

    @model_validator(mode="after")
    def _cert_has_a_key(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together")
        return self


class BrokerSettings(_BrokerSettings):
    """An MQTT broker somewhere (MQTT 3.1.1)."""

    @model_validator(mode="after")
    def _tls_is_whole(self) -> BrokerSettings:
        if not self.tls and (self.ca is not None or self.cert is not None):
            raise ValueError("ca, cert and key need tls: true")
        return self


class MqttSettings(_BrokerSettings):
    """The site's broker: embedded (made and run by the agent) or its own, somewhere.

    An embedded one speaks TLS when it has `cert` and `key`; it has no `tls`, `ca` or login of ours.
    """

    host: Host = "127.0.0.1"
    """Embedded: the address it listens at."""
    port: Annotated[int, Field(ge=-1, le=65535)] = 1883
    """-1: any free one (embedded only)."""
    embedded: bool = True
    """False: everything else here is about a broker elsewhere."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> MqttSettings:
        if self.embedded and (self.username or self.password or self.tls or self.ca):
            raise ValueError("username, password, tls and ca are for a broker elsewhere")
        if not self.embedded:
            self.elsewhere()
        return self

    def elsewhere(self) -> BrokerSettings:
        """The same as any broker elsewhere; a ValueError names what does not fit."""
        return BrokerSettings.model_validate(self.model_dump(exclude={"embedded"}))


class MqttDeviceSettings(Settings):
    """What every device on MQTT has."""

    id: DeviceName
    """Also its user name at the embedded broker."""
    kind: Literal["mqtt"]
    map: str | Mapping[str, object]
    """The id of a topic map that comes with the agent, the path of one (`*.yaml`), or the map."""
    names: Mapping[Annotated[str, Field(pattern=r"^[a-z_]{1,20}$")], TopicLevel] = Field(
        default_factory=dict
    )
    """What stands for the placeholders of the map's topics, besides `site` and `device`."""
    password: Secret | None = Field(default=None, repr=False)
    """What it logs in with at the embedded broker."""
    broker: BrokerSettings | None = None
    """None: the site's; otherwise one of its own, such as that inside a Victron GX."""


class MqttSensorSettings(MqttDeviceSettings):
    """Something measured beside the power, on MQTT: a temperature, irradiance, a contact."""
