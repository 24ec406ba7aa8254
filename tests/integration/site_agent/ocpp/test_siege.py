"""Hostile peers of every kind; the charger beside them stays connected, steered and answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from site_agent.devices.ocpp import central
from support.ocpp_charger import RawCharger, limit
from support.ocpp_depot import QUICK, Depot, connected, depot, station
from support.waiting import until

pytestmark = pytest.mark.row("safety:S6")

_GOOD = "GOOD"
_PASSWORD = "right"
_IMPATIENT = replace(QUICK, handshake_s=2.0)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not close when told to is cut off sooner."""
    monkeypatch.setattr(central, "_CLOSE_TIMEOUT_S", 1.0)


@dataclass
class Siege:
    """A depot with a charging vehicle at `GOOD`; `BAD` is what the enemy knows."""

    site: Depot
    good: RawCharger
    _asked_a: float = 6.0

    async def good_is_served(self) -> None:
        """It is answered and steered, over the connection it had from the beginning."""
        self._asked_a += 1
        before = len(self.good.heard)
        assert "currentTime" in await self.good.call("Heartbeat", {})
        await self.site.ask(self._asked_a, "evse-2")
        sent = await self.good.hears_profile("TxProfile", after=before)
        assert limit(sent.get("csChargingProfiles", sent)) == self._asked_a
        state = self.site.state("evse-2")
        assert (state.online, state.confirmed_limit_a) == (True, self._asked_a)
        assert self.site.system.stations[_GOOD].generation == 1
        assert self.site.counts(_GOOD) == {}


@asynccontextmanager
async def siege() -> AsyncIterator[Siege]:
    stations = [station("BAD", 1), station(_GOOD, 2, password=_PASSWORD)]
    async with (
        depot(*stations, timing=_IMPATIENT) as site,
        connected(site, _GOOD, password=_PASSWORD) as good,
    ):
        await good.boot()
        await good.hears("TriggerMessage")
        await good.begin(site.clock)
        there = Siege(site, good)
        await there.good_is_served()
        yield there


async def ends(charger: RawCharger) -> int | None:
    async with asyncio.timeout(60):
        await charger.socket.wait_closed()
    return charger.socket.close_code


BAD_FRAMES: list[str | bytes] = [
    "[" * 100_000,
    '{"a":' * 40_000,
    '[2,"deep","Heartbeat",' + '{"a":' * 30_000 + "1" + "}" * 30_000 + "]",
    b"\x00" * 200_000,
    '[2,"' + "i" * 10_000 + '","Heartbeat",{}]',
    '[2,"nan","MeterValues",{"connectorId":NaN,"meterValue":[]}]',
    '[2,"inf","MeterValues",{"connectorId":-Infinity,"meterValue":[]}]',
    '[2,"big","MeterValues",{"connectorId":1e400,"meterValue":[]}]',
    '[2,"digits","MeterValues",{"connectorId":' + "9" * 5_000 + ',"meterValue":[]}]',
    '[2,"\\ud800","\\udfff",{"\\ud800":"\\ud800"}]',
    '[2,"lone","StartTransaction",{"connectorId":1,"idTag":"\\ud800","meterStart":0}]',
    '[2,"' + "a" * 200 + '","' + "x" * 200_000 + '",{}]',
    '[3,"never-asked",{}]',
    '[3,"never-asked",{"status":"Accepted"}]',
    '[4,"never-asked","GenericError","",{}]',
    '[3,"' + "i" * 10_000 + '",{}]',
    '[2,null,"Heartbeat",{}]',
    '[true,"bool","Heartbeat",{}]',
    "null",
    "[]",
]


async def test_no_frame_costs_anybody_else_anything() -> None:
    async with siege() as there, connected(there.site, "BAD") as bad:
        for frame in BAD_FRAMES:
            await bad.socket.send(frame)
            assert "currentTime" in await bad.call("Heartbeat", {})  # it is still there
        await there.good_is_served()
        assert sum(there.site.counts("BAD").values()) >= len(BAD_FRAMES) - 1
        assert max(len(line.text) for line in there.site.system.stations["BAD"].trace.frames) < 2e4


async def test_one_id_used_twice_is_answered_twice() -> None:
    async with siege() as there, connected(there.site, "BAD") as bad:
        for _ in range(2):
            await bad.socket.send('[2,"same","Heartbeat",{}]')
        await until(lambda: len(bad.stray) == 2)
        assert [frame[:2] for frame in bad.stray] == [[3, "same"]] * 2
        await there.good_is_served()


@pytest.mark.parametrize("size", [0, 1, 125])
async def test_a_message_without_end_costs_its_sender_the_connection(size: int) -> None:
    """Fragment after fragment, empty or not: there is a bound for their number and their size."""
    async with siege() as there:
        reader, writer = await opened(there.site, "BAD")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(0x01, b"["))
        await pour(writer, masked(0x00, b" " * size) * 500)
        await until(lambda: there.site.counts("BAD") == {"frame refused": 1})
        await there.good_is_served()


