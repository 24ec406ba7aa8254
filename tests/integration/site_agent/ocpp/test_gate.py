"""What one connection may pile up in memory, and how refusals are told."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, serve

from site_agent.devices.ocpp.gate import Gate, Guarded, Refusals
from support.waiting import until

pytestmark = pytest.mark.row("safety:S6")

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.mark.row("pitfall:P12")
async def test_pongs_that_never_come_are_not_waited_for() -> None:
    gate, pending = Gate(1, Refusals(lambda: 0.0)), asyncio.Queue[int]()

    async def serving(socket: ServerConnection) -> None:
        for _ in range(50):
            await socket.ping()
            pending.put_nowait(len(socket.pending_pings))

    guarded: Any = partial(Guarded, gate=gate)
    async with serve(
        serving, "127.0.0.1", 0, create_connection=guarded, ping_interval=None, close_timeout=0.1
    ) as server:
        _, port = next(iter(server.sockets)).getsockname()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HANDSHAKE)
        async with asyncio.timeout(60):
            counts = [await pending.get() for _ in range(50)]
        writer.close()
        assert counts == [1] * 50
        await until(lambda: gate.waiting == 0)


def test_refusals_are_told_once_a_minute_and_counted() -> None:
    now_s = 0.0
    refusals = Refusals(lambda: now_s)
    with capture_logs() as logs:
        for now_s in (0.0, 1.0, 59.9, 60.0, 61.0):
            refusals.note("unknown charger refused", charge_point=f"CP{now_s}")
        refusals.note("another reason")
    told = [(line["event"], line["times"], line.get("charge_point")) for line in logs]
    assert told == [
        ("unknown charger refused", 1, "CP0.0"),
        ("unknown charger refused", 3, "CP60.0"),
        ("another reason", 1, None),
    ]
