"""The site's own MQTT broker: the MQTT listener of a nats-server that belongs to this agent.

**When the agent dies** its broker dies with it; devices reconnect when both are back, and their
setpoints lapse meanwhile. A site that has a broker of its own gives its address instead.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contracts.errors import ConfigError
from contracts.identity import client_context
from contracts.mqtt_broker import BrokerTls, MqttUser, mqtt_config
from contracts.nats_server import NatsServer
from contracts.time import Clock

AGENT = "agent"
_ANY = ("0.0.0.0", "::")  # noqa: S104 - listening everywhere, we are next to it


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a broker listens, and our login there if it asks for one."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    """None: not over TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The topics of one device: what it says and what it is told; `password` None: not here."""

    name: str
    password: str | None = field(default=None, repr=False)
    says: tuple[str, ...]
    told: tuple[str, ...] = ()


class SiteBroker:
    """A supervised broker for the devices of one site.

    Each device logs in by its id and may speak and hear on its own topics only; the agent hears
    what devices say and tells them what they are told, and nothing else. The agent's own password
    is made anew at every start. `port` -1 takes any free one and keeps it over restarts of the
    broker.

    Raises:
        ConfigError: a topic that a NATS broker cannot express (a dot, a blank).
    """

    def __init__(
        self,
        devices: Sequence[Access],
        *,
        folder: Path,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = -1,
        tls: BrokerTls | None = None,
    ) -> None:
        self._password = secrets.token_urlsafe(24)
        self._tls = None if tls is None else _pinned(tls.cert)
        users = [_agent(devices, self._password), *_logins(devices)]
        config = mqtt_config(store=folder / "messages", users=users, host=host, port=port, tls=tls)
        self._server = NatsServer(config, folder, clock)
        self._host = "127.0.0.1" if host in _ANY else host
        self.ready = self._server.ready
        """Set while devices can connect."""

    async def run(self) -> None:
        """Keep the broker up until cancelled, then stop it; raises as `NatsServer.run`."""
        await self._server.run()

    @property
    def port(self) -> int:
        """Where devices connect; known once `ready` was set."""
        return self._server.mqtt_port

    @property
    def address(self) -> BrokerAddress:
        """The agent's own way in; known once `ready` was set."""
        return BrokerAddress(
            host=self._host, port=self.port, username=AGENT, password=self._password, tls=self._tls
        )


def _pinned(cert: Path) -> ssl.SSLContext:
    """Trusts our own broker's certificate alone, whatever name and issuer it has."""
    context = client_context(cert)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _agent(devices: Sequence[Access], password: str) -> MqttUser:
    return MqttUser(
        name=AGENT,
        password=password,
        publish=_all(one.told for one in devices),
        subscribe=_all(one.says for one in devices),
    )


def _logins(devices: Sequence[Access]) -> Iterator[MqttUser]:
    for one in devices:
        if one.name == AGENT:
            raise ConfigError(f"a device cannot be called {AGENT!r}")
        if one.password is not None:
            yield MqttUser(
                name=one.name, password=one.password, publish=one.says, subscribe=one.told
            )


def _all(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(topic for topics in lists for topic in topics))
