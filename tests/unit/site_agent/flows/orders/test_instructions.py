"""Taking instructions: stored before answered, reported once, whatever the disk does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.errors import PermanentError, TransientError
from contracts.site_link.messages import Instruction, InstructionState, InstructionStatus
from contracts.testing import FakeClock
from site_agent.flows.orders.instructions import Instructions
from site_agent.store.memory import MemoryInstructions, MemoryOutbox
from support.site import NOON, instruction, model

STORED, REJECTED = InstructionState.STORED, InstructionState.REJECTED


class FullDisk(MemoryInstructions):
    full = False

    async def put(self, instruction: Instruction) -> None:
        self._check()
        await super().put(instruction)

    async def record(self, statuses: Sequence[InstructionStatus]) -> None:
        self._check()
        await super().record(statuses)

    def _check(self) -> None:
        if self.full:
            raise TransientError("disk full")


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self.outbox = MemoryOutbox()
        self.store = FullDisk(self.outbox)
        self.wakes = 0
        self.flow = Instructions(model(), self.store, self.clock, self._wake)

    def _wake(self) -> None:
        self.wakes += 1

    def states(self) -> list[InstructionState]:
        rows = [numbered.row for numbered in self.outbox.rows]
        return [row.state for row in rows if isinstance(row, InstructionStatus)]

    async def run_for(self, seconds: float) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.flow.run())
            await self.clock.advance(seconds)
            task.cancel()


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_it_is_stored_before_it_is_acknowledged(bench: Bench) -> None:
    ack = await bench.flow.receive(instruction(1.0))
    assert (ack.instruction_id, ack.state, ack.at) == ("i1", STORED, NOON)
    assert [held for held, _ in await bench.store.unfinished()] == [instruction(1.0)]
    assert bench.flow.last_seq() == 1
    assert bench.wakes == 1


async def test_the_same_again_is_acknowledged_again(bench: Bench) -> None:
    await bench.flow.receive(instruction(1.0))
    assert (await bench.flow.receive(instruction(1.0))).state is STORED
    assert len(bench.flow.held) == 1


async def test_also_after_it_has_ended(bench: Bench) -> None:
    await bench.flow.receive(instruction(1.0))
    await bench.run_for(3600)
    assert (await bench.flow.receive(instruction(1.0))).state is STORED
    assert bench.flow.held == ()


async def test_a_refused_one_leaves_no_trace(bench: Bench) -> None:
    ack = await bench.flow.receive(instruction(1.0, site_id="other"))
    assert (ack.state, ack.reason) == (REJECTED, "for site 'other', but this is 'depot'")
    assert await bench.store.unfinished() == []
    assert bench.flow.last_seq() == 0


async def test_an_older_one_is_refused_even_when_the_newer_has_ended(bench: Bench) -> None:
    await bench.flow.receive(instruction(seq=5))  # withdraws what never was
    await bench.run_for(1)
    assert bench.flow.held == ()
    assert (await bench.flow.receive(instruction(1.0, seq=4))).state is REJECTED


async def test_of_other_events_an_older_number_may_come_late(bench: Bench) -> None:
    await bench.flow.receive(instruction(1.0, seq=5))
    assert (await bench.flow.receive(instruction(1.0, seq=4, event_id="e2"))).state is STORED
    assert bench.flow.last_seq() == 5


async def test_a_number_used_for_something_else_is_a_permanent_fault(bench: Bench) -> None:
    await bench.flow.receive(instruction(1.0))
    with pytest.raises(PermanentError, match="already used"):
        await bench.flow.receive(replace(instruction(2.0, event_id="e2"), instruction_id="other"))


async def test_what_cannot_be_stored_is_not_acknowledged(bench: Bench) -> None:
    bench.store.full = True
    with pytest.raises(TransientError):
        await bench.flow.receive(instruction(1.0))
    assert bench.flow.held == ()
    bench.store.full = False
    assert (await bench.flow.receive(instruction(1.0))).state is STORED


async def test_a_failing_disk_delays_reports_but_loses_none(bench: Bench) -> None:
    await bench.flow.receive(instruction(1.0, start=NOON + timedelta(seconds=5)))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.flow.run())
        bench.store.full = True
        await bench.clock.advance(20)
        assert bench.states() == []
        bench.store.full = False
        await bench.clock.advance(2)
        task.cancel()
    assert bench.states() == [InstructionState.STARTED]


async def test_applied_is_told_once_and_only_for_what_has_started(bench: Bench) -> None:
    await bench.flow.receive(instruction(1.0, start=NOON + timedelta(seconds=10)))
    bench.flow.accepted(NOON, "all")
    await bench.run_for(10)
    assert bench.states() == [InstructionState.STARTED]
    for _ in range(3):
        bench.flow.accepted(bench.clock.now(), "all but one")
        await bench.run_for(1)
    assert bench.states() == [InstructionState.STARTED, InstructionState.APPLIED]
    last = bench.outbox.rows[-1].row
    assert isinstance(last, InstructionStatus)
    assert last.reason == "all but one"


async def test_a_new_run_takes_up_where_the_old_one_died(bench: Bench) -> None:
    await bench.flow.receive(instruction(1.0))
    await bench.run_for(5)
    again = Instructions(model(), bench.store, bench.clock, wake=lambda: None)
    await again.load()
    assert again.last_seq() == 1
    assert [one.progress.value for one in again.held] == ["started"]


async def test_reasons_fit_the_link(bench: Bench) -> None:
    await bench.flow.receive(replace(instruction(1.0), cause="x" * 500))
    await bench.run_for(1)
    (row,) = (numbered.row for numbered in bench.outbox.rows)
    assert isinstance(row, InstructionStatus)
    assert len(row.reason) == 500
