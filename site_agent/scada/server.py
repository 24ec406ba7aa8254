"""The socket of the site's Modbus server: who is let in, and frames that are frames.

Written on plain sockets: pymodbus' server answers unknown units with a device failure and stamps
slow answers with the newest transaction id, and this one must be right with hostile clients.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import structlog

from contracts.errors import ConfigError
from contracts.time import Clock
from site_agent.scada.registers import SiteRegisters
from site_agent.scada.requests import answer, no_such_unit

_FRAME_S = 5.0
"""How long the rest of a frame, or taking an answer, may last, s."""
_REST_S = 0.02
"""After each answer: 50 requests a second and client are enough, and a flood delays nobody else."""
_COMPLAIN_S = 10.0
_HANDSHAKE_S = 10.0
_BUFFER = 1024
_HEAD = 7
_LONGEST = 254
"""Of what follows the length: unit and a PDU of at most 253 bytes (Messaging guide, 3.1.3)."""
_SHORTEST = 2
_OURS_TOO = (0, 255)
"""Unit ids that mean the server itself (Messaging guide, 4.4.2.2)."""

_log = structlog.get_logger(__name__)

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Where the server listens, and for whom. Empty networks: everybody."""

    host: str
    port: int
    unit: int
    clients: Networks = ()
    writers: Networks = ()
    most_clients: int = 8
    idle_s: float = 300.0
    context: ssl.SSLContext | None = None


class ScadaServer:
    """Answers control centres."""

    def __init__(self, config: ServerConfig, registers: SiteRegisters, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._registers = registers
        self._guests = 0
        self._quiet_until_s = 0.0
        self.port = config.port
        self.ready = asyncio.Event()
        """Set once clients can connect; `port` is then the real one."""

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            ConfigError: it cannot listen there.
        """
        config = self._config
        async with asyncio.TaskGroup() as group:
            try:
                server = await asyncio.start_server(
                    lambda reader, writer: group.create_task(self._guest(reader, writer)),
                    config.host,
                    config.port,
                    limit=_BUFFER,
                    ssl=config.context,
                    ssl_handshake_timeout=None if config.context is None else _HANDSHAKE_S,
                    start_serving=False,
                )
                await server.start_serving()
            except OSError as error:
                where = f"{config.host}:{config.port}"
                raise ConfigError(f"scada: cannot listen on {where}: {error.strerror}") from error
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            try:
                await asyncio.Future()
            finally:
                server.close()

    async def _guest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _address(writer)
        self._guests += 1
        try:
            if self._admitted(peer):
                await self._converse(reader, writer, may_write=_within(peer, self._config.writers))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            _log.debug("scada: a client has gone", peer=peer)
        except Exception:  # one client's fault must not stop the depot
            _log.exception("scada: a request failed", peer=peer)
        finally:
            self._guests -= 1
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    def _admitted(self, peer: str) -> bool:
        if not _within(peer, self._config.clients):
            self._complain("a client is not let in", peer)
            return False
        if self._guests > self._config.most_clients:
            self._complain("too many clients", peer)
            return False
        return True

    def _complain(self, words: str, peer: str) -> None:
        """One line in a while: whoever knocks all the time must not fill the log."""
        now_s = self._clock.monotonic()
        if now_s >= self._quiet_until_s:
            self._quiet_until_s = now_s + _COMPLAIN_S
            _log.warning(f"scada: {words}", peer=peer)

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, may_write: bool
    ) -> None:
        while True:
            async with asyncio.timeout(self._config.idle_s):
                first = await reader.readexactly(1)
            async with asyncio.timeout(_FRAME_S):
                head = first + await reader.readexactly(_HEAD - 1)
                length = int.from_bytes(head[4:6], "big")
                if head[2:4] != b"\0\0" or not _SHORTEST <= length <= _LONGEST:
                    self._complain("a client sent no Modbus frame", _address(writer))
                    return
                pdu = await reader.readexactly(length - 1)
                reply = self._reply(head[6], pdu, may_write=may_write)
                writer.write(head[:4] + (len(reply) + 1).to_bytes(2, "big") + head[6:] + reply)
                await writer.drain()
            await self._clock.sleep(_REST_S)

    def _reply(self, unit: int, pdu: bytes, *, may_write: bool) -> bytes:
        if unit != self._config.unit and unit not in _OURS_TOO:
            return no_such_unit(pdu)
        return answer(pdu, self._registers, may_write=may_write)


def _address(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def _within(peer: str, networks: Networks) -> bool:
    if not networks:
        return True
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((mapped or address) in network for network in networks)
