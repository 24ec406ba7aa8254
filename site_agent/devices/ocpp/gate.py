"""What strangers may cost: handshakes under way, memory of a connection, lines in the log."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.typing import DataLike

from site_agent.devices.ocpp.wire.line import Line

_QUIET_S = 60.0
_log = structlog.get_logger(__name__)


class Gate:
    """Lets only so many connections at once be without a finished handshake.

    One too many costs the one that has waited longest: a charger is through within moments, and
    whoever holds connections open keeps nobody else out.
    """

    def __init__(self, most: int, refusals: Refusals) -> None:
        self._most = most
        self._refusals = refusals
        self._waiting: dict[Guarded, None] = {}
        self.turned_away = 0
        """How many have had to go."""

    @property
    def waiting(self) -> int:
        """Connections that have not finished their handshake."""
        return len(self._waiting)

    def enter(self, connection: Guarded) -> None:
        """A connection has been opened."""
        self._waiting[connection] = None
        if len(self._waiting) > self._most:
            oldest = next(iter(self._waiting))
            self.leave(oldest)
            self.turned_away += 1
            self._refusals.note("too many handshakes at once", peer=peer(oldest))
            oldest.transport.abort()

    def leave(self, connection: Guarded) -> None:
        """Its handshake is over, or it has gone."""
        self._waiting.pop(connection, None)


class Guarded(Line, ServerConnection):
    """A connection that stands at the gate first and piles nothing up in our memory."""

    def __init__(self, *args: object, gate: Gate, **more: object) -> None:
        super().__init__(*args, **more)
        self._gate = gate

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP (or TLS) connection stands."""
        super().connection_made(transport)
        self._gate.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._gate.leave(self)
        super().connection_lost(exc)

    def admitted(self) -> None:
        """The handshake is over."""
        self._gate.leave(self)

    async def ping(self, data: DataLike | None = None) -> Awaitable[float]:
        """Nobody waits for pongs: those that never come are forgotten."""
        self.pending_pings.clear()
        return await super().ping(data)


class Refusals:
    """Tells of those turned away: one line a minute for each reason, with how many there were."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told_s: dict[str, float] = {}
        self._untold: Counter[str] = Counter()

    def note(self, reason: str, **details: object) -> None:
        """Somebody is turned away; `details` are told of the one that gets the line."""
        self._untold[reason] += 1
        told_s, now_s = self._told_s.get(reason), self._monotonic()
        if told_s is None or now_s - told_s >= _QUIET_S:
            self._told_s[reason] = now_s
            _log.warning(reason, times=self._untold.pop(reason), **details)


def peer(connection: ServerConnection) -> str:
    """The address it comes from; empty once it has gone."""
    address = connection.remote_address
    return str(address[0]) if address else ""
