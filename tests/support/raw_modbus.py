"""A Modbus peer made of raw bytes, so that it can be late, silent, mute or wrong on command.

It speaks MBAP on a socket, MBAP in TLS, RTU on a socket, and RTU on a pair of pseudo terminals.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pymodbus.framer import FramerRTU

from site_agent.devices.modbus.settings import Framing, LinkSettings, SerialLine, TlsFiles


class Wire(StrEnum):
    """How the peer is reached."""

    TCP = "tcp"
    TLS = "tls"
    RTU_TCP = "rtu over tcp"
    SERIAL = "serial"

    @property
    def rtu(self) -> bool:
        return self in (Wire.RTU_TCP, Wire.SERIAL)


def registers_at(address: int, count: int) -> list[int]:
    """Every register of the peer holds its own address, so a wrong answer shows."""
    return list(range(address, address + count))


def bits_at(address: int, count: int) -> list[bool]:
    """Every third bit is on."""
    return [place % 3 == 0 for place in range(address, address + count)]


@dataclass
class Request:
    """One request as it came, and the ways to answer it."""

    wire: Wire
    writer: asyncio.StreamWriter
    number: bytes
    unit: int
    pdu: bytes

    @property
    def function(self) -> int:
        return self.pdu[0]

    @property
    def address(self) -> int:
        return int.from_bytes(self.pdu[1:3], "big")

    @property
    def count(self) -> int:
        return int.from_bytes(self.pdu[3:5], "big")

    def right(self) -> bytes:
        """The PDU of the right answer."""
        if self.function in (1, 2):
            packed = sum(
                bit << place for place, bit in enumerate(bits_at(self.address, self.count))
            )
            body = packed.to_bytes((self.count + 7) // 8, "little")
        elif self.function in (3, 4):
            words = registers_at(self.address, self.count)
            body = b"".join(word.to_bytes(2, "big") for word in words)
        else:
            return self.pdu[:5]
        return bytes([self.function, len(body)]) + body

    def frame(self, pdu: bytes, *, number: bytes | None = None, unit: int | None = None) -> bytes:
        body = bytes([self.unit if unit is None else unit]) + pdu
        if self.wire.rtu:
            return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")
        return (self.number if number is None else number) + b"\0\0" + _word(len(body)) + body

    def send(self, pdu: bytes) -> None:
        self.writer.write(self.frame(pdu))

    def send_raw(self, data: bytes) -> None:
        self.writer.write(data)


Answer = Callable[[Request], Awaitable[None]]


async def properly(request: Request) -> None:
    request.send(request.right())


async def silently(request: Request) -> None:
    """No answer at all."""


async def as_another_unit(request: Request) -> None:
    request.send_raw(request.frame(request.right(), unit=request.unit + 1))


async def one_register_short(request: Request) -> None:
    pdu = request.right()
    request.send(bytes([pdu[0], pdu[1] - 2]) + pdu[2:-2])


async def cut_in_mid_frame(request: Request) -> None:
    frame = request.frame(request.right())
    request.send_raw(frame[: len(frame) // 2])


async def cut_and_hang_up(request: Request) -> None:
    await cut_in_mid_frame(request)
    request.writer.close()


async def claiming_a_huge_length(request: Request) -> None:
    if request.wire.rtu:
        request.send_raw(bytes([request.unit, request.function, 0xFF]) + bytes(600))
    else:
        head = request.number + b"\0\0\xff\xff"
        request.send_raw(head + bytes([request.unit, request.function, 0xFF]) + bytes(600))


def garbage(data: bytes) -> Answer:
    async def answer(request: Request) -> None:
        request.send_raw(data)

    return answer


def refusing(code: int) -> Answer:
    async def answer(request: Request) -> None:
        request.send(bytes([request.function | 0x80, code]))

    return answer


def held_back(kept: list[Request]) -> Answer:
    """Keep the request; somebody answers it later, or never."""

    async def answer(request: Request) -> None:
        kept.append(request)

    return answer


def after_the_late(kept: list[Request], *, renumbered: bool = False) -> Answer:
    """First the answer that was held back (perhaps numbered like this request), then our own."""

    async def answer(request: Request) -> None:
        old = kept.pop(0)
        number = request.number if renumbered else None
        old.writer.write(old.frame(old.right(), number=number))
        request.send(request.right())

    return answer


def dripping(pause: Callable[[], Awaitable[None]]) -> Answer:
    """A right answer, byte by byte."""

    async def answer(request: Request) -> None:
        frame = request.frame(request.right())
        for place in range(len(frame)):
            request.send_raw(frame[place : place + 1])
            await pause()

    return answer


@dataclass
class Peer:
    """Answers each request with the next of `script`, then as `otherwise`; `dead` units never."""

    wire: Wire
    script: list[Answer] = field(default_factory=list)
    otherwise: Answer = properly
    dead: set[int] = field(default_factory=set)
    seen: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    device: str = ""
    on_reconnect: Callable[[asyncio.StreamWriter], None] | None = None
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

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
                await self._answer(request)
        except (asyncio.IncompleteReadError, OSError, ValueError, IndexError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: Request) -> None:
        if request.unit in self.dead:
            return
        await (self.script.pop(0) if self.script else self.otherwise)(request)

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        if self.wire.rtu:
            body = await reader.readexactly(6)
            if body[1] == 16:
                size = await reader.readexactly(1)
                body += size + await reader.readexactly(size[0])
            crc = await reader.readexactly(2)
            assert crc == FramerRTU.compute_CRC(body).to_bytes(2, "big")
            return Request(self.wire, writer, b"", body[0], body[1:])
        head = await reader.readexactly(7)
        pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
        return Request(self.wire, writer, head[:2], head[6], pdu)

    async def requests(self, count: int) -> None:
        """Return once so many requests have come."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.seen) >= count)

    def settings(self, tls: TlsFiles | None = None, timeout_s: float = 0.15) -> LinkSettings:
        """How a link reaches it."""
        if self.wire is Wire.SERIAL:
            line = SerialLine(device=self.device, parity="N")  # a pseudo terminal has none
            return LinkSettings(serial=line, timeout_s=timeout_s)
        return LinkSettings(
            host="127.0.0.1",
            port=self.port,
            framing=Framing.RTU if self.wire.rtu else Framing.TCP,
            tls=tls if self.wire is Wire.TLS else None,
            timeout_s=timeout_s,
        )


