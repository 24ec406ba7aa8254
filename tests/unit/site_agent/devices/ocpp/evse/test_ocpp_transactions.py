from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.testing import FakeClock
from site_agent.devices.ocpp.evse.transactions import Transactions
from site_agent.domain.session import END_UNKNOWN
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


async def end(held: Transactions, ref: object, at: datetime, wh: float) -> int:
    return await held.ended(str(ref), at, at, wh, "Local")


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
    await end(held, first, long_ago, 0)
    assert await held.started("TAG1", long_ago, 0, None) != first


async def test_a_closed_start_told_again_does_not_run(held: Transactions, clock: FakeClock) -> None:
    at = clock.now()
    number = await held.started("TAG1", at, 100, None)
    await end(held, number, at, 200)
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
    running = await store.running("evse-1")
    assert running is not None
    assert (running.transaction_id, running.id_tag) == (second, "TAG2")
    await end(held, second, clock.now(), 160)
    assert await store.running("evse-1") is None


async def test_what_the_charger_confirms_does_not_vanish(
    held: Transactions, clock: FakeClock
) -> None:
    number = await held.started("TAG1", clock.now(), 100, None)
    held.doubt()
    await held.mentioned(str(number), clock.now())
    assert not held.vanished(for_sure=False)
    assert held.vanished(for_sure=True)


@pytest.mark.row("pitfall:P10")
async def test_an_id_older_than_our_store_is_the_truth(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    await held.mentioned("4711", clock.now())
    assert held.current is not None
    assert (held.current.ref, held.current.witnessed) == ("4711", False)
    recorded = await store.find("evse-1", "4711")
    assert recorded is not None
    assert (recorded.transaction_id, recorded.start_wh) == (held.current.id, None)
    await held.mentioned("4711", clock.now())
    assert len(await store.sessions(*ever(clock))) == 1
    await end(held, "4711", clock.now(), 500)
    await held.mentioned("4711", clock.now())
    assert held.current is None  # over is over


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


async def test_the_end_of_another_transaction_leaves_the_running_one(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    await held.started("TAG1", clock.now(), 100, "tx-2")
    await end(held, "tx-1", clock.now(), 90)
    assert held.current is not None
    assert held.current.ref == "tx-2"
    running = await store.running("evse-1")
    assert running is not None
    assert running.ref == "tx-2"


@pytest.mark.row("safety:S4")
async def test_a_closed_start_told_again_after_our_restart_does_not_run(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    at = clock.now()
    number = await held.started("TAG1", at, 100, None)
    await end(held, number, at, 200)
    reborn = Transactions("evse-1", store, clock)
    await reborn.restore()
    assert await reborn.started("TAG1", at, 100, None) == number
    assert reborn.current is None


@pytest.mark.row("personality:ends-first")
@pytest.mark.row("safety:S4")
async def test_an_end_told_before_its_start_is_one_session(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    at = clock.now()
    number = await end(held, "tx-1", at + timedelta(hours=1), 900)
    assert await held.started("TAG1", at, 100, "tx-1") == number
    assert held.current is None
    (session,) = await store.sessions(*ever(clock))
    assert (session.energy.energy_wh, session.id_tag) == (800, "TAG1")


async def test_one_that_vanished_and_speaks_again_is_the_same(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    number = await held.started("TAG1", clock.now(), 100, None)
    assert held.vanished(for_sure=True)
    await held.mentioned(str(number), clock.now())
    assert held.current is not None
    assert held.current.id == number
    assert len(await store.sessions(*ever(clock))) == 1


@pytest.mark.row("pitfall:P10")
@pytest.mark.row("safety:S4")
async def test_a_stale_transaction_ends_when_another_begins(
    held: Transactions, clock: FakeClock, store: MemorySessions
) -> None:
    """The charger has rebooted and forgotten; its register says what flowed meanwhile."""
    stale = await held.started("TAG1", clock.now(), 100, None)
    held.doubt()
    await clock.advance(600)
    fresh = await held.started("TAG2", clock.now(), 150, None)
    old, new = await store.sessions(*ever(clock))
    assert (old.transaction_id, new.transaction_id) == (stale, fresh)
    assert (old.energy.energy_wh, old.energy.remarks) == (50, (END_UNKNOWN,))
    assert new.ended_at is None


def ever(clock: FakeClock) -> tuple[datetime, datetime]:
    return clock.now() - timedelta(days=400), clock.now() + timedelta(days=400)
