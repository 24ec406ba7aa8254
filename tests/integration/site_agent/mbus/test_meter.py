"""An M-Bus meter read over real sockets and serial lines, in good days and bad ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from contracts.clock import SystemClock
from contracts.errors import LinkDownError, ProtocolError, TransientError
from depot_sim.faults import FaultKind
from depot_sim.mbus.bus import MBus
from depot_sim.mbus.meter import MBusMeter
from depot_sim.mbus.telegram import Measured
from site_agent.devices.mbus.link import LinkSettings, MBusLink, MeterAddress
from site_agent.devices.mbus.source import MBusSource
from site_agent.devices.points.meter import PointMeter
from site_agent.devices.streams import Place, SerialPlace, TcpPlace
from support.fast_clock import FastClock
from support.waiting import until

CLOCK = SystemClock()
FIRST = MeterAddress(primary=1)
TIMEOUT_S = 0.7
pytestmark = pytest.mark.xdist_group("realtime")  # answers have to come within it


class World:
    """Two meters; what they measure can be changed."""

    def __init__(self) -> None:
        self.power_w = 3000.0
        self.clock = FastClock(20)
        self.meters = [
            MBusMeter(
                id=f"meter-{primary}",
                primary=primary,
                identification=f"1234567{primary}",
                measure=self.measure,
                elapsed=CLOCK.monotonic,
            )
            for primary in (1, 2)
        ]
        self.bus = MBus(self.meters, CLOCK)

    def measure(self) -> Measured:
        each = self.power_w / 3
        return Measured(
            phases_w=(each, each, each),
            phases_a=(each / 230,) * 3,
            voltage_v=230.0,
            import_wh=1e9,
            export_wh=7.0,
        )

    def link(self, place: Place) -> MBusLink:
        return MBusLink(LinkSettings(place=place, timeout_s=TIMEOUT_S), self.clock)


@pytest.fixture(params=["tcp", "pty"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def serving(world: World, wire: str = "tcp") -> AsyncIterator[Place]:
    if wire == "pty":
        async with world.bus.serving_pty() as device:
            yield SerialPlace(device=device, parity="N")  # a pty has no parity
    else:
        async with world.bus.serving_tcp("127.0.0.1", 0) as (host, port):
            yield TcpPlace(host=host, port=port)


async def test_all_telegrams_of_a_meter(wire: str) -> None:
    world = World()
    async with serving(world, wire) as place:
        link = world.link(place)
        for _ in range(2):  # a readout always begins with the first telegram
            first, second = await link.read(FIRST)
            assert first.more
            assert not second.more
            assert [one.value for one in first.records] == [1e9, 7, 3000]
            assert second.records[0].value == 1000
        link.close()


@pytest.mark.parametrize("secondary", ["12345672", "1234567F2D4D0102", "FFFFFFF2FFFFFFFF"])
async def test_a_meter_selected_by_its_secondary_address(secondary: str) -> None:
    world = World()
    world.meters[0].fail(FaultKind.OFFLINE, None)
    async with serving(world) as place:
        link = world.link(place)
        (first, _) = await link.read(MeterAddress(secondary=secondary))
        assert first.identification == "12345672"
        link.close()


@pytest.mark.row("trap:B2")
@pytest.mark.parametrize(
    ("wire", "kind", "error"),
    [
        ("tcp", FaultKind.OFFLINE, TransientError),
        ("tcp", FaultKind.GARBLED, ProtocolError),
        ("tcp", FaultKind.NONSENSE, ProtocolError),
        ("tcp", FaultKind.WRONG_UNIT, ProtocolError),
        ("pty", FaultKind.OFFLINE, TransientError),
    ],
    indirect=["wire"],
)
async def test_a_meter_that_fails_and_comes_back(
    wire: str, kind: FaultKind, error: type[Exception]
) -> None:
    world = World()
    async with serving(world, wire) as place:
        link = world.link(place)
        world.meters[0].fail(kind, None)
        with pytest.raises(error):
            await link.read(FIRST)
        assert len(await link.read(MeterAddress(primary=2))) == 2  # the others are still read
        world.meters[0].fail(kind, 0)
        assert len(await link.read(FIRST)) == 2
        link.close()


@pytest.mark.row("trap:B2")
async def test_two_meters_that_answer_at_once_are_not_believed() -> None:
    world = World()
    async with serving(world) as place:
        link = world.link(place)
        with pytest.raises(ProtocolError):
            await link.read(MeterAddress(secondary="FFFFFFFF"))
        link.close()


async def test_a_late_answer_does_not_become_that_of_the_next_question() -> None:
    world = World()
    async with serving(world) as place:
        link = world.link(place)
        await link.read(FIRST)
        world.meters[0].fail(FaultKind.LATE, None, 1.5 * TIMEOUT_S)
        with pytest.raises(TransientError):
            await link.read(FIRST)
        world.meters[0].fail(FaultKind.LATE, 0)
        first, second = await link.read(MeterAddress(primary=2))
        assert {first.identification, second.identification} == {"12345672"}
        link.close()


async def test_a_cancelled_readout_leaves_no_answer_behind() -> None:
    world = World()
    async with serving(world) as place:
        link = world.link(place)
        world.meters[0].fail(FaultKind.LATE, None, 0.5 * TIMEOUT_S)
        reading = asyncio.create_task(link.read(FIRST))
        await asyncio.sleep(0.2 * TIMEOUT_S)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        world.meters[0].fail(FaultKind.LATE, 0)
        assert (await link.read(MeterAddress(primary=2)))[0].identification == "12345672"
        link.close()


async def test_a_silent_meter_rests_so_that_others_are_not_held_up() -> None:
    world = World()
    world.clock = FastClock(1)
    world.meters[0].fail(FaultKind.OFFLINE, None)
    async with serving(world) as place:
        link = world.link(place)
        for _ in range(2):
            with pytest.raises(TransientError, match="answer"):
                await link.read(FIRST)
        with pytest.raises(TransientError, match="rests"):
            await link.read(FIRST)
        link.close()


async def test_a_bus_that_is_gone_is_no_fault_of_its_meters() -> None:
    """So they need no rest and are read as soon as it is back."""
    world = World()
    async with serving(world) as place:
        gone = place
    for nowhere in (gone, SerialPlace(device="/dev/no-such-line")):
        link = world.link(nowhere)
        for _ in range(4):
            with pytest.raises(LinkDownError):
                await link.read(FIRST)


@asynccontextmanager
async def metering(world: World, place: Place) -> AsyncIterator[PointMeter]:
    wakes: list[None] = []
    wake: Callable[[], None] = lambda: wakes.append(None)  # noqa: E731
    source = MBusSource(
        world.link(place),
        FIRST,
        name="meter",
        clock=world.clock,
        wake=wake,
        period_s=1.0,
        max_age_s=5.0,
    )
    meter = PointMeter(source, name="meter", clock=world.clock, wake=wake)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(meter.run())
        yield meter
        running.cancel()


@pytest.mark.row("trap:B1")
async def test_a_meter_of_the_site(wire: str) -> None:
    world = World()
    async with serving(world, wire) as place, metering(world, place) as meter:

        def shows(power_w: float) -> bool:
            return meter.state(world.clock.now()).power_w.value == power_w

        await until(lambda: shows(3000))
        state = meter.state(world.clock.now())
        assert [one.value for one in state.current_a] == pytest.approx([4.348] * 3)
        assert state.import_wh.value == 1e9
        world.power_w = -3000
        await until(lambda: shows(-3000))
        current_a = meter.state(world.clock.now()).current_a[0].value
        assert current_a == pytest.approx(-4.348)


async def test_a_gateway_that_is_unplugged_and_comes_back() -> None:
    world = World()
    async with serving(world) as place:
        assert isinstance(place, TcpPlace)
        host, port = place.host, place.port
    async with metering(world, place) as meter:

        def known() -> bool:
            return meter.state(world.clock.now()).power_w.quality.usable

        for _ in range(2):
            async with world.bus.serving_tcp(host, port):
                await until(known)
            await until(lambda: not known())
