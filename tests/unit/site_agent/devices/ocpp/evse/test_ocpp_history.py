"""What of an EVSE's samples is kept: nothing absurd, nothing of an unbelievable time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.testing import FakeClock
from site_agent.devices.ocpp.evse.history import History
from site_agent.devices.ocpp.versions.samples import Sample
from site_agent.domain.session import ChargingSession
from site_agent.store.memory import MemoryOutbox, MemorySessions


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def outbox() -> MemoryOutbox:
    return MemoryOutbox()


@pytest.fixture
def store(outbox: MemoryOutbox) -> MemorySessions:
    return MemorySessions(outbox)


@pytest.fixture
def history(store: MemorySessions) -> History:
    return History("a", store, most_w=3 * 32 * 690.0)


async def session(store: MemorySessions) -> ChargingSession:
    held = await store.running("a")
    assert held is not None
    return held


async def test_one_wrong_digit_in_the_register_is_no_energy(
    history: History, store: MemorySessions, clock: FakeClock
) -> None:
    number = await store.start("a", None, clock.now(), 1000.0, None)
    for seconds, register_wh in ((10, 1020.0), (20, 10_400_000.0), (30, 1060.0), (40, 1080.0)):
        at = clock.now() + timedelta(seconds=seconds)
        history.live(number, [Sample(at=at, register_wh=register_wh)])
    assert (await session(store)).energy.energy_wh == 80


async def test_a_register_that_begins_anew_goes_on_from_there(
    history: History, store: MemorySessions, clock: FakeClock
) -> None:
    number = await store.start("a", None, clock.now(), 10_000.0, None)
    for seconds, register_wh in ((10, 10_040.0), (20, 5.0), (3600, 9_000.0)):
        at = clock.now() + timedelta(seconds=seconds)
        history.live(number, [Sample(at=at, register_wh=register_wh)])
    assert (await session(store)).energy.energy_wh == 9_040


async def test_absurd_power_goes_nowhere(
    history: History, store: MemorySessions, outbox: MemoryOutbox, clock: FakeClock
) -> None:
    number = await store.start("a", None, clock.now(), 1000.0, None)
    at = clock.now() - timedelta(minutes=5)
    samples = [Sample(at=at, power_w=1e9, register_wh=1500.0)]
    assert await history.late(number, samples, clock.now(), timedelta(0)) == 0
    assert outbox.rows == []
    assert (await session(store)).energy.energy_wh == 500


@pytest.mark.row("safety:S5")
@pytest.mark.parametrize("days", [-91, 1])
async def test_a_sample_of_no_believable_time_is_refused(
    history: History, store: MemorySessions, clock: FakeClock, days: int
) -> None:
    number = await store.start("a", None, clock.now(), 1000.0, None)
    strange = Sample(at=clock.now() + timedelta(days=days), power_w=7000.0, register_wh=1500.0)
    assert await history.late(number, [strange], clock.now(), timedelta(0)) == 1
    assert (await session(store)).energy.energy_wh == 0


async def test_a_charger_whose_clock_is_known_to_be_wrong_is_believed(
    history: History, store: MemorySessions, outbox: MemoryOutbox, clock: FakeClock
) -> None:
    number = await store.start("a", None, clock.now(), 1000.0, None)
    behind = timedelta(days=200)
    at = clock.now() - behind - timedelta(minutes=5)
    samples = [Sample(at=at, power_w=7000.0)]
    assert await history.late(number, samples, clock.now(), behind) == 0
    assert outbox.rows[0].row.at == clock.now() - timedelta(minutes=5)
