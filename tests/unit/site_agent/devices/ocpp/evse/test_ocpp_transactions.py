from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.testing import FakeClock
from site_agent.devices.ocpp.evse.transactions import Transactions
from site_agent.store.memory import MemorySessions


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemorySessions:
    return MemorySessions()


@pytest.fixture
def held(clock: FakeClock, store: MemorySessions) -> Transactions:
    return Transactions("evse-1", store, clock)


async def test_the_same_start_told_again_keeps_its_id(held: Transactions, clock: FakeClock) -> None:
    at = clock.now()
    first = await held.started("TAG1", at, 100, None)
    assert await held.started("TAG1", at, 100, None) == first
    assert await held.started("TAG1", at + timedelta(seconds=1), 100, None) != first


async def test_a_start_told_again_after_our_restart_keeps_its_id(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    at = clock.now()
    first = await held.started("TAG1", at, 100, None)
    reborn = Transactions("evse-1", store, clock)
    await reborn.restore()
    assert await reborn.started("TAG1", at, 100, None) == first
    assert reborn.current is not None
    assert reborn.current.confirmed


async def test_equal_starts_of_a_charger_without_a_clock_are_two(
    held: Transactions, clock: FakeClock
) -> None:
    long_ago = clock.now() - timedelta(days=9000)
    first = await held.started("TAG1", long_ago, 0, None)
    await held.ended(first, long_ago, 0, "Local")
    assert await held.started("TAG1", long_ago, 0, None) != first


async def test_a_closed_start_told_again_does_not_run(held: Transactions, clock: FakeClock) -> None:
    at = clock.now()
    number = await held.started("TAG1", at, 100, None)
    await held.ended(number, at, 200, "Local")
    assert await held.started("TAG1", at, 100, None) == number
    assert held.current is None


async def test_a_new_start_ends_the_one_before(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    first = await held.started("TAG1", clock.now(), 100, None)
    held.doubt()
    assert held.vanished(for_sure=False)
    second = await held.started("TAG2", clock.now() + timedelta(minutes=1), 150, None)
    assert second != first
    assert await store.open_transaction("evse-1") == (second, "TAG2")
    await held.ended(second, clock.now(), 160, "Local")
    assert await store.open_transaction("evse-1") is None


async def test_what_the_charger_confirms_does_not_vanish(
    held: Transactions, clock: FakeClock
) -> None:
    number = await held.started("TAG1", clock.now(), 100, None)
    held.doubt()
    held.mentioned(number)
    assert not held.vanished(for_sure=False)
    assert held.vanished(for_sure=True)


async def test_an_id_older_than_our_store_is_the_truth(held: Transactions) -> None:
    held.mentioned(4711)
    assert held.current is not None
    assert (held.current.id, held.current.ref, held.current.witnessed) == (4711, "4711", False)


async def test_201_after_our_restart_names_itself_with_its_next_event(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    number = await held.started("TAG1", clock.now(), 100, "tx-1")
    reborn = Transactions("evse-1", store, clock)
    await reborn.restore()
    assert reborn.current is not None
    assert (reborn.current.id, reborn.current.ref) == (number, None)
    await reborn.continued(None, clock.now(), 120, "tx-1")
    assert (reborn.current.id, reborn.current.ref) == (number, "tx-1")


async def test_201_end_of_another_transaction_leaves_the_running_one(
    held: Transactions, clock: FakeClock
) -> None:
    await held.started("TAG1", clock.now(), 100, "tx-2")
    await held.ended_remote("tx-1", clock.now(), 0, clock.now(), 90, "Local")
    assert held.current is not None
    assert held.current.ref == "tx-2"
