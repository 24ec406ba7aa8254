"""The network operator's orders in the control loop: held at once, over losses and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contracts.errors import TransientError
from contracts.testing import FakeClock
from site_agent.domain.instruction import Bounds
from site_agent.domain.protect.telecontrol import FREE, InputSpec, Order, Voice
from site_agent.flows.orders.telecontrol import Telecontrol, conditions
from site_agent.flows.report.notices import NoticeBoard
from site_agent.ports import KeyValues
from site_agent.store.memory import MemoryKeyValues
from support.control import Site, after, fake_battery, fake_chargers, fake_pv, site
from support.site import NOON, instruction

pytestmark = pytest.mark.row("truth:T1")

DIMMED_W = 9_000.0
DIM = Order(bounds=Bounds(load_w=DIMMED_W), words="contact 14a")
STOP_PV = Order(bounds=Bounds(generation_w=0.0), words="0 %")
OPEN = Order(bounds=FREE, words="nothing")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


def one_input(**changes: object) -> InputSpec:
    facts: dict[str, object] = {
        "input_id": "fre",
        "by": "network operator",
        "valid_for_s": 5.0,
        "keep_s": 60.0,
        "fail_safe": FREE,
    }
    return InputSpec(**{**facts, **changes})  # type: ignore[arg-type]


def telecontrol(
    clock: FakeClock, memory: KeyValues | None = None, **changes: object
) -> Telecontrol:
    return Telecontrol([one_input(**changes)], memory or MemoryKeyValues(), clock, lambda: None)


@asynccontextmanager
async def hearing(
    clock: FakeClock, inputs: Telecontrol, order: Order
) -> AsyncIterator[asyncio.Task[None]]:
    """The input is heard once a second until the block ends or the task is cancelled."""

    async def hear() -> None:
        while True:
            inputs.heard("fre", order)
            await clock.sleep(1.0)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(hear())
        yield task
        task.cancel()


async def test_loads_are_dimmed_whatever_a_utility_allows(clock: FakeClock) -> None:
    inputs = telecontrol(clock)
    battery = fake_battery(clock)
    depot = await site(clock, fake_chargers(clock, 3), batteries=[battery], telecontrol=inputs)
    generous = instruction(150_000.0, start=after(0))
    await depot.instructions.receive(generous)
    async with depot.running():
        await clock.advance(30)
        assert depot.depot.load_w > 40_000
        async with hearing(clock, inputs, DIM):
            await clock.advance(12)
            for _ in range(60):
                await clock.advance(1)
                assert depot.depot.load_w <= DIMMED_W * 1.01
            assert "network operator's load limit (fre: contact 14a)" in _binding(depot)
        inputs.heard("fre", OPEN)
        await clock.advance(30)
        assert depot.depot.load_w > 40_000


async def test_pv_is_curtailed_kept_so_and_then_at_the_fail_safe(clock: FakeClock) -> None:
    inputs = telecontrol(clock, fail_safe=Bounds(generation_w=-10_000.0))
    roof = fake_pv(clock, sun_w=30_000.0)
    depot = await site(clock, [], pv=[roof], telecontrol=inputs)
    async with depot.running():
        await clock.advance(5)
        assert roof.power_w == pytest.approx(-10_000, rel=0.01), "not heard yet: the fail-safe"
        async with hearing(clock, inputs, OPEN):
            await clock.advance(10)
            assert roof.power_w == -30_000
        async with hearing(clock, inputs, STOP_PV):
            await clock.advance(10)
            assert roof.power_w == 0
        await clock.advance(50)  # lost, and kept
        assert inputs.standing("fre").voice is Voice.KEPT
        assert roof.power_w == 0
        await clock.advance(30)
        assert inputs.standing("fre").voice is Voice.FAIL_SAFE
        assert roof.power_w == pytest.approx(-10_000, rel=0.01)


async def test_an_order_lives_through_a_restart(clock: FakeClock) -> None:
    memory = MemoryKeyValues()
    before = telecontrol(clock, memory)
    async with asyncio.TaskGroup() as group:
        storing = group.create_task(before.run())
        before.heard("fre", DIM)
        await clock.advance(0)
        storing.cancel()
    inputs = telecontrol(clock, memory)
    await inputs.load()
    assert inputs.standing("fre").order.bounds == DIM.bounds
    assert inputs.standing("fre").voice is Voice.KEPT
    assert inputs.remaining_s("fre") == pytest.approx(60, abs=0.01)
    await clock.advance(61)
    assert inputs.standing("fre").order.bounds == FREE
    inputs.heard("fre", DIM)
    assert inputs.standing("fre").voice is Voice.HEARD


async def test_a_disk_that_fails_loses_no_order(clock: FakeClock) -> None:
    class FullDisk(MemoryKeyValues):
        full = True

        async def put(self, key: str, value: str) -> None:
            if self.full:
                raise TransientError("the disk is full")
            await super().put(key, value)

    memory = FullDisk()
    inputs = telecontrol(clock, memory)
    async with asyncio.TaskGroup() as group:
        storing = group.create_task(inputs.run())
        inputs.heard("fre", DIM)
        await clock.advance(1)
        assert inputs.standing("fre").order == DIM
        memory.full = False
        await clock.advance(10)
        storing.cancel()
    assert await memory.get("telecontrol/fre") is not None


async def test_people_are_told_of_orders_and_of_lost_inputs(clock: FakeClock) -> None:
    inputs = telecontrol(clock, fail_safe=Bounds(export_w=-5_000.0))
    board = NoticeBoard(MemoryKeyValues())

    async def edges() -> list[tuple[str, bool, str]]:
        due = board.edges(dict(conditions(inputs.standings())), clock.now())
        await board.sent(due)
        return [(one.code, one.raised, one.text) for one in due]

    fail_safe = "network operator: export at most 5000 W (not heard yet: its fail-safe)"
    assert await edges() == [("operator-limit", True, fail_safe)]
    await clock.advance(6)
    ((code, raised, words),) = await edges()
    assert (code, raised) == ("telecontrol-lost", True)
    assert words.startswith("the input of the network operator is not heard")
    inputs.heard("fre", OPEN)
    assert [(code, raised) for code, raised, _ in await edges()] == [
        ("operator-limit", False),
        ("telecontrol-lost", False),
    ]
    inputs.heard("fre", DIM)
    assert await edges() == [
        ("operator-limit", True, "network operator: load at most 9000 W (contact 14a)")
    ]


def test_the_loop_is_woken_by_news_alone(clock: FakeClock) -> None:
    wakes: list[int] = []
    inputs = Telecontrol([one_input()], MemoryKeyValues(), clock, lambda: wakes.append(1))
    for _ in range(5):
        inputs.heard("fre", DIM)
    assert len(wakes) == 1
    inputs.heard("fre", OPEN)
    assert len(wakes) == 2


def _binding(depot: Site) -> str:
    assert depot.loop.latest is not None
    return depot.loop.latest.decision.binding
