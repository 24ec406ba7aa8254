"""Old telemetry becomes means: the energy stays, the rows go, and nobody has to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.flows.keeping.retention import Retention, RetentionRules
from gateway.ports import TelemetryStore
from gateway.store.bulk import BulkTelemetry, StoredReading
from gateway.store.database import Database
from gateway.store.instants import micros
from gateway.store.means import SqlThinning
from gateway.store.slots import SqlSlots
from support.gateway_store import HOLD, HOUR, MINUTE, SECOND, T0, batch, measured

DAY = timedelta(days=1)
POINT = "pcc_power_w"
START = T0 - 12 * HOUR
"""Midnight UTC, a multiple of every chunk."""
RULES = RetentionRules(readings=10 * DAY, five_minutes=20 * DAY)


@pytest.fixture
def thinning(database: Database) -> SqlThinning:
    return SqlThinning(database, max_hold=HOLD)


def day_of_readings(day: int, site: str = "depot-1") -> list[StoredReading]:
    """Every 20 s, with a gap of an hour, an estimated stretch, and a value that was no good."""
    rows: list[StoredReading] = []
    for number in range(4320):
        at = START + day * DAY + 20 * number * SECOND
        if 1000 <= number < 1180:
            continue
        quality = Quality.ESTIMATED if 2000 <= number < 2030 else Quality.GOOD
        rows.append((site, POINT, micros(at), float(number % 97), quality.value, None))
    rows[50] = (*rows[50][:3], None, Quality.OFFLINE.value, None)
    return rows


def energy_of(series: StepSeries) -> float:
    lengths = [(step.interval.duration or DAY).total_seconds() for step in series]
    return sum(step.value * length for step, length in zip(series, lengths, strict=True))


async def count(database: Database, table: str, where: str = "1 = 1") -> int:
    query = f"SELECT count(*) FROM {table} WHERE {where}"
    return int(await database.read(lambda s: s.connection().exec_driver_sql(query).scalar_one()))


async def retained(database: Database, thinning: SqlThinning, days: float) -> int:
    clock = FakeClock(START + days * DAY)
    return await Retention(thinning, clock, RULES).sweep()


@pytest.mark.row("mv:M1")
async def test_energy_and_gaps_outlive_the_readings(
    database: Database, telemetry: TelemetryStore, thinning: SqlThinning
) -> None:
    for day in range(3):
        await BulkTelemetry(database).put([*day_of_readings(day), *day_of_readings(day, "depot-2")])
    windows = [Interval.lasting(START + n * 6 * HOUR, 6 * HOUR) for n in range(12)]
    before = [await telemetry.series("depot-1", POINT, one) for one in windows]
    for days, raw_days in ((11, 2), (12.5, 0.5), (13, 0), (40, 0)):
        assert await retained(database, thinning, days) > 0
        assert await retained(database, thinning, days) == 0
        left = await count(database, "measurement", "site_id = 'depot-1'")
        assert left == pytest.approx(raw_days * 4140, abs=200)
        after = [await telemetry.series("depot-1", POINT, one) for one in windows]
        assert [energy_of(one) for one in after] == pytest.approx(
            [energy_of(one) for one in before], rel=1e-6
        )
        seconds = [sum((s.interval.duration or DAY).total_seconds() for s in one) for one in after]
        assert seconds == pytest.approx(
            [sum((s.interval.duration or DAY).total_seconds() for s in one) for one in before],
            abs=0.01,
        )
    assert await count(database, "measurement_mean", "step_s = 300") == 0
    assert await count(database, "measurement_mean", "quality = 'estimated'") > 0
    assert await count(database, "measurement_mean") == pytest.approx(2 * 3 * 93, abs=8)


async def test_a_value_that_holds_over_the_edge_is_counted_once(
    database: Database, telemetry: TelemetryStore, thinning: SqlThinning
) -> None:
    edge = START + 6 * HOUR
    row = ("depot-1", POINT, micros(edge - 10 * SECOND), 6.0, "good", None)
    await BulkTelemetry(database).put([row])
    assert await thinning.thin_readings("depot-1", edge)
    assert not await thinning.thin_readings("depot-1", edge)
    window = Interval(start=START, end=START + DAY)
    assert energy_of(await telemetry.series("depot-1", POINT, window)) == pytest.approx(180.0)
    reading = (await telemetry.latest("depot-1"))[POINT]
    assert (reading.value, reading.at) == (6.0, edge)
    assert await thinning.thin_readings("depot-1", edge + DAY)
    assert energy_of(await telemetry.series("depot-1", POINT, window)) == pytest.approx(180.0)
    assert await count(database, "measurement") == 0


async def test_values_that_come_after_the_thinning_join_the_means(
    database: Database, telemetry: TelemetryStore, thinning: SqlThinning
) -> None:
    first = [("depot-1", POINT, micros(START + n * 30 * SECOND), 2.0, "good", None) for n in (0, 1)]
    late = [("depot-1", POINT, micros(START + n * 30 * SECOND), 5.0, "good", None) for n in (2, 3)]
    window = Interval.lasting(START, HOUR)
    await BulkTelemetry(database).put(first)
    assert await thinning.thin_readings("depot-1", START + DAY)
    await BulkTelemetry(database).put(late)
    assert await thinning.thin_readings("depot-1", START + DAY)
    (step,) = await telemetry.series("depot-1", POINT, window)
    assert step.value == pytest.approx(3.5)
    assert step.interval.duration == 2 * MINUTE


async def test_accounts_count_the_same_energy_before_and_after(
    database: Database, thinning: SqlThinning
) -> None:
    await BulkTelemetry(database).put(day_of_readings(0))
    slots, window = SqlSlots(database, max_hold=HOLD), Interval.lasting(START, DAY)
    before = await slots.slots("depot-1", POINT, window, HOUR)
    while await thinning.thin_readings("depot-1", START + DAY):
        pass
    after = await slots.slots("depot-1", POINT, window, HOUR)
    assert after.above_h.sum() > 0
    assert after.above_h.tolist() == pytest.approx(before.above_h.tolist())
    assert after.seconds.tolist() == pytest.approx(before.seconds.tolist(), abs=0.01)


async def test_what_is_young_stays_as_it_came(
    database: Database, telemetry: TelemetryStore, thinning: SqlThinning
) -> None:
    await telemetry.ingest(batch((1, measured(0, 1.0)), (2, measured(10, 2.0))), T0)
    assert await retained(database, thinning, 9) == 0
    rules = RetentionRules(readings=None, five_minutes=None)
    assert await Retention(thinning, FakeClock(START + 999 * DAY), rules).sweep() == 0
    assert await count(database, "measurement") == 2


async def test_others_write_while_old_values_are_thinned(
    database: Database, telemetry: TelemetryStore, thinning: SqlThinning
) -> None:
    """Between any two of its transactions a batch of a site is stored."""
    await BulkTelemetry(database).put(day_of_readings(0))
    for seq in range(1, 5):
        assert await thinning.thin_readings("depot-1", START + DAY)
        tomorrow = measured(86_400 + seq, 1.0)
        assert await telemetry.ingest(batch((seq, tomorrow)), T0 + DAY) == seq
    assert not await thinning.thin_readings("depot-1", START + DAY)
