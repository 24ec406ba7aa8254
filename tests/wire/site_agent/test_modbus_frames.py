"""The bytes of our requests, and of answers as real devices send them, in both framings.

Written out by hand from the Modbus specification and the SunSpec model definitions, so that no
codec checks itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from site_agent.devices.modbus.link import Framing, RegisterLink
from support.modbus_link import linked

READ_MARKER = {
    Framing.TCP: ("0001 0000 0006 01 03 9c40 0002", "0001 0000 0007 01 03 04 5375 6e53"),
    Framing.RTU: ("01 03 9c40 0002 eb8f", "01 03 04 5375 6e53 96f0"),
}
WRITE_TWO = {
    Framing.TCP: ("0001 0000 000b 11 10 0001 0002 04 000a 0102", "0001 0000 0006 11 10 0001 0002"),
    Framing.RTU: ("11 10 0001 0002 04 000a 0102 c6f0", "11 10 0001 0002 1298"),
}
"""The RTU pair is the example of "MODBUS over serial line", function 16."""


@asynccontextmanager
async def scripted(request: bytes, reply: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A peer that takes exactly `request` and answers `reply`, byte by byte."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readexactly(len(request)))
        for position in range(len(reply)):
            writer.write(reply[position : position + 1])
            await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def read_marker(link: RegisterLink) -> object:
    return await link.read_holding(1, 40000, 2)


async def write_two(link: RegisterLink) -> object:
    await link.write_registers(0x11, 1, [0x000A, 0x0102])
    return None


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize(
    ("frames", "act", "result"),
    [
        pytest.param(READ_MARKER, read_marker, (0x5375, 0x6E53), id="read"),
        pytest.param(WRITE_TWO, write_two, None, id="write"),
    ],
)
async def test_frames(
    framing: Framing,
    frames: dict[Framing, tuple[str, str]],
    act: Callable[[RegisterLink], Awaitable[object]],
    result: object,
) -> None:
    request, reply = (bytes.fromhex(text) for text in frames[framing])
    async with scripted(request, reply) as (port, heard), linked(port, framing, 1.0) as link:
        assert await act(link) == result
    assert heard == [request]
