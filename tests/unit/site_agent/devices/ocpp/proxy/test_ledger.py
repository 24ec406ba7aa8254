"""Which transaction runs where, and what the cloud calls it: over restarts, within bounds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from site_agent.devices.ocpp.proxy.ledger import Ledger, Running
from site_agent.store.memory import MemoryKeyValues

pytestmark = pytest.mark.row("safety:S7")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def memory() -> MemoryKeyValues:
    return MemoryKeyValues()


async def loaded(memory: MemoryKeyValues) -> Ledger:
    ledger = Ledger("CP1", memory)
    await ledger.load()
    return ledger


async def test_all_of_it_outlasts_the_agent(memory: MemoryKeyValues) -> None:
    before = await loaded(memory)
    await before.began(1, "11", NOON)
    await before.began(2, "12", NOON)
    await before.ended("11")
    await before.name(12, 7001)
    await before.name(13, None)
    after = await loaded(memory)
    assert after.running == {2: Running(ref="12", began=NOON)}
    assert (after.place("12"), after.place("11")) == (2, None)
    assert after.knows("11")
    assert not await after.began(1, "11", NOON), "told again, it does not run anew"
    assert (after.theirs(12), after.ours(7001)) == (7001, 12)
    assert after.theirs(13) is None, "the cloud has refused it"


async def test_an_id_in_no_pair_is_from_before_us(memory: MemoryKeyValues) -> None:
    ledger = await loaded(memory)
    assert (ledger.theirs(5), ledger.ours(5)) == (5, None)


async def test_of_two_with_one_name_the_newest_counts(memory: MemoryKeyValues) -> None:
    ledger = await loaded(memory)
    await ledger.name(1, 7001)
    await ledger.name(2, 7001)
    assert ledger.ours(7001) == 2


async def test_only_the_newest_are_remembered(memory: MemoryKeyValues) -> None:
    ledger = await loaded(memory)
    for number in range(1, 301):
        await ledger.name(number, 7000 + number)
        await ledger.ended(str(number))
    assert (ledger.ours(7100), ledger.ours(7101), ledger.ours(7300)) == (None, 101, 300)
    assert not ledger.knows("236")
    assert ledger.knows("237")


async def test_a_name_can_be_awaited(memory: MemoryKeyValues) -> None:
    ledger = await loaded(memory)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(ledger.next_name())
        tasks.create_task(ledger.name(1, 7001))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"names": [[1]], "running": []}'])
async def test_what_cannot_be_read_is_left_out(memory: MemoryKeyValues, text: str) -> None:
    await memory.put("cloud-transactions:CP1", text)
    assert (await loaded(memory)).running == {}
