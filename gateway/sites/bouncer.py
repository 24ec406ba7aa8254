"""Our own broker turns people away: a new configuration, and a signal to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from contracts.nats_server import NatsServer


class Bouncer:
    """`gateway.ports.Door`; `config` makes the broker's configuration for these revocations."""

    def __init__(
        self,
        broker: NatsServer,
        config: Callable[[Mapping[str, datetime]], Mapping[str, object]],
    ) -> None:
        self._broker = broker
        self._config = config

    async def shut_out(self, revoked: Mapping[str, datetime]) -> None:
        """See `gateway.ports.Door.shut_out`."""
        await self._broker.reload(self._config(revoked))
