"""One suite for the site's history: SQLite on a file, and the in-memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from site_agent.domain.forecast.record import LOAD_W, OUTDOOR_C, QuarterMean
from site_agent.domain.forecast.stays import PastStay
from site_agent.domain.horizon import QUARTER
from site_agent.flows.forecast.history import HistoryStore
from site_agent.store.history import KEPT, SqliteHistory
from site_agent.store.memory_history import MemoryHistory
from site_agent.store.sqlite import open_store

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVER = (NOON - timedelta(days=1000), NOON + timedelta(days=1000))


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HistoryStore]:
    if request.param == "memory":
        yield MemoryHistory(max_stays=3)
        return
    opened = open_store(tmp_path / "site.db", NOON)
    yield SqliteHistory(opened.database, max_stays=3)
    opened.close()


def part(start: datetime, mean: float, covered_s: float = 300.0, **flags: bool) -> QuarterMean:
    return QuarterMean(series=LOAD_W, start=start, mean=mean, covered_s=covered_s, **flags)


def stay(arrived: datetime, evse_id: str = "a") -> PastStay:
    return PastStay(
        vehicle_id="van",
        evse_id=evse_id,
        arrived=arrived,
        left=arrived + timedelta(hours=8),
        energy_wh=1000.0,
        missing_wh=5.0,
        max_power_w=11_000.0,
    )


async def test_parts_of_a_quarter_are_joined_by_their_time(store: HistoryStore) -> None:
    await store.add([part(NOON, 100.0, 300.0), part(NOON, 400.0, 600.0, curtailed=True)])
    await store.add([part(NOON, 300.0, 300.0, estimated=True)])
    (found,) = await store.quarters(LOAD_W, *EVER)
    assert found.mean == pytest.approx(300.0)
    assert found.covered_s == 900.0
    assert (found.curtailed, found.estimated, found.imported) == (True, True, False)


async def test_what_was_measured_is_not_replaced_by_a_file(store: HistoryStore) -> None:
    await store.add([part(NOON, 100.0)])
    read = [part(NOON, 7.0, 900.0, imported=True), part(NOON + QUARTER, 7.0, imported=True)]
    assert await store.take(read) == 1
    assert await store.take([part(NOON + QUARTER, 8.0, imported=True)]) == 1
    assert [one.mean for one in await store.quarters(LOAD_W, *EVER)] == [100.0, 8.0]


async def test_what_is_measured_replaces_what_a_file_said(store: HistoryStore) -> None:
    await store.take([part(NOON, 7.0, 900.0, imported=True)])
    await store.add([part(NOON, 100.0, 300.0)])
    (found,) = await store.quarters(LOAD_W, *EVER)
    assert (found.mean, found.covered_s, found.imported) == (100.0, 300.0, False)


async def test_a_span_is_half_open_and_a_series_by_itself(store: HistoryStore) -> None:
    await store.add([part(NOON + i * QUARTER, float(i)) for i in (3, 1, 0, 2)])
    await store.add([QuarterMean(series=OUTDOOR_C, start=NOON, mean=9.0, covered_s=900.0)])
    found = await store.quarters(LOAD_W, NOON + QUARTER, NOON + 3 * QUARTER)
    assert [one.mean for one in found] == [1.0, 2.0]
    assert [one.start for one in found] == [NOON + QUARTER, NOON + 2 * QUARTER]
    between = await store.quarters(LOAD_W, NOON + QUARTER / 2, NOON + 1.5 * QUARTER)
    assert [one.mean for one in between] == [1.0]
    assert await store.series() == [LOAD_W, OUTDOOR_C]


async def test_only_what_was_seen_enough_is_measured_and_free_only_what_nobody_held(
    store: HistoryStore,
) -> None:
    await store.add(
        [
            part(NOON, 1.0, 900.0),
            part(NOON + QUARTER, 2.0, 449.0),
            part(NOON + 2 * QUARTER, 3.0, 450.0, curtailed=True),
        ]
    )
    span = (NOON - QUARTER, NOON + 4 * QUARTER)
    nan = float("nan")
    for free, third in ((False, 3.0), (True, nan)):
        found = await store.measured(LOAD_W, *span, free=free)
        assert found.start == span[0]
        assert found.values.tolist() == pytest.approx([nan, 1.0, nan, third, nan], nan_ok=True)
    nothing = await store.measured(OUTDOOR_C, NOON, NOON)
    assert len(nothing.values) == 0


async def test_a_stay_is_kept_once(store: HistoryStore) -> None:
    for one in (stay(NOON), stay(NOON, "b"), stay(NOON)):
        await store.add_stay(one)
    assert await store.stays(NOON, NOON + QUARTER) == [stay(NOON), stay(NOON, "b")]
    assert await store.stays(NOON + QUARTER, EVER[1]) == []


async def test_old_history_goes_and_stays_are_bounded(store: HistoryStore) -> None:
    await store.add([part(NOON - KEPT - QUARTER, 1.0), part(NOON - KEPT, 2.0)])
    for days in (500, 4, 3, 2, 1):
        await store.add_stay(stay(NOON - timedelta(days=days)))
    await store.prune(NOON)
    assert [one.mean for one in await store.quarters(LOAD_W, *EVER)] == [2.0]
    left = [(NOON - one.arrived).days for one in await store.stays(*EVER)]
    assert left == [3, 2, 1]


async def test_history_outlives_the_agent(tmp_path: Path) -> None:
    first = open_store(tmp_path / "site.db", NOON)
    await first.history.add([part(NOON, 100.0)])
    await first.history.add_stay(stay(NOON))
    first.close()
    second = open_store(tmp_path / "site.db", NOON)
    assert len(await second.history.quarters(LOAD_W, *EVER)) == 1
    assert len(await second.history.stays(*EVER)) == 1
    second.close()
