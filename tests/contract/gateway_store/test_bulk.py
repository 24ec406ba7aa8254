"""Readings in bulk: once each, and read again as arrays."""

from __future__ import annotations

from datetime import timedelta
from math import inf, isnan, nan

import pytest

from contracts.reading import Quality, Reading
from contracts.time import Interval
from gateway.ports import TelemetryStore
from gateway.store.bulk import BulkTelemetry, StoredReading
from gateway.store.columns import SqlColumns
from gateway.store.database import Database
from gateway.store.instants import micros
from support.gateway_store import HOUR, MINUTE, SECOND, T0, WINDOW

POINT = "pcc_power_w"


def reading(
    seconds: int, value: float | None, quality: Quality = Quality.GOOD, site: str = "depot-1"
) -> StoredReading:
    return (site, POINT, micros(T0 + seconds * SECOND), value, quality.value, None)


async def values(database: Database, window: Interval = WINDOW) -> list[tuple[float, float]]:
    found = await SqlColumns(database).columns("depot-1", POINT, window)
    seconds = (found.at_us - micros(T0)) / 1e6
    return list(zip(seconds.tolist(), found.value.tolist(), strict=True))


@pytest.mark.row("mv:M1")
@pytest.mark.parametrize("count", [3, 250, 10_001], ids=["few", "some", "two transactions"])
async def test_sent_again_nothing_is_doubled_and_nothing_lost(
    database: Database, telemetry: TelemetryStore, count: int
) -> None:
    bulk, week = BulkTelemetry(database), Interval.lasting(T0, timedelta(days=7))
    rows = [reading(10 * number, float(number)) for number in range(count)]
    for again in (rows, rows[::-1], [*rows, *rows[:2]]):
        assert await bulk.put(iter(again)) == len(again)
    assert await values(database, week) == [(10.0 * n, float(n)) for n in range(count)]
    assert len(await telemetry.series("depot-1", POINT, week)) == count


@pytest.mark.parametrize("others", [0, 200], ids=["row by row", "copied"])
async def test_of_several_values_at_one_instant_the_last_stays(
    database: Database, others: int
) -> None:
    rest = [reading(n, 0.0, site="depot-2") for n in range(others)]
    bulk = BulkTelemetry(database)
    await bulk.put([reading(0, 1.0), reading(0, 2.0), *rest])
    assert await values(database) == [(0.0, 2.0)]
    await bulk.put([*rest, reading(0, 3.0)])
    assert await values(database) == [(0.0, 3.0)]


@pytest.mark.parametrize("others", [0, 200], ids=["row by row", "copied"])
async def test_what_is_no_number_is_an_invalid_reading(
    database: Database, telemetry: TelemetryStore, others: int
) -> None:
    rest = [reading(n, 0.0, site="depot-2") for n in range(others)]
    wrong = [reading(0, nan), reading(60, -inf), reading(120, None, Quality.OFFLINE)]
    await BulkTelemetry(database).put([*rest, *wrong, reading(180, 5.0, Quality.STALE)])
    assert all(isnan(value) for _, value in await values(database))
    assert len(await telemetry.series("depot-1", POINT, WINDOW)) == 0
    latest = (await telemetry.latest("depot-1"))[POINT]
    assert latest == Reading(value=5.0, quality=Quality.STALE, at=T0 + 3 * MINUTE)


async def test_arrays_hold_what_lies_in_the_window(database: Database) -> None:
    await BulkTelemetry(database).put([reading(n * 60, float(n)) for n in range(61)])
    assert len(await values(database)) == 60
    assert await values(database, Interval(start=T0 + HOUR, end=None)) == [(3600.0, 60.0)]
    assert await values(database, Interval.lasting(T0 - HOUR, MINUTE)) == []
