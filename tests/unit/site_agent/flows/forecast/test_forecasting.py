"""The forecaster: from the history on disk to load, PV, stays and notices, beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from contracts.errors import TransientError
from contracts.testing import FakeClock
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.forecast import load as load_module
from site_agent.domain.forecast import pv as pv_module
from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.clear_sky import Place, PvArray
from site_agent.domain.forecast.ground import ForecastGround
from site_agent.domain.forecast.record import LOAD_W, OUTDOOR_C, PV_W, QuarterMean, pv_of
from site_agent.domain.forecast.stays import PastStay
from site_agent.domain.horizon import QUARTER, Horizon
from site_agent.flows.forecast.forecasting import Forecaster
from site_agent.store.memory_history import MemoryHistory
from support.forecast import BERLIN, at, midnight
from support.site import battery
from support.waiting import until

NOW = datetime(2026, 6, 16, 8, 7, tzinfo=UTC)  # a Tuesday, 10:07 in Berlin
ROOF = PvArray(pv_id="roof", rated_w=30_000.0, modules_w=30_000.0, tilt_deg=15.0, azimuth_deg=180.0)
GROUND = ForecastGround(
    calendar=Calendar(zone=BERLIN),
    largest_w=50_000.0,
    place=Place(latitude_deg=52.5, longitude_deg=13.4),
    arrays=(ROOF,),
    batteries=(battery().spec,),
)


class Sometimes(MemoryHistory):
    """A history whose file is locked now and then."""

    locked = False

    async def series(self) -> Sequence[str]:
        if self.locked:
            raise TransientError("database is locked")
        return await super().series()


class Bench:
    """A forecaster on a history in memory."""

    def __init__(self, now: datetime = NOW) -> None:
        self.clock = FakeClock(now)
        self.store = Sometimes()
        self.present: dict[str, datetime] = {}
        self.roster: list[ExpectedStay] = []
        self.renewed = 0
        self.forecaster = Forecaster(
            ground=GROUND,
            store=self.store,
            clock=self.clock,
            present=lambda: self.present,
            roster=lambda _: self.roster,
            renewed=self._count,
        )

    def _count(self) -> None:
        self.renewed += 1

    def renewed_to(self, times: int) -> bool:
        return self.renewed == times

    async def remember(self, days: int, *, extra_w: float = 0.0, last: datetime = NOW) -> None:
        """An office and a hazy sun; today from 05:00 UTC the office draws `extra_w` more."""
        start = midnight((last - timedelta(days=days)).date())
        rows = []
        for i in range(int((last - start) / QUARTER)):
            begins = start + i * QUARTER
            local = begins.astimezone(BERLIN)
            working = local.weekday() < 5 and 7 <= local.hour < 18
            today = extra_w if begins >= NOW.replace(hour=5, minute=0) else 0.0
            sun = 12_000.0 if 8 <= local.hour < 18 else 0.0
            values = {
                LOAD_W: (20_000.0 if working else 4_000.0) + today,
                PV_W: sun,
                pv_of("roof"): sun,
                OUTDOOR_C: 15.0,
            }
            rows += [
                QuarterMean(series=name, start=begins, mean=value, covered_s=900.0)
                for name, value in values.items()
            ]
        await self.store.add(rows)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_before_anything_is_read_guesses_are_wide_and_say_so(bench: Bench) -> None:
    horizon = Horizon(start=NOW, count=4)
    load, made = bench.forecaster.load(horizon), bench.forecaster.pv(horizon)
    assert load.method == load_module.UNKNOWN
    assert load.p90.tolist() == [50_000.0] * 4
    assert made.p50.tolist() == [0.0] * 4
    assert made.p90.tolist() == [30_000.0] * 4
    assert bench.forecaster.stays(horizon) == ()


@pytest.mark.row("site:E13")
async def test_history_becomes_load_pv_and_stays(bench: Bench) -> None:
    await bench.remember(30)
    for back in range(1, 15):
        day = (NOW - timedelta(days=back)).date()
        if day.weekday() < 5:
            await bench.store.add_stay(
                PastStay(
                    vehicle_id="van-1",
                    evse_id="bay-1",
                    arrived=at(day, 17.5),
                    left=at(day + timedelta(days=1), 6),
                    energy_wh=30_000.0,
                    max_power_w=11_000.0,
                )
            )
    await bench.forecaster.refresh()
    horizon = Horizon(start=NOW.replace(minute=0), count=24, step=timedelta(hours=1))
    load, made = bench.forecaster.load(horizon), bench.forecaster.pv(horizon)
    assert load.p50[:8] == pytest.approx([20_000.0] * 8)  # until 18:00
    assert load.p50[8:20] == pytest.approx([4_000.0] * 12)
    assert made.method == pv_module.CLEAR_SKY
    assert made.p50[0] == pytest.approx(12_000.0, rel=0.15)
    assert made.p50[14] == 0.0  # midnight
    (stay,) = bench.forecaster.stays(horizon)
    assert stay.vehicle_id == "van-1"
    assert stay.arrives == at(NOW.date(), 17.5)
    assert stay.required_wh == 30_000.0
    bench.present["van-1"] = NOW
    assert bench.forecaster.stays(horizon) == ()


async def test_the_roster_goes_before_habit(bench: Bench) -> None:
    told = ExpectedStay(
        vehicle_id="van-9",
        arrives=NOW + timedelta(hours=1),
        departs=NOW + timedelta(hours=9),
        required_wh=1.0,
        max_power_w=1.0,
    )
    bench.roster.append(told)
    await bench.forecaster.refresh()
    assert bench.forecaster.stays(Horizon(start=NOW, count=96)) == (told,)


async def test_it_is_renewed_after_every_quarter(bench: Bench) -> None:
    await bench.remember(8, last=NOW + timedelta(hours=1))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.forecaster.run())
        for turn, minute in enumerate((0, 15, 30), start=1):
            await until(partial(bench.renewed_to, turn))  # the work is in a thread
            begins = NOW.replace(minute=minute)
            assert bench.forecaster.latest.load.horizon.start == begins
            due = begins + timedelta(minutes=15, seconds=10)
            await bench.clock.advance((due - bench.clock.now()).total_seconds())
        await until(partial(bench.renewed_to, 4))
        task.cancel()


async def test_a_locked_file_leaves_the_last_forecast(bench: Bench) -> None:
    await bench.remember(8)
    await bench.forecaster.refresh()
    before = bench.forecaster.latest
    bench.store.locked = True
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.forecaster.run())
        await bench.clock.advance(30)
        assert bench.forecaster.latest is before
        bench.store.locked = False
        await bench.clock.advance(60)
        await until(lambda: bench.forecaster.latest is not before)
        task.cancel()


async def test_an_unusual_load_becomes_a_notice_with_start_and_size(bench: Bench) -> None:
    await bench.remember(30, extra_w=9_000.0)
    await bench.forecaster.refresh()
    ((key, condition),) = bench.forecaster.conditions()
    assert key == ("load-above-expectation", "building")
    assert "draws 9.0 kW more" in condition.text
    assert "since 2026-06-16 07:00 local time" in condition.text


async def test_a_usual_load_is_no_notice(bench: Bench) -> None:
    await bench.remember(30)
    await bench.forecaster.refresh()
    assert list(bench.forecaster.conditions()) == []
