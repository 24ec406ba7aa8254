"""History and forecasts put together: what is kept, told, and handed to a plan."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts.testing import FakeClock
from site_agent.domain.decide.control import decide
from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.clear_sky import PvArray
from site_agent.domain.forecast.ground import ForecastGround
from site_agent.domain.forecast.record import LOAD_W, OUTDOOR_C, PV_W, QuarterMean
from site_agent.domain.horizon import QUARTER, Horizon
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.forecast.side import ForecastSide
from site_agent.store.memory import MemoryKeyValues
from site_agent.store.memory_history import MemoryHistory
from support.site import envelope, pv, snapshot
from support.thermometer import Thermometer

START = datetime.fromisoformat("2026-01-05T12:00:00+00:00")
EVER = (START - timedelta(days=9), START + timedelta(days=1))
ROOF = PvArray(pv_id="pv", rated_w=40_000.0, modules_w=40_000.0, tilt_deg=15.0, azimuth_deg=180.0)


class Bench:
    """A site that draws 9 kW under 4 kW of PV."""

    def __init__(self) -> None:
        self.clock = FakeClock(START)
        self.store = MemoryHistory()
        ground = ForecastGround(calendar=Calendar(), largest_w=20_000.0, place=None, arrays=(ROOF,))
        self.side = ForecastSide(
            ground, self.store, MemoryKeyValues(), self.clock, roster=lambda _: ()
        )
        self.told = 0
        self.side.on_change(self._count)

    def _count(self) -> None:
        self.told += 1

    def latest(self) -> Cycle:
        seen = snapshot(building_w=9_000.0, pv_states=[pv(-4_000.0)])
        now = self.clock.now()
        power = replace(seen.pcc.power_w, at=now)
        made = replace(seen.pv[0], power_w=replace(seen.pv[0].power_w, at=now))
        seen = replace(seen, at=now, pcc=replace(seen.pcc, power_w=power), pv=(made,))
        return Cycle(snapshot=seen, decision=decide(seen, envelope(seen.model)))


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_was_seen_before_an_orderly_stop_is_kept(bench: Bench) -> None:
    await bench.side.load()
    bench.side.connect(bench.latest, {"weather": Thermometer("temperature_c", 4.0)}, "weather")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in bench.side.runs()]
        await bench.clock.advance(20)
        for task in tasks:
            task.cancel()
    assert await bench.store.series() == []  # the first minute is not over
    await bench.side.close()
    for series, value in ((LOAD_W, 9_000.0), (PV_W, 4_000.0), (OUTDOOR_C, 4.0)):
        (found,) = await bench.store.quarters(series, *EVER)
        assert (found.mean, found.covered_s) == (value, 20.0)


async def test_a_plan_gets_the_middle_course_with_pv_negative_and_hears_of_news(
    bench: Bench,
) -> None:
    await bench.store.add(
        QuarterMean(series=series, start=START - i * QUARTER, mean=value, covered_s=900.0)
        for series, value in ((LOAD_W, 9_000.0), (PV_W, 4_000.0))
        for i in range(1, 96 * 8)
    )
    await bench.side.forecaster.refresh()
    assert bench.told == 1
    found = bench.side.outlook(Horizon(start=START, count=8))
    assert found.building_w == pytest.approx([9_000.0] * 8)
    assert found.pv_w == pytest.approx([-4_000.0] * 8)
    assert bench.side.stays(Horizon(start=START, count=8)) == ()
    assert bench.side.conditions() == {}
