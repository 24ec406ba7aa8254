"""A battery management system heard on CAN: python-can's virtual bus, and an SLCAN adapter."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import can
import pytest
from structlog.testing import capture_logs

from contracts.clock import SystemClock
from contracts.errors import TransientError
from contracts.reading import Quality, Reading
from contracts.time import Clock
from depot_sim.can.bms import CanBms
from depot_sim.can.slcan import SlcanAdapter
from depot_sim.faults import FaultKind
from depot_sim.physics.battery import Battery as Cells
from site_agent.devices.bms import BatteryWithBms
from site_agent.devices.can.bus import BusSettings
from site_agent.devices.can.signals import POWERS
from site_agent.devices.can.source import CanSource
from site_agent.devices.leased import PATIENCE_S
from site_agent.domain.device import BatterySetpoint, BatterySpec, BatteryState
from support.fast_clock import FastClock
from support.waiting import until

REAL = SystemClock()
SPEC = BatterySpec(
    battery_id="bess", node="pcc", capacity_wh=20_000, max_charge_w=5000, max_discharge_w=5000
)


class Inverter:
    """The battery's power on another wire: it does what it is told, or fails."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.spec = SPEC
        self.power_w = 0.0
        self.deaf = False
        self.attempts = 0
        self.told: list[BatterySetpoint] = []

    async def run(self) -> None:
        await asyncio.Event().wait()

    def state(self, now: datetime) -> BatteryState:
        power_w = Reading(value=self.power_w, quality=Quality.GOOD, at=now)
        return BatteryState(
            spec=SPEC, online=True, power_w=power_w, soc_pct=replace(power_w, value=12.0)
        )

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        self.attempts += 1
        if self.deaf:
            raise TransientError("no answer")
        self.told.append(setpoint)
        self.power_w = setpoint.power_w


class World:
    """A battery, its management system, and whoever listens to it."""

    def __init__(self, speed: float = 10) -> None:
        self.clock = FastClock(speed)
        self.cells = Cells(
            capacity_wh=20_000, max_charge_w=4000, max_discharge_w=3000, soc_pct=60.0
        )
        self.bms = CanBms(id="bess", battery=lambda: self.cells, elapsed=REAL.monotonic)
        self.inverter = Inverter(self.clock)
        self.wakes = 0

    def wake(self) -> None:
        self.wakes += 1

    def source(self, where: BusSettings, *, keep_alive: bool = False) -> CanSource:
        return CanSource(where, name="bms", clock=self.clock, keep_alive=keep_alive)

    def fresh(self, source: CanSource, point: str) -> float | None:
        return source.board.fresh(point, self.clock.now())

    def shows(self, source: CanSource, point: str, value: float) -> bool:
        return self.fresh(source, point) == pytest.approx(value, rel=0.01)


@asynccontextmanager
async def on_virtual(
    world: World, say: Callable[[], Mapping[int, bytes]] | None = None
) -> AsyncIterator[BusSettings]:
    """What the management says, or `say`, on python-can's virtual bus."""
    channel = uuid4().hex
    says = say or world.bms.frames
    with can.Bus(interface="virtual", channel=channel) as bus:

        async def speak() -> None:
            while True:
                for number, data in says().items():
                    bus.send(can.Message(arbitration_id=number, data=data, is_extended_id=False))
                await world.clock.sleep(0.5)

        async with running(speak()):
            yield BusSettings(interface="virtual", channel=channel)


@asynccontextmanager
async def on_slcan(world: World) -> AsyncIterator[BusSettings]:
    """The frames behind an adapter on a TCP port."""
    adapter = SlcanAdapter([world.bms], world.clock, every_s=0.5)
    async with adapter.serving("127.0.0.1", 0) as (host, port):
        yield slcan(host, port)


def slcan(host: str, port: int) -> BusSettings:
    return BusSettings(
        interface="slcan",
        channel=f"socket://{host}:{port}",
        options={"sleep_after_open": 0.0},
    )


@asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        yield
        task.cancel()


