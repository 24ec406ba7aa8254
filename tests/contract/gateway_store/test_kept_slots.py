"""Slots that are kept are what reading everything again would give, to the last bit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.accounts.kept import KeptSlots
from gateway.ports import TelemetryStore
from gateway.ports.accounts import SlotReader, Slots
from gateway.store.bulk import BulkTelemetry, StoredReading
from gateway.store.database import Database
from gateway.store.instants import micros
from gateway.store.means import SqlThinning
from gateway.store.slot_blocks import SqlSlotBlocks
from gateway.store.slots import SqlSlots
from gateway.store.telemetry import SqlTelemetry
from support.gateway_store import HOLD, HOUR, MINUTE

pytestmark = pytest.mark.row("mv:M8")

BERLIN = ZoneInfo("Europe/Berlin")
STEP, DAY, POINT = timedelta(minutes=5), timedelta(days=1), "pcc_power_w"
AUTUMN = datetime(2026, 10, 24, tzinfo=BERLIN).astimezone(UTC)
"""The day before that of 25 hours."""
SPRING = datetime(2026, 3, 28, tzinfo=BERLIN).astimezone(UTC)


class Counting:
    """The plain reader, and what it was asked for."""

    def __init__(self, database: Database) -> None:
        self.inner: SlotReader = SqlSlots(database, max_hold=HOLD)
        self.asked: list[Interval] = []

    async def points(self, site_id: str) -> Sequence[str]:
        return await self.inner.points(site_id)

    async def slots(self, site_id: str, point: str, window: Interval, step: timedelta) -> Slots:
        self.asked.append(window)
        return await self.inner.slots(site_id, point, window, step)


class Bench:
    def __init__(self, database: Database, start: datetime = AUTUMN, days: int = 3) -> None:
        self.database = database
        self.bulk = BulkTelemetry(database)
        self.plain = Counting(database)
        self.blocks = SqlSlotBlocks(database)
        self.start = start
        end = datetime.combine(
            start.astimezone(BERLIN).date() + days * DAY, datetime.min.time(), tzinfo=BERLIN
        )
        self.window = Interval(start=start, end=end.astimezone(UTC))
        self.clock = FakeClock((self.window.end or start) + HOUR)
        site = Site(site_id="depot-1", name="Depot", time_zone=BERLIN, import_limit_w=1e5)
        self.portfolio = Portfolio(sites=(site,))
        self.kept = KeptSlots(self.plain, self.blocks, self.portfolio, self.clock)

    async def at(self, now: datetime) -> None:
        await self.clock.advance((now - self.clock.now()).total_seconds())

    def row(self, minutes: float, value: float | None, hold_s: int | None = None) -> StoredReading:
        at = micros(self.start + minutes * MINUTE)
        hold_us = None if hold_s is None else hold_s * 1_000_000
        return ("depot-1", POINT, at, value, Quality.GOOD.value, hold_us)

    async def same(self, window: Interval | None = None) -> list[Interval]:
        """What was read anew; it must be as if nothing were kept."""
        over = window or self.window
        self.plain.asked.clear()
        found = await self.kept.slots("depot-1", POINT, over, STEP)
        asked = list(self.plain.asked)
        wanted = await self.plain.inner.slots("depot-1", POINT, over, STEP)
        assert found.above_h.tolist() == wanted.above_h.tolist()
        assert found.below_h.tolist() == wanted.below_h.tolist()
        assert found.seconds.tolist() == wanted.seconds.tolist()
        return asked


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


async def filled(bench: Bench) -> None:
    rows = [bench.row(n * 0.7, ((n * 7919) % 5000) / 3.0 - 700.0) for n in range(6300)]
    await bench.bulk.put(rows)


async def test_what_is_over_is_read_once(bench: Bench) -> None:
    await filled(bench)
    days = await bench.same()
    assert [one.duration for one in days] == [24 * HOUR, 25 * HOUR, 24 * HOUR]
    assert await bench.same() == []


async def test_of_the_running_day_each_hour_is_kept_and_the_day_is_made_of_them(
    bench: Bench,
) -> None:
    await filled(bench)
    day = Interval.lasting(AUTUMN, DAY)
    await bench.at(AUTUMN + 3 * HOUR + 10 * MINUTE)
    now = Interval(start=AUTUMN, end=AUTUMN + 3 * HOUR + 10 * MINUTE)
    assert len(await bench.same(now)) == 4  # three hours, and what has begun
    assert [one.start for one in await bench.same(now)] == [AUTUMN + 3 * HOUR]
    await bench.at(AUTUMN + DAY + HOUR)
    assert await bench.same(day) == [Interval(start=AUTUMN + 3 * HOUR, end=day.end)]
    assert list(await bench.blocks.within("depot-1", POINT, day, STEP)) == [day]


async def test_a_late_value_drops_what_it_changes_and_nothing_else(bench: Bench) -> None:
    await filled(bench)
    await bench.same()
    second = Interval.lasting(AUTUMN + DAY, 25 * HOUR)
    await bench.bulk.put([bench.row(24 * 60 + 60.01, 1e6)])
    assert await bench.same() == [second]
    await bench.bulk.put([bench.row(80 * 60.0, 5.0)])  # after all of it
    assert await bench.same() == []


async def test_a_value_that_held_over_days_is_cut_by_a_late_one(bench: Bench) -> None:
    await bench.bulk.put([bench.row(0.0, 1000.0, hold_s=3 * 86_400)])
    await bench.same()
    await bench.bulk.put([bench.row(60.0, 1.0)])
    assert len(await bench.same()) == 3


async def test_what_a_site_tells_late_drops_too(bench: Bench, telemetry: TelemetryStore) -> None:
    await filled(bench)
    await bench.same()
    steps = StepSeries.of([(Interval.lasting(AUTUMN + 70.2 * HOUR, MINUTE / 60), 7.0)])
    await telemetry.insert_history("depot-1", POINT, steps, "loaded")
    assert len(await bench.same()) == 1


async def test_what_comes_in_while_it_is_read_is_not_lost(bench: Bench) -> None:
    """A value that lands between the reading and the keeping must not be hidden by what is kept."""
    await filled(bench)

    class Late(Counting):
        async def slots(self, site_id: str, point: str, window: Interval, step: timedelta) -> Slots:
            found = await super().slots(site_id, point, window, step)
            await bench.bulk.put([bench.row(61.01, 1e6)])
            return found

    unlucky = KeptSlots(Late(bench.database), bench.blocks, bench.portfolio, bench.clock)
    await unlucky.slots("depot-1", POINT, bench.window, STEP)
    assert len(await bench.same()) == 3  # nothing was kept


async def test_thinning_leaves_what_was_kept(bench: Bench) -> None:
    """Kept slots know import and export of five minutes apart; a mean knows their difference."""
    await filled(bench)
    before = await bench.kept.slots("depot-1", POINT, bench.window, STEP)
    thinning = SqlThinning(bench.database, max_hold=HOLD)
    while await thinning.thin_readings("depot-1", bench.clock.now()):
        pass
    bench.plain.asked.clear()
    after = await bench.kept.slots("depot-1", POINT, bench.window, STEP)
    assert bench.plain.asked == []
    assert after.above_h.tolist() == before.above_h.tolist()
    fresh = await bench.plain.slots("depot-1", POINT, bench.window, STEP)
    assert fresh.above_h.sum() < before.above_h.sum()
    net = [one.above_h + one.below_h for one in (fresh, before)]
    assert net[0].tolist() == pytest.approx(net[1].tolist(), abs=1e-6)


Told = tuple[int, float | None, int]
told = st.tuples(
    st.integers(0, 3 * 24 * 60),
    st.one_of(st.none(), st.floats(-1e5, 1e5)),
    st.integers(0, 4 * 24 * 60),
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Database]:
    kept = Database.in_memory()
    yield kept
    kept.close()


@settings(max_examples=50)
@given(start=st.sampled_from([AUTUMN, SPRING]), steps=st.lists(told, max_size=12))
def test_whatever_comes_in_whenever_it_is_as_if_all_were_read(
    shared: Database, start: datetime, steps: list[Told]
) -> None:
    """Values at any time in any order, with a question at any time between them."""

    def emptied(session: Session) -> None:
        for name in ("measurement", "slot_block", "slot_watch"):
            session.connection().exec_driver_sql(f"DELETE FROM {name}")

    async def run() -> None:
        await shared.write(emptied)
        bench = Bench(shared, start)
        for minute, value, asked_after in steps:
            await bench.bulk.put([bench.row(minute, value)])
            await bench.at(start + asked_after * MINUTE)
            await bench.same()

    asyncio.run(run())


def test_telemetry_of_a_site_is_what_is_watched(database: Database) -> None:
    """A gateway that keeps nothing looks nothing up; a site that is not watched drops nothing."""

    async def run() -> int:
        blocks, bulk = SqlSlotBlocks(database), BulkTelemetry(database)
        count = await blocks.watch("depot-1", AUTUMN + DAY)
        at = micros(AUTUMN)
        await bulk.put([("depot-2", POINT, at, 1.0, "good", None)])
        await SqlTelemetry(database, max_hold=HOLD).latest("depot-1")
        await bulk.put([("depot-1", POINT, micros(AUTUMN + DAY), 1.0, "good", None)])
        assert await blocks.watch("depot-1", AUTUMN) == count
        await bulk.put([("depot-1", POINT, at, 1.0, "good", None)])
        return await blocks.watch("depot-1", AUTUMN) - count

    assert asyncio.run(run()) == 1
