"""The journal off the control loop's way: a full disk stops nothing, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts.errors import TransientError
from contracts.testing import FakeClock
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.journal import Entry
from site_agent.domain.why.asked import UnknownSubjectError
from site_agent.flows.control.control_loop import ControlLoop, Cycle
from site_agent.flows.control.observer import Devices
from site_agent.flows.people.journal import Journal
from site_agent.flows.people.picture import Pictures
from site_agent.flows.people.why_commands import why_commands
from site_agent.store.journal import MemoryJournal
from support.control import fake_chargers, site
from support.site import NOON
from support.site_web import depot
from support.waiting import until


class Nobody:
    """No vehicle needs anything."""

    def needs(self, _: Sequence[ChargerState], __: datetime) -> tuple[VehicleNeed, ...]:
        return ()


class FullDisk(MemoryJournal):
    """Takes nothing while it is full."""

    full = True

    async def add(self, entries: Sequence[Entry]) -> None:
        if self.full:
            raise TransientError("database: disk is full")
        await super().add(entries)


def journal(store: MemoryJournal, clock: FakeClock) -> Journal:
    return Journal(Pictures(lambda: ["van-9"], tuple), store, clock)


@asynccontextmanager
async def running(one: Journal) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(one.run())
        yield
        task.cancel()


def later(seconds: float, event_w: float | None = None) -> Cycle:
    return depot(event_w, at=NOON + timedelta(seconds=seconds))


async def test_what_a_full_disk_did_not_take_is_kept_for_later() -> None:
    clock, store = FakeClock(NOON), FullDisk()
    one = journal(store, clock)
    async with running(one):
        one.heard(later(0))
        await until(lambda: one.seen is not None)
        assert one.recent(100)
        assert store.entries == []
        store.full = False
        await clock.advance(5.0)
        one.heard(later(5, event_w=6_000.0))
        await until(lambda: any("6.0 kW" in entry.text for entry in store.entries))
    assert len(store.entries) == len({(e.at, e.kind, e.subject, e.text) for e in store.entries})
    assert store.entries[0].at == NOON
    assert list(one.recent(1000)) == store.entries[::-1]


async def test_cycles_that_come_faster_than_they_are_noted_are_taken_together() -> None:
    clock, store = FakeClock(NOON), MemoryJournal()
    one = journal(store, clock)
    for n in range(100):
        one.heard(later(n))
    async with running(one):
        await until(lambda: bool(store.entries))
    assert {entry.at for entry in store.entries} == {NOON + timedelta(seconds=99)}


async def test_the_past_is_answered_from_the_store_also_after_a_restart() -> None:
    clock, store = FakeClock(NOON), MemoryJournal()
    first = journal(store, clock)
    async with running(first):
        first.heard(later(0))
        await until(lambda: bool(store.entries))
    second = journal(store, clock)
    with pytest.raises(TransientError):
        await second.why("cp-1")
    async with running(second):
        second.heard(later(3_600, event_w=6_000.0))
        await until(lambda: second.seen is not None)
    then = await second.why("site", NOON + timedelta(minutes=30))
    assert then.at == NOON
    assert "of 200.0 kW" in then.sentence
    assert "may draw 6.0 kW" in (await second.why("site")).sentence
    with pytest.raises(UnknownSubjectError, match="knows nothing of 'cp-1' at that time"):
        await second.why("cp-1", NOON - timedelta(seconds=1))


async def test_a_vehicle_that_has_left_is_still_found_in_the_past() -> None:
    clock, store = FakeClock(NOON), MemoryJournal()
    one = journal(store, clock)
    async with running(one):
        one.heard(later(0))
        await until(lambda: one.seen is not None)
        gone = later(60)
        one.heard(replace(gone, snapshot=replace(gone.snapshot, needs=())))
        await until(lambda: any("has left" in entry.text for entry in store.entries))
    then = await one.why("van-cp-1", NOON + timedelta(seconds=30))
    assert then.sentence.startswith("van-cp-1 at cp-1 ")
    with pytest.raises(UnknownSubjectError):
        await one.why("van-cp-1")


async def test_a_loop_tells_the_journal_of_every_cycle() -> None:
    clock = FakeClock(NOON)
    made = await site(clock, fake_chargers(clock, 1))
    heard: list[datetime] = []
    devices = Devices(meter=made.depot, chargers=made.depot.chargers, batteries=(), pv=())
    loop = ControlLoop(
        made.model,
        devices,
        made.instructions,
        Nobody(),
        clock,
        heard=lambda cycle: heard.append(cycle.snapshot.at),
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run())
        await until(lambda: len(heard) == 1)
        loop.wake()
        await clock.advance(0.2)
        await until(lambda: len(heard) > 1)
        task.cancel()
    assert heard[0] == NOON


BAD: list[dict[str, object]] = [
    {"subject": ""},
    {"subject": 7},
    {"subject": "x" * 101},
    {"subject": "cp-1", "at": "noon"},
    {"subject": "cp-1", "at": "2026-01-05T12:00:00"},
]


@pytest.mark.row("site:X1")
async def test_the_console_answers_and_refuses_nonsense() -> None:
    clock, store = FakeClock(NOON), MemoryJournal()
    one = journal(store, clock)
    async with running(one):
        one.heard(later(0))
        await until(lambda: one.seen is not None)
    table = why_commands(one)
    (answer,) = [item async for item in table["site.why"]({"subject": "cp-1"})]
    assert answer["binding"] == "the fuse of row-2 (20 A a phase)"
    (whole,) = [item async for item in table["site.why"]({})]
    assert whole["kind"] == "site"
    entries = [item async for item in table["site.journal"]({"most": 2})]
    assert len(entries) == 2
    for args in BAD:
        with pytest.raises(Exception, match=r"subject: a text|at: no time|at: say its offset"):
            [item async for item in table["site.why"](args)]
    for most in (0, 1001, True, "5"):
        with pytest.raises(Exception, match="a whole number from 1 to 1000"):
            [item async for item in table["site.journal"]({"most": most})]