@pytest.mark.row("trap:B3")
@pytest.mark.parametrize("wire", [on_virtual, on_slcan])
async def test_a_battery_tells_what_it_may(
    wire: Callable[[World], AbstractAsyncContextManager[BusSettings]],
) -> None:
    world = World()
    async with wire(world) as where:
        source = world.source(where)
        async with running(source.run()):
            await until(lambda: world.shows(source, "max_charge_power", 4000))
            assert world.shows(source, "max_discharge_power", 3000)
            await until(lambda: world.shows(source, "soc", 60))
            await until(lambda: world.shows(source, "dc_voltage", 52.2))
            await until(lambda: world.shows(source, "fault", 0))
            assert source.answers
            world.bms.fail(FaultKind.DERATED, None, 0.1)
            await until(lambda: world.shows(source, "max_charge_power", 400))
            world.bms.fail(FaultKind.ALARM, None)
            await until(lambda: world.shows(source, "fault", 1))
            world.bms.fail(FaultKind.ALARM, 0)
            await until(lambda: world.shows(source, "fault", 0))


@pytest.mark.row("trap:B3")
async def test_silence_is_noticed() -> None:
    world = World()
    async with on_slcan(world) as where:
        source = world.source(where)
        async with running(source.run()):
            await until(lambda: source.answers)
            world.bms.fail(FaultKind.OFFLINE, None)
            await until(lambda: not source.answers)
            assert world.fresh(source, "max_charge_power") is None
            world.bms.fail(FaultKind.OFFLINE, 0)
            await until(lambda: source.answers)


@pytest.fixture
def sockets_collected() -> Iterator[None]:
    """pyserial leaves the socket of a lost connection to the garbage collector."""
    yield
    gc.collect()


@pytest.mark.usefixtures("sockets_collected")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_an_adapter_that_is_unplugged_and_comes_back() -> None:
    world = World()
    adapter = SlcanAdapter([world.bms], world.clock, every_s=0.5)
    async with adapter.serving("127.0.0.1", 0) as place:
        pass
    source = world.source(slcan(*place))
    async with running(source.run()):
        for _ in range(2):
            async with adapter.serving(*place):
                await until(lambda: source.answers)
            await until(lambda: not source.answers)


async def test_a_bus_that_does_not_exist_is_tried_again_and_harms_nobody() -> None:
    world = World(speed=100)
    source = world.source(BusSettings(interface="slcan", channel="/dev/no-such-line"))
    async with running(source.run()):
        await world.clock.sleep(10)
        assert not source.answers


@pytest.mark.row("trap:B3")
@pytest.mark.parametrize("kind", [FaultKind.NONSENSE, FaultKind.GARBLED])
async def test_numbers_no_battery_has_allow_nothing(kind: FaultKind) -> None:
    world = World()
    async with on_slcan(world) as where:
        source = world.source(where)
        battery = BatteryWithBms(world.inverter, source, clock=world.clock, wake=world.wake)
        async with running(battery.run()):
            await until(lambda: world.shows(source, "max_charge_power", 4000))
            world.bms.fail(kind, None)
            await until(lambda: battery.state(world.clock.now()).soc_pct.value is None)
            await battery.set_power(BatterySetpoint(battery_id="bess", power_w=3000, cause="x"))
            await until(lambda: world.inverter.power_w == 0)


class Keeping(Inverter):
    """Keeps its last setpoint for ever, unless it is ended."""

    async def close(self) -> None:
        self.power_w = 0.0


@pytest.mark.parametrize(("kind", "left_w"), [(Keeping, 0.0), (Inverter, 2000.0)])
async def test_an_orderly_stop_ends_what_the_inverter_would_keep(
    kind: type[Inverter], left_w: float
) -> None:
    world = World()
    world.inverter = kind(world.clock)
    async with on_virtual(world) as where:
        source = world.source(where)
        battery = BatteryWithBms(world.inverter, source, clock=world.clock, wake=world.wake)
        async with running(battery.run()):
            await until(lambda: world.shows(source, "max_charge_power", 4000))
            await battery.set_power(BatterySetpoint(battery_id="bess", power_w=2000, cause="x"))
            await battery.close()
            assert world.inverter.power_w == left_w


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_keep_alive_frame_is_sent_where_it_is_asked_for(wanted: bool) -> None:
    world = World()
    async with on_slcan(world) as where:
        source = world.source(where, keep_alive=wanted)
        async with running(source.run()):
            await until(lambda: source.answers)
            if wanted:
                await until(lambda: world.bms.keep_alives >= 3)
            await world.clock.sleep(5)
            assert bool(world.bms.keep_alives) is wanted


async def test_a_flood_is_bounded_and_the_newest_counts() -> None:
    world = World(speed=1)
    channel = uuid4().hex
    source = world.source(BusSettings(interface="virtual", channel=channel))
    with can.Bus(interface="virtual", channel=channel) as bus:

        def flood() -> None:
            for number in range(8_000):
                for frame in (0x355, 0x123):
                    soc = 77 if number == 7_999 else number % 50
                    data = bytes([soc, 0, 100, 0])
                    bus.send(can.Message(arbitration_id=frame, data=data, is_extended_id=False))

        async with running(source.run()):
            await asyncio.sleep(0.2)  # the source opens its end
            await asyncio.to_thread(flood)
            await until(lambda: world.shows(source, "soc", 77))
            assert source.refused_frames == 0