@asynccontextmanager
async def serving(peer: Peer, context: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """The peer on its wire, at `peer.port` (if given) or `peer.device`; then gone, unplugged."""
    if peer.wire is Wire.SERIAL:
        async with _on_a_line(peer):
            yield
        return
    tls = context if peer.wire is Wire.TLS else None
    server = await asyncio.start_server(peer.serve, "127.0.0.1", peer.port, ssl=tls)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        for writer in peer.writers:
            writer.transport.abort()
        await server.wait_closed()


@asynccontextmanager
async def _on_a_line(peer: Peer) -> AsyncIterator[None]:
    """A pair of pseudo terminals; where `peer.device` names a path, that becomes a link to it."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    peer.device = _plugged_in(os.ttyname(theirs), peer.device)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    heard, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", 0)
    )
    said, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()),
        os.fdopen(os.dup(ours), "wb", 0),
    )
    writer = asyncio.StreamWriter(said, protocol, None, loop)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(peer.serve(reader, writer))
        try:
            yield
        finally:
            serving.cancel()
            heard.close()
            said.abort()
            os.close(theirs)


def _plugged_in(terminal: str, place: str) -> str:
    """Where it is found: `place`, if given, is made a link to it, as udev does."""
    if not place:
        return terminal
    Path(place).unlink(missing_ok=True)
    Path(place).symlink_to(terminal)
    return place


def _word(number: int) -> bytes:
    return number.to_bytes(2, "big")
