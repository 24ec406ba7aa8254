"""The history keeper: means of quarters from control cycles, stays from plug to plug."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts.errors import TransientError
from contracts.reading import Reading
from contracts.testing import FakeClock
from site_agent.domain.decide.control import decide
from site_agent.domain.forecast.record import LOAD_W, OUTDOOR_C, PV_W, QuarterMean, pv_of, soc_of
from site_agent.domain.forecast.stays import PastStay
from site_agent.domain.horizon import QUARTER
from site_agent.domain.site import SiteSnapshot
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.forecast.history import OPEN_KEY, HistoryKeeper
from site_agent.store.memory import MemoryKeyValues
from site_agent.store.memory_history import MemoryHistory
from support.site import battery, charger, envelope, need, pv, snapshot
from support.thermometer import Thermometer

START = datetime.fromisoformat("2026-01-05T12:00:00+00:00")
SEEN = timedelta(seconds=5)
"""A change is seen with the next sample."""
EVER = (START - timedelta(days=1), START + timedelta(days=1))


class FullDisk(MemoryHistory):
    """Refuses what it is asked to store while it is full."""

    full = False

    async def add(self, parts: Iterable[QuarterMean]) -> None:
        if self.full:
            raise TransientError("database: disk full")
        await super().add(parts)


class Bench:
    """A keeper that sees whatever the test says the site is like."""

    def __init__(self) -> None:
        self.clock = FakeClock(START)
        self.store = FullDisk()
        self.memory = MemoryKeyValues()
        self.outdoor = Thermometer("ambient_temperature_c", 7.0)
        self.site: SiteSnapshot | None = snapshot()
        self.keeper = self.fresh()

    def fresh(self) -> HistoryKeeper:
        return HistoryKeeper(
            latest=self.latest,
            store=self.store,
            memory=self.memory,
            clock=self.clock,
            outdoor=self.outdoor,
        )

    def latest(self) -> Cycle | None:
        """What the control loop saw last: this instant."""
        if self.site is None:
            return None
        shift = self.clock.now() - self.site.at
        seen = replace(
            self.site,
            at=self.clock.now(),
            pcc=replace(self.site.pcc, power_w=later(self.site.pcc.power_w, shift)),
            chargers=tuple(
                replace(
                    one,
                    power_w=later(one.power_w, shift),
                    current_a=later(one.current_a, shift),
                    energy_wh=later(one.energy_wh, shift),
                )
                for one in self.site.chargers
            ),
            pv=tuple(replace(one, power_w=later(one.power_w, shift)) for one in self.site.pv),
            batteries=tuple(
                replace(one, power_w=later(one.power_w, shift), soc_pct=later(one.soc_pct, shift))
                for one in self.site.batteries
            ),
        )
        return Cycle(snapshot=seen, decision=decide(seen, envelope(seen.model)))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.keeper.load()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.keeper.run())
            await self.clock.advance(0)
            yield
            task.cancel()

    async def means(self, series: str) -> list[tuple[float, float]]:
        """`(mean, seconds seen)` of the quarters there are."""
        await self.keeper.write()
        found = await self.store.quarters(series, *EVER)
        return [(round(one.mean, 1), one.covered_s) for one in found]

    async def stays(self) -> list[PastStay]:
        await self.keeper.write()
        return list(await self.store.stays(*EVER))


def later(reading: Reading, shift: timedelta) -> Reading:
    return replace(reading, at=reading.at + shift)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_the_building_is_what_is_left_of_the_meter(bench: Bench) -> None:
    """Chargers and batteries are ours, PV is forecast by itself: 9 kW of building stay."""
    bench.site = snapshot(
        building_w=9_000.0,
        chargers=[charger("a", drawn_a=16.0, limit_a=16.0)],
        batteries=[battery(power_w=5_000.0, soc_pct=40.0)],
        pv_states=[pv(-4_000.0)],
        needs=[need("a")],
    )
    async with bench.running():
        await bench.clock.advance(1800)
    assert await bench.means(LOAD_W) == [(9_000.0, 900.0), (9_000.0, 900.0)]
    assert await bench.means(PV_W) == [(4_000.0, 900.0), (4_000.0, 900.0)]
    assert await bench.means(pv_of("pv")) == await bench.means(PV_W)
    assert await bench.means(soc_of("battery")) == [(40.0, 900.0), (40.0, 900.0)]
    assert await bench.means(OUTDOOR_C) == [(7.0, 900.0), (7.0, 900.0)]


async def test_a_mean_is_weighted_by_time(bench: Bench) -> None:
    async with bench.running():
        await bench.clock.advance(300)
        bench.site = snapshot(building_w=40_000.0)
        await bench.clock.advance(600)
    assert await bench.means(LOAD_W) == [(30_000.0, 900.0)]


async def test_what_is_not_measured_is_not_covered(bench: Bench) -> None:
    async with bench.running():
        await bench.clock.advance(300)
        bench.site = snapshot(building_w=None)
        bench.outdoor.celsius = None
        await bench.clock.advance(900)
        bench.site = None
        await bench.clock.advance(900)
    assert await bench.means(LOAD_W) == [(10_000.0, 300.0)]
    assert await bench.means(OUTDOOR_C) == [(7.0, 300.0)]


async def test_an_outage_is_no_history_of_the_load_but_stays_go_on(bench: Bench) -> None:
    bench.site = snapshot(chargers=[charger("a", energy_wh=4_000.0)], needs=[need("a")])
    async with bench.running():
        await bench.clock.advance(300)
        bench.keeper.usual = lambda: False
        bench.site = snapshot(building_w=0.0, chargers=[charger("a", plugged=False)])
        await bench.clock.advance(600)
    assert await bench.means(LOAD_W) == [(10_000.0, 300.0)]
    assert len(await bench.stays()) == 1


async def test_an_inverter_that_sleeps_makes_nothing_one_that_vanished_is_not_known(
    bench: Bench,
) -> None:
    async with bench.running():
        bench.site = snapshot(building_w=9_000.0, pv_states=[pv(-100.0)])
        await bench.clock.advance(900)
        bench.site = snapshot(building_w=9_000.0, pv_states=[pv(None, online=False)])
        await bench.clock.advance(900)
        bench.site = snapshot(building_w=9_000.0, pv_states=[pv(-20_000.0)])
        await bench.clock.advance(900)
        bench.site = snapshot(building_w=9_000.0, pv_states=[pv(None, online=False)])
        await bench.clock.advance(900)
    assert await bench.means(PV_W) == [(100.0, 900.0), (0.0, 900.0), (20_000.0, 900.0)]
    assert [mean for mean, _ in await bench.means(LOAD_W)] == [9_000.0] * 3
    slept = (await bench.store.quarters(PV_W, *EVER))[1]
    assert slept.estimated


async def test_pv_at_its_limit_is_marked_below_it_is_not(bench: Bench) -> None:
    held = replace(pv(-9_900.0), limited_w=10_000.0)
    free = replace(pv(-6_000.0), limited_w=10_000.0)
    async with bench.running():
        bench.site = snapshot(pv_states=[held])
        await bench.clock.advance(900)
        bench.site = snapshot(pv_states=[free])
        await bench.clock.advance(900)
    await bench.keeper.write()
    assert [one.curtailed for one in await bench.store.quarters(PV_W, *EVER)] == [True, False]


async def test_a_stay_is_kept_from_plug_to_plug(bench: Bench) -> None:
    async with bench.running():
        await bench.clock.advance(60)
        for charged in (0.0, 5_000.0, 12_000.0):
            seen = charger("a", energy_wh=charged, drawn_a=16.0, limit_a=16.0)
            bench.site = snapshot(chargers=[seen], needs=[need("a", wh=15_000.0 - charged)])
            await bench.clock.advance(1200)
            assert bench.keeper.present == {"van-a": START + timedelta(seconds=60) + SEEN}
        bench.site = snapshot(chargers=[charger("a", plugged=False)])
        await bench.clock.advance(60)
    (found,) = await bench.stays()
    assert (found.vehicle_id, found.evse_id) == ("van-a", "a")
    assert found.arrived == START + timedelta(seconds=60) + SEEN
    assert found.left == START + timedelta(seconds=3660) + SEEN
    assert (found.energy_wh, found.missing_wh) == (12_000.0, 3_000.0)
    assert bench.keeper.present == {}


async def test_a_second_transaction_adds_and_a_late_name_counts_from_the_plug(
    bench: Bench,
) -> None:
    async with bench.running():
        for charged, known in ((6_000.0, False), (2_000.0, True)):
            seen = charger("a", energy_wh=charged)
            bench.site = snapshot(chargers=[seen], needs=[need("a", known=known)])
            await bench.clock.advance(900)
        bench.site = snapshot(chargers=[charger("a", plugged=False)])
        await bench.clock.advance(5)
    (found,) = await bench.stays()
    assert (found.vehicle_id, found.energy_wh) == ("van-a", 8_000.0)
    assert found.arrived == START + SEEN


async def test_another_vehicle_is_another_stay_an_offline_charger_none(bench: Bench) -> None:
    async with bench.running():
        bench.site = snapshot(chargers=[charger("a")], needs=[need("a")])
        await bench.clock.advance(900)
        bench.site = snapshot(chargers=[charger("a", plugged=False, online=False)])
        await bench.clock.advance(900)
        other = replace(need("a"), vehicle_id="truck")
        bench.site = snapshot(chargers=[charger("a")], needs=[other])
        await bench.clock.advance(900)
    (found,) = await bench.stays()
    assert (found.vehicle_id, found.left) == ("van-a", START + timedelta(seconds=1800) + SEEN)
    assert set(bench.keeper.present) == {"truck"}


async def test_a_plug_that_was_tried_is_no_stay(bench: Bench) -> None:
    async with bench.running():
        bench.site = snapshot(chargers=[charger("a", energy_wh=20.0)], needs=[need("a")])
        await bench.clock.advance(60)
        bench.site = snapshot(chargers=[charger("a", plugged=False)])
        await bench.clock.advance(60)
    assert await bench.stays() == []


async def test_a_stay_outlives_a_restart(bench: Bench) -> None:
    bench.site = snapshot(chargers=[charger("a", energy_wh=4_000.0)], needs=[need("a")])
    async with bench.running():
        await bench.clock.advance(900)
    bench.keeper = bench.fresh()
    async with bench.running():
        await bench.clock.advance(900)
        bench.site = snapshot(chargers=[charger("a", plugged=False)])
        await bench.clock.advance(5)
    (found,) = await bench.stays()
    assert found.arrived == START
    assert found.energy_wh == 4_000.0
    assert await bench.memory.get(OPEN_KEY) == "{}"


async def test_a_full_disk_loses_nothing_as_long_as_the_agent_lives(bench: Bench) -> None:
    async with bench.running():
        await bench.clock.advance(300)
        bench.store.full = True
        await bench.clock.advance(3600)
        bench.store.full = False
        await bench.clock.advance(600)
    found = await bench.means(LOAD_W)
    assert found == [(10_000.0, 900.0)] * 5
    assert (await bench.store.quarters(LOAD_W, *EVER))[0].start == START
    assert (await bench.store.quarters(LOAD_W, *EVER))[4].start == START + 4 * QUARTER