async def test_a_message_left_open_makes_nobody_wait() -> None:
    """Its sender falls silent in the middle: it is deaf, and others are not."""
    async with siege() as there:
        reader, writer = await opened(there.site, "BAD")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(0x01, b'[2,"x",'))
        await until(lambda: not there.site.state("evse-1").online)
        await there.good_is_served()
        writer.close()


async def test_ten_megabytes_cost_their_sender_the_connection() -> None:
    async with siege() as there, connected(there.site, "BAD") as bad:
        await bad.socket.send("y" * 10_000_000)
        assert await ends(bad) == 1009
        await there.good_is_served()


@pytest.mark.parametrize(
    "frame", [b'[2,"x","TakeOverTheWorld",{}]', b'[2,"x","Heartbeat",{}]', b'[3,"x",{}]', b"x"]
)
async def test_a_flood_costs_the_connection(frame: bytes) -> None:
    """It sends and never reads: CALLs, answers nobody asked for, or nonsense."""
    async with siege() as there:
        reader, writer = await opened(there.site, "BAD")
        await reader.readuntil(b"\r\n\r\n")
        await pour(writer, masked(0x81, frame) * 500)
        await until(lambda: there.site.counts("BAD").get("flood") == 1)
        await there.good_is_served()


async def test_pings_never_read_cost_the_connection() -> None:
    async with siege() as there:
        reader, writer = await opened(there.site, "BAD")
        await reader.readuntil(b"\r\n\r\n")
        await pour(writer, masked(0x89, b"p" * 125) * 500)
        await until(lambda: there.site.system.stations["BAD"].link is None)
        await there.good_is_served()


async def test_handshakes_that_never_end_are_cut_off() -> None:
    """Slow-loris: a byte now and then, and no end; and lines without one."""
    words = (b"", b"GET /ocpp/BAD HTT", b"GET /" + b"a" * 100_000, b"X: y\r\n" * 1000)
    async with siege() as there:
        async with asyncio.TaskGroup() as tasks:
            for slow in words:
                tasks.create_task(dawdle(there.site, slow))
        await until(lambda: there.site.system.gate.waiting == 0)
        await there.good_is_served()


async def test_thousands_of_idle_connections_keep_nobody_out() -> None:
    with capture_logs() as logs:
        await crowd()
    told = [line for line in logs if line["event"] == "too many handshakes at once"]
    assert told
    assert {line["peer"] for line in told} == {"127.0.0.1"}


async def crowd() -> None:
    async with siege() as there:
        gate, writers = there.site.system.gate, []
        for _ in range(1_500):
            _, writer = await asyncio.open_connection("127.0.0.1", there.site.system.port)
            writers.append(writer)
            assert gate.waiting <= 2 * 2 + 64
        await until(lambda: gate.turned_away > 0)
        await there.good_is_served()
        async with connected(there.site, "BAD") as late:  # one that has a right to come in
            assert (await late.boot())["status"] == "Accepted"
        for writer in writers:
            writer.close()
        await until(lambda: gate.waiting == 0)
        await there.good_is_served()


async def test_guessing_passwords_fills_no_log() -> None:
    async with siege() as there:
        with capture_logs() as logs:
            for number in range(150):
                with pytest.raises(InvalidStatus) as refusal:
                    async with connected(there.site, _GOOD, password=f"guess-{number}"):
                        pass
                assert refusal.value.response.status_code == 401
                with pytest.raises(InvalidStatus):
                    async with connected(there.site, f"STRANGER-{number}"):
                        pass
        told = [line for line in logs if line["log_level"] != "debug"]
        assert {line["event"] for line in told} == {
            "charger with a wrong password refused",
            "unknown charger refused",
        }
        spent_min = there.site.clock.monotonic() / 60
        assert len(told) <= 2 * (spent_min + 1)
        assert "guess-" not in json.dumps(told, default=str)
        await there.good_is_served()


async def test_two_sockets_of_one_enemy_end_each_other() -> None:
    async with siege() as there:
        for _ in range(20):
            async with connected(there.site, "BAD") as first, connected(there.site, "BAD") as next_:
                assert "currentTime" in await next_.call("Heartbeat", {})
                assert await ends(first) == 1008
        await there.good_is_served()


async def dawdle(site: Depot, words: bytes) -> None:
    """Say this much of a handshake and wait to be thrown out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.system.port)
    writer.write(words)
    async with asyncio.timeout(60):
        await rest(reader)
    writer.close()


async def opened(site: Depot, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket by hand, just asked for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.system.port, limit=4096)
    writer.write(
        f"GET /ocpp/{name} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
    )
    return reader, writer


def masked(first: int, payload: bytes) -> bytes:
    """A short frame of a client, with a mask that changes nothing."""
    return bytes([first, 0x80 | len(payload), 0, 0, 0, 0]) + payload


async def pour(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write without end and never read, until the other side has had enough."""
    try:
        async with asyncio.timeout(60):
            while True:
                writer.write(data)
                await writer.drain()
    except ConnectionError:
        writer.close()


async def rest(reader: asyncio.StreamReader) -> None:
    """Everything until the other side closes, in order or not."""
    try:
        while await reader.read(65_536):
            pass
    except ConnectionError:
        return