@pytest.mark.row("trap:B3")
async def test_limits_bind_at_once() -> None:
    world = World()
    async with on_slcan(world) as where:
        source = world.source(where)
        battery = BatteryWithBms(world.inverter, source, clock=world.clock, wake=world.wake)

        async def ask(power_w: float) -> None:
            await battery.set_power(BatterySetpoint(battery_id="bess", power_w=power_w, cause="x"))

        def state() -> BatteryState:
            return battery.state(world.clock.now())

        await ask(3000)
        assert world.inverter.told[-1].power_w == 0  # nothing is known yet
        assert not state().online
        async with running(battery.run()):
            await until(lambda: state().online and state().spec.max_charge_w > 3900)
            assert state().soc_pct.value == 60  # the cells know better than the inverter
            await ask(3000)
            assert world.inverter.told[-1].power_w == 3000
            await ask(-9000)
            assert world.inverter.told[-1].power_w == pytest.approx(-3000, rel=0.01)
            await ask(3000)

            wakes = world.wakes
            world.bms.fail(FaultKind.DERATED, None, 0.25)
            await until(lambda: world.inverter.power_w == pytest.approx(1000, rel=0.01))
            assert world.wakes > wakes  # the control loop need not wait for its cycle

            world.inverter.deaf = True
            with capture_logs() as logs:
                world.bms.fail(FaultKind.ALARM, None)
                await until(lambda: not state().online)
                attempts = world.inverter.attempts
                await until(lambda: world.inverter.attempts > attempts + 3)
            assert [line["event"] for line in logs].count("limit not bound") == 1
            assert world.inverter.power_w != 0
            world.inverter.deaf = False
            await until(lambda: world.inverter.power_w == 0)  # tried again

            world.bms.fail(FaultKind.ALARM, 0)
            world.bms.fail(FaultKind.DERATED, 0)
            await until(lambda: state().online and state().spec.max_charge_w > 3900)
            await ask(2000)
            world.bms.fail(FaultKind.OFFLINE, None)
            await until(lambda: world.inverter.power_w == 0)
            assert not state().online


@pytest.mark.row("trap:B3")
async def test_an_alarm_stands_while_nothing_says_that_it_is_over() -> None:
    world = World()
    world.bms.fail(FaultKind.ALARM, None)
    spoken = world.bms.frames()
    async with on_virtual(world, lambda: spoken) as where:
        source = world.source(where)
        async with running(source.run()):
            await until(lambda: world.shows(source, "fault", 1))
            spoken = {number: spoken[number] for number in (0x351, 0x355, 0x356)}
            await world.clock.sleep(15)
            assert world.shows(source, "soc", 60)
            assert world.shows(source, "fault", 1)


@pytest.mark.row("trap:B3")
async def test_a_limit_is_no_newer_than_the_current_it_is_made_of() -> None:
    world = World()
    spoken = world.bms.frames()
    async with on_virtual(world, lambda: spoken) as where:
        source = world.source(where)
        async with running(source.run()):
            await until(lambda: world.shows(source, "max_charge_power", 4000))
            spoken = {**spoken, 0x351: spoken[0x351][:2]}  # cut short, after the voltage
            await until(lambda: [world.fresh(source, power) for power in POWERS] == [None, None])
            assert source.answers
            assert world.shows(source, "dc_voltage", 52.2)


async def test_a_limit_does_not_revive_what_a_silent_control_loop_has_asked() -> None:
    world = World(speed=50)
    async with on_slcan(world) as where:
        source = world.source(where)
        battery = BatteryWithBms(world.inverter, source, clock=world.clock, wake=world.wake)
        async with running(battery.run()):
            await until(lambda: world.shows(source, "max_charge_power", 4000))
            await battery.set_power(BatterySetpoint(battery_id="bess", power_w=3000, cause="x"))
            await world.clock.sleep(2 * PATIENCE_S)
            world.inverter.power_w = 0.0  # its own timer has run out
            world.bms.fail(FaultKind.DERATED, None, 0.25)
            told = len(world.inverter.told)
            await until(lambda: len(world.inverter.told) > told)
            assert world.inverter.told[-1].power_w == 0
