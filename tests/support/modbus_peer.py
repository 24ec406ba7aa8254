"""A Modbus peer made of a raw socket, so that it can be late, silent, mute or wrong on command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pymodbus.framer import FramerRTU

from site_agent.devices.modbus.link import Framing


def registers_at(address: int, count: int) -> list[int]:
    """Every register of the peer holds its own address, so a wrong answer shows."""
    return list(range(address, address + count))


@dataclass
class Request:
    """One request as it came, and the ways to answer it."""

    framing: Framing
    writer: asyncio.StreamWriter
    connection: int
    number: bytes
    unit: int
    pdu: bytes

    @property
    def address(self) -> int:
        return int.from_bytes(self.pdu[1:3], "big")

    @property
    def count(self) -> int:
        return int.from_bytes(self.pdu[3:5], "big")

    def right(self) -> bytes:
        """The PDU of the right answer."""
        if self.pdu[0] == 16:
            return self.pdu[:5]
        body = b"".join(word.to_bytes(2, "big") for word in registers_at(self.address, self.count))
        return bytes([3, len(body)]) + body

    def frame(self, pdu: bytes, *, number: bytes | None = None) -> bytes:
        if self.framing is Framing.RTU:
            body = bytes([self.unit]) + pdu
            return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")
        head = (self.number if number is None else number) + b"\0\0"
        return head + (len(pdu) + 1).to_bytes(2, "big") + bytes([self.unit]) + pdu

    def send(self, pdu: bytes) -> None:
        self.writer.write(self.frame(pdu))


Answer = Callable[[Request], Awaitable[None]]


async def properly(request: Request) -> None:
    request.send(request.right())


@dataclass
class Peer:
    """Answers each request with the next of `script`, then properly for ever."""

    framing: Framing
    script: list[Answer] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    on_reconnect: Callable[[asyncio.StreamWriter], None] | None = None
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @staticmethod
    async def silently(request: Request) -> None:
        """No answer at all."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        if self.on_reconnect is not None and self.connections > 1:
            self.on_reconnect(writer)
        try:
            while True:
                request = await self._receive(reader, writer)
                self.seen.append(request)
                async with self.arrived:
                    self.arrived.notify_all()
                await (self.script.pop(0) if self.script else properly)(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        connection = self.connections
        if self.framing is Framing.RTU:
            body = await reader.readexactly(6)
            if body[1] == 16:
                size = await reader.readexactly(1)
                body += size + await reader.readexactly(size[0])
            await reader.readexactly(2)
            return Request(self.framing, writer, connection, b"", body[0], body[1:])
        head = await reader.readexactly(7)
        pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
        return Request(self.framing, writer, connection, head[:2], head[6], pdu)

    async def requests(self, count: int) -> None:
        """Return once so many requests have come."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.seen) >= count)


@asynccontextmanager
async def serving(peer: Peer) -> AsyncIterator[None]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        for writer in peer.writers:
            writer.close()
        await server.wait_closed()
