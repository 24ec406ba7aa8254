"""A DLMS/COSEM meter read over real sockets, in good days and bad ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from contracts.clock import SystemClock
from contracts.errors import GridyardError, LinkDownError, ProtocolError, TransientError
from depot_sim.dlms.framing import Framing, Hdlc, Wrapper
from depot_sim.dlms.meter import DlmsMeter, Register
from depot_sim.dlms.server import DlmsServer
from depot_sim.faults import FaultKind
from site_agent.devices.dlms.session import MeterSession, SessionSettings
from site_agent.devices.dlms.source import DlmsSource
from site_agent.devices.dlms.values import DEFAULT_OBIS
from site_agent.devices.points.meter import PointMeter
from support.fast_clock import FastClock
from support.waiting import until

REAL = SystemClock()
pytestmark = pytest.mark.xdist_group("realtime")
W, WH, A, V = 27, 30, 33, 35
FRAMINGS: dict[str, Callable[[], Framing]] = {"wrapper": Wrapper, "hdlc": Hdlc}
Kind = Literal["wrapper", "hdlc"]


def obis(c: int, d: int) -> bytes:
    return bytes([1, 0, c, d, 0, 255])


def nothing() -> None:
    """Nobody is woken."""


class World:
    """A meter with both directions of power, as most have them."""

    def __init__(self, password: str | None = None) -> None:
        self.power_w = 3000.0
        self.clock = FastClock(20)
        self.meter = DlmsMeter(
            id="meter", measure=self.measure, elapsed=REAL.monotonic, password=password
        )

    def measure(self) -> dict[bytes, Register]:
        return {
            obis(1, 8): Register(value=123_456_000, unit=WH, scaler=3),
            obis(2, 8): Register(value=7000, unit=WH),
            obis(1, 7): Register(value=max(0.0, self.power_w), unit=W),
            obis(2, 7): Register(value=max(0.0, -self.power_w), unit=W),
            obis(31, 7): Register(value=abs(self.power_w) / 690, unit=A, scaler=-2),
            obis(32, 7): Register(value=231.5, unit=V, scaler=-1),
        }

    @asynccontextmanager
    async def serving(self, kind: Kind = "wrapper") -> AsyncIterator[tuple[str, int]]:
        server = DlmsServer(self.meter, FRAMINGS[kind], REAL)
        async with server.serving("127.0.0.1", 0) as place:
            yield place


@pytest.fixture(params=["wrapper", "hdlc"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return "hdlc" if request.param == "hdlc" else "wrapper"


def settings(
    place: tuple[str, int],
    kind: Kind = "wrapper",
    password: str | None = None,
    timeout_s: float = 10.0,
) -> SessionSettings:
    host, port = place
    return SessionSettings(
        host=host, port=port, framing=kind, password=password, timeout_s=timeout_s
    )


@pytest.mark.row("trap:B4")
@pytest.mark.parametrize("password", [None, "12345678"])
async def test_registers_are_read_by_their_obis_codes(kind: Kind, password: str | None) -> None:
    world = World(password)
    async with world.serving(kind) as place:
        session = MeterSession(settings(place, kind, password))
        for _ in range(12):  # HDLC's sequence numbers go round
            read = await asyncio.to_thread(session.read, DEFAULT_OBIS)
        session.drop()
    assert {name: value for name, (value, _) in read.items()} == pytest.approx(
        {
            "import_energy": 123_456_000,
            "export_energy": 7000,
            "import_power": 3000,
            "export_power": 0,
            "current_l1": 4.35,
            "voltage_l1": 231.5,
        }
    )
    assert [unit for _, unit in read.values()] == ["Wh", "Wh", "W", "W", "A", "V"]
    # what the meter has not got is asked for once, and scales are not asked for again
    assert world.meter.asked.count(obis(16, 7)) == 1
    assert world.meter.asked.count(obis(1, 8)) == 13


@pytest.mark.parametrize("password", [None, "wrong"])
async def test_a_meter_that_does_not_let_us_in(password: str | None) -> None:
    world = World("12345678")
    async with world.serving() as place:
        session = MeterSession(settings(place, password=password))
        with pytest.raises(ProtocolError, match="Association"):
            await asyncio.to_thread(session.read, DEFAULT_OBIS)


@pytest.mark.row("trap:B4")
@pytest.mark.parametrize(
    ("kind", "fault", "errors"),
    [
        ("wrapper", FaultKind.OFFLINE, (TransientError,)),
        ("wrapper", FaultKind.CUT, (LinkDownError,)),
        ("wrapper", FaultKind.NONSENSE, (ProtocolError,)),
        ("hdlc", FaultKind.GARBLED, (TransientError, ProtocolError)),
        ("hdlc", FaultKind.NONSENSE, (ProtocolError,)),
    ],
)
async def test_a_meter_that_fails_and_comes_back(
    kind: Kind, fault: FaultKind, errors: tuple[type[GridyardError], ...]
) -> None:
    world = World()
    async with world.serving(kind) as place:
        session = MeterSession(settings(place, kind, timeout_s=2.0))
        await asyncio.to_thread(session.read, DEFAULT_OBIS)
        world.meter.fail(fault, None)
        with pytest.raises(errors):
            await asyncio.to_thread(session.read, DEFAULT_OBIS)
        world.meter.fail(fault, 0)
        assert await asyncio.to_thread(session.read, DEFAULT_OBIS)
        session.drop()


async def test_a_late_answer_does_not_become_that_of_the_next_question() -> None:
    world = World()
    async with world.serving() as place:
        session = MeterSession(settings(place, timeout_s=1.0))
        await asyncio.to_thread(session.read, {"import_energy": "1-0:1.8.0"})
        world.meter.fail(FaultKind.LATE, None, 1.5)
        with pytest.raises(TransientError):
            await asyncio.to_thread(session.read, {"import_energy": "1-0:1.8.0"})
        world.meter.fail(FaultKind.LATE, 0)
        read = await asyncio.to_thread(session.read, {"voltage_l1": "1-0:32.7.0"})
        ((value, unit),) = read.values()
        assert (value, unit) == (231.5, "V")
        session.drop()


async def test_a_readout_can_be_ended() -> None:
    world = World()
    world.meter.fail(FaultKind.OFFLINE, None)
    async with world.serving() as place:
        session = MeterSession(settings(place, timeout_s=30.0))
        reading = asyncio.create_task(asyncio.to_thread(session.read, DEFAULT_OBIS))
        await asyncio.sleep(0.3)
        session.close()
        with pytest.raises(LinkDownError):
            await reading


@pytest.mark.row("trap:B4")
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"\x00" * 64, id="zeros"),
        pytest.param(b"\x00\x01\x00\x01\x00\x10\xff\xff\x61\x84" + b"\xff" * 70_000, id="huge"),
        pytest.param(b"\x7e" * 100_000, id="flags"),
        pytest.param(b"\x00\x01\x00\x01\x00\x10\x00\x02\x61\x7f", id="length"),
    ],
)
async def test_hostile_replies_end_in_time(kind: Kind, reply: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(reply)
        await reader.read(1000)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        session = MeterSession(settings((host, port), kind, timeout_s=0.5))
        with pytest.raises(GridyardError):
            await asyncio.to_thread(session.read, DEFAULT_OBIS)


@pytest.mark.row("trap:B4")
async def test_a_meter_of_the_site(kind: Kind) -> None:
    world = World()
    async with world.serving(kind) as place:
        source = DlmsSource(
            settings(place, kind), name="meter", clock=world.clock, wake=nothing, period_s=1.0
        )
        meter = PointMeter(source, name="meter", clock=world.clock, wake=nothing)

        def shows(power_w: float) -> bool:
            return meter.state(world.clock.now()).power_w.value == power_w

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(meter.run())
            await until(lambda: shows(3000))
            state = meter.state(world.clock.now())
            assert state.import_wh.value == 123_456_000
            assert state.current_a[0].value == pytest.approx(4.35)
            world.power_w = -3000
            await until(lambda: shows(-3000))
            running.cancel()


async def test_nothing_of_a_password_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    world = World("do-not-tell")
    async with world.serving() as place:
        session = MeterSession(settings(place, password="do-not-tell"))
        await asyncio.to_thread(session.read, DEFAULT_OBIS)
        session.drop()
    assert "do-not-tell" not in repr(session._settings)
    assert "do-not-tell" not in "".join(capfd.readouterr())
