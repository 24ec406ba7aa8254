"""The site's own MQTT broker: the MQTT listener of a nats-server that belongs to this agent.

**When the agent dies** its broker dies with it; devices reconnect when both are back, and their
setpoints lapse meanwhile. A site that has a broker of its own gives its address instead.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.mqtt_broker import MqttUser, mqtt_config
from contracts.nats_server import NatsServer
from contracts.time import Clock
from site_agent.devices.mqtt.payloads import topic

AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a broker listens, and our login there if it asks for one."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class SiteBroker:
    """A supervised broker for the devices of one site.

    `passwords` has one entry per device (its asset id is its user name), and each may speak on its
    own topics only. The agent's own password is made anew at every start. `port` -1 takes any free
    one and keeps it over restarts of the broker.

    Raises:
        ConfigError: an id that cannot be a topic level.
    """

    def __init__(
        self,
        site_id: str,
        passwords: Mapping[str, str],
        *,
        folder: Path,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = -1,
    ) -> None:
        self._host = host
        self._password = secrets.token_urlsafe(24)
        users = [
            _agent(site_id, self._password),
            *(_device(site_id, asset_id, password) for asset_id, password in passwords.items()),
        ]
        config = mqtt_config(store=folder / "messages", users=users, host=host, port=port)
        self._server = NatsServer(config, folder, clock)
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
            host=self._host, port=self.port, username=AGENT, password=self._password
        )


def _agent(site_id: str, password: str) -> MqttUser:
    topic(site_id, AGENT)
    every = f"depot/{site_id}/+"
    return MqttUser(
        name=AGENT,
        password=password,
        publish=(f"{every}/cmd",),
        subscribe=tuple(f"{every}/{kind}" for kind in ("state", "status", "ack")),
    )


def _device(site_id: str, asset_id: str, password: str) -> MqttUser:
    own = topic(site_id, asset_id)
    return MqttUser(
        name=asset_id,
        password=password,
        publish=tuple(f"{own}/{kind}" for kind in ("state", "status", "ack")),
        subscribe=(f"{own}/cmd",),
    )
