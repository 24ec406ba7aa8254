"""Serial lines and sockets as byte streams: bounded, and gone when they are gone."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import Iterator

import pytest

from contracts.errors import LinkDownError
from site_agent.devices.streams import SerialPlace, TcpPlace, open_stream

FLOOD = 200_000


@pytest.fixture
def line() -> Iterator[tuple[int, SerialPlace]]:
    """Our end of a serial line, and where the other end is."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, SerialPlace(device=os.ttyname(theirs), parity="N")  # a pty has no parity
    os.close(ours)
    os.close(theirs)


async def test_what_is_said_is_heard_both_ways(line: tuple[int, SerialPlace]) -> None:
    ours, place = line
    stream = await open_stream(place, 1.0)
    stream.send(b"ping")
    assert await asyncio.to_thread(os.read, ours, 10) == b"ping"
    os.write(ours, b"pong!")
    assert await stream.read_exactly(4) == b"pong"
    assert await stream.read_exactly(1) == b"!"
    stream.close()
    with pytest.raises(LinkDownError):
        stream.send(b"more")
    with pytest.raises(LinkDownError):
        await stream.read_exactly(1)


async def test_a_flood_waits_outside_and_nothing_of_it_is_lost(
    line: tuple[int, SerialPlace],
) -> None:
    ours, place = line
    stream = await open_stream(place, 1.0)
    flooding = asyncio.create_task(asyncio.to_thread(_write_all, ours, bytes(FLOOD)))
    await asyncio.sleep(0.2)
    assert not flooding.done()  # nobody reads: the line is full
    for _ in range(FLOOD // 1000):
        assert await stream.read_exactly(1000) == bytes(1000)
    await flooding
    stream.close()


async def test_a_line_that_is_unplugged() -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    stream = await open_stream(SerialPlace(device=os.ttyname(theirs), parity="N"), 1.0)
    os.close(theirs)
    reading = asyncio.create_task(stream.read_exactly(1))
    await asyncio.sleep(0)
    os.close(ours)
    with pytest.raises(LinkDownError):
        await reading
    stream.close()


async def test_no_such_place() -> None:
    with pytest.raises(LinkDownError, match="cannot be opened"):
        await open_stream(SerialPlace(device="/dev/no-such-line"), 1.0)
    with pytest.raises(LinkDownError, match="cannot be opened"):
        await open_stream(SerialPlace(device=__file__), 1.0)  # no serial line
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    with pytest.raises(LinkDownError, match="cannot be reached"):
        await open_stream(TcpPlace(host="127.0.0.1", port=port), 1.0)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data[:1000]) :]
