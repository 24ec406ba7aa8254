"""The planner: plans in its own time and at once on change, survives restarts, never blocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from contracts.days import Days
from contracts.series import StepSeries
from contracts.testing import FakeClock
from contracts.time import Interval
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.horizon import Horizon
from site_agent.domain.plan.compose import Outlook
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.tariff.tariff import (
    DemandCharge,
    Dynamic,
    EnergySchedule,
    PriceStep,
    Tariff,
)
from site_agent.flows.orders.instructions import Instructions
from site_agent.flows.plan.memory import record_of, record_text, schedule_of, schedule_text
from site_agent.flows.plan.planner import Planner, PlanSources, as_measured
from site_agent.store.memory import MemoryInstructions, MemoryKeyValues, MemoryOutbox
from support.site import (
    NOON,
    battery,
    charger,
    envelope,
    instruction,
    meter,
    model,
    need,
    pv,
    snapshot,
)
from support.waiting import until

DEAR_UNTIL = 20
TARIFF = Tariff(
    name="t",
    currency="EUR",
    zone=ZoneInfo("UTC"),
    energy=(
        EnergySchedule(
            name="all",
            days=Days(),
            steps=(
                PriceStep(minute=0, per_kwh=0.1),
                PriceStep(minute=480, per_kwh=0.4),
                PriceStep(minute=60 * DEAR_UNTIL, per_kwh=0.1),
            ),
        ),
    ),
    demand=(DemandCharge(name="month", per_kw=10.0),),
)


DYNAMIC = replace(TARIFF, dynamic=Dynamic())


class Bench:
    """A planner and what it is shown."""

    def __init__(
        self, memory: MemoryKeyValues | None = None, tariff: Tariff = TARIFF, **sources: Any
    ) -> None:
        self.clock = FakeClock(NOON)
        self.memory = memory or MemoryKeyValues()
        self.needs: tuple[VehicleNeed, ...] = (need("a", hours=14.0),)
        self.model = model([charger("a").spec, charger("b").spec])
        store = MemoryInstructions(MemoryOutbox())
        self.instructions = Instructions(self.model, store, self.clock, wake=lambda: None)
        self.planner = Planner(
            tariff, self.instructions, self.memory, self.clock, PlanSources(**sources)
        )

    def seen(self) -> SiteSnapshot:
        now = self.clock.now()
        chargers: list[ChargerState] = [
            charger(one.evse_id, limit_a=0.0, at=now) for one in self.needs
        ]
        plain = snapshot(chargers=chargers, needs=self.needs, of=self.model, pcc_at=now)
        return replace(plain, at=now)

    def ask(self) -> float | None:
        """What a control cycle learns of the vehicle at `a`."""
        here = self.seen()
        wish = self.planner(here, envelope(self.model)).vehicles_w.get("a")
        return None if wish is None else wish.value

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.planner.run())
            yield
            task.cancel()

    async def next_plan(self, within_s: float) -> Schedule:
        """The next one; the clock goes on while control asks every second."""
        before, made = self.planner.latest, self.clock.monotonic()

        async def seconds() -> None:
            while self.planner.latest is before:
                self.ask()
                await self.clock.advance(1.0)
                await until(lambda: not self._thinking())

        await asyncio.wait_for(seconds(), 60.0)
        assert self.clock.monotonic() - made <= within_s
        assert self.planner.latest is not None
        return self.planner.latest

    def _thinking(self) -> bool:
        return self.busy > 0

    busy = 0


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return watched(Bench(), monkeypatch)


def watched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Tells when a thread is at work: the pretended clock must not run away from it."""
    whole = bench.planner.plan

    async def plan() -> None:
        bench.busy += 1
        try:
            await whole()
        finally:
            bench.busy -= 1

    monkeypatch.setattr(bench.planner, "plan", plan)
    return bench


@pytest.mark.row("site:E6")
async def test_a_vehicle_is_wished_to_wait_for_cheap_power(bench: Bench) -> None:
    assert bench.ask() is None, "no plan yet"
    async with bench.running():
        schedule = await bench.next_plan(within_s=3)
        assert bench.ask() == 0.0
    assert schedule.vehicles[0].ready
    assert schedule.vehicles[0].power_w[: 8 * 4].max() == 0.0


async def test_it_plans_again_in_its_own_time(bench: Bench) -> None:
    async with bench.running():
        first = await bench.next_plan(within_s=3)
        second = await bench.next_plan(within_s=303)
    assert second.made_at - first.made_at >= timedelta(minutes=4, seconds=55)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"departure": NOON + timedelta(hours=2)}, id="leaves earlier"),
        pytest.param({"rank": 3}, id="another rank"),
        pytest.param({"required_wh": 30_000.0}, id="needs more"),
        pytest.param({"vehicle_id": "other"}, id="another vehicle"),
    ],
)
async def test_a_change_in_mid_shift_is_planned_within_five_seconds(
    bench: Bench, change: dict[str, Any]
) -> None:
    async with bench.running():
        await bench.next_plan(within_s=3)
        bench.needs = (replace(bench.needs[0], **change),)
        schedule = await bench.next_plan(within_s=5)
    assert schedule.vehicles[0].required_wh == bench.needs[0].required_wh
    assert schedule.vehicles[0].vehicle_id == bench.needs[0].vehicle_id


async def test_a_vehicle_that_comes_and_an_event_are_planned_at_once(bench: Bench) -> None:
    async with bench.running():
        await bench.next_plan(within_s=3)
        bench.needs += (need("b", hours=6.0),)
        assert len((await bench.next_plan(within_s=5)).vehicles) == 2
        later = NOON + timedelta(hours=1)
        await bench.instructions.receive(instruction(15_000.0, start=later, cause="peak"))
        schedule = await bench.next_plan(within_s=5)
    event = schedule.horizon.slot(later)
    assert schedule.net_w[event] <= 15_000.0


async def test_what_charges_by_itself_is_no_change(bench: Bench) -> None:
    async with bench.running():
        await bench.next_plan(within_s=3)
        bench.needs = (replace(bench.needs[0], required_wh=19_000.0),)
        with pytest.raises(AssertionError):
            await bench.next_plan(within_s=5)


async def test_whoever_knows_of_a_change_wakes_it(bench: Bench) -> None:
    async with bench.running():
        await bench.next_plan(within_s=3)
        bench.planner.wake()
        await bench.next_plan(within_s=5)


async def test_a_restart_goes_on_with_the_plan_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = watched(Bench(), monkeypatch)
    async with first.running():
        await first.next_plan(within_s=3)
    wish = first.ask()
    second = Bench(first.memory)
    await second.planner.load()
    await second.clock.advance(first.clock.monotonic())
    assert second.planner.latest is not None
    assert second.ask() == wish == 0.0


async def test_a_plan_that_cannot_be_read_is_no_reason_not_to_start() -> None:
    memory = MemoryKeyValues()
    await memory.put("planning/plan", '{"version": 1}')
    bench = Bench(memory)
    await bench.planner.load()
    assert bench.planner.latest is None


async def test_without_a_plan_nobody_is_guided_and_the_reason_is_told() -> None:
    def broken(horizon: Horizon) -> Outlook:
        return Outlook(building_w=np.full(horizon.count, np.nan), pv_w=horizon.filled(0.0))

    bench = Bench(outlook=broken)
    assert bench.ask() is None
    await bench.planner.plan()
    assert "building_w: needs a number" in bench.planner.failure
    assert bench.ask() is None


async def test_an_old_plan_guides_nobody(bench: Bench) -> None:
    bench.ask()
    await bench.planner.plan()
    assert bench.ask() == 0.0
    await bench.clock.advance(21 * 60)
    assert bench.ask() is None


async def test_plans_and_demand_are_the_same_after_being_stored() -> None:
    bench = Bench()
    bench.ask()
    await bench.planner.plan()
    made = bench.planner.latest
    assert made is not None
    again = schedule_of(schedule_text(made), made.zone)
    assert again is not None
    assert again.net_w == pytest.approx(made.net_w, rel=1e-5)
    assert again.demand == made.demand
    assert (again.name, again.bound_by, again.horizon) == (made.name, made.bound_by, made.horizon)
    assert again.vehicles[0].departs == made.vehicles[0].departs
    assert again.vehicles[0].power_w == pytest.approx(made.vehicles[0].power_w, rel=1e-5)
    stored = await bench.memory.get("planning/demand")
    assert stored is not None
    record = record_of(stored)
    assert record is not None
    assert record_text(record) == stored


def test_a_plan_of_another_version_is_left_alone() -> None:
    assert schedule_of('{"version": 0}', ZoneInfo("UTC")) is None


def test_without_forecasts_what_is_measured_goes_on() -> None:
    here = snapshot(
        building_w=12_000.0,
        chargers=[charger("a", drawn_a=16.0)],
        batteries=[battery(power_w=-5_000.0)],
        pv_states=[pv(-8_000.0)],
    )
    found = as_measured(here, Horizon.around(NOON, timedelta(hours=2)))
    assert found.building_w == pytest.approx(np.full(8, 12_000.0))
    assert found.pv_w == pytest.approx(np.array([-8_000.0] * 4 + [0.0] * 4))
    stale = replace(here, pcc=meter(None))
    assert as_measured(stale, Horizon(start=NOON, count=1)).building_w[0] == 50_000.0


@pytest.mark.row("portfolio:A13")
async def test_market_prices_move_the_vehicle_to_where_they_are_low() -> None:
    """The tariff is cheap from 20:00 on, the market from 14:00 to 16:00; the newest word plans."""
    at = [NOON + hours * timedelta(hours=1) for hours in (0, 2, 4, 14)]
    spans = zip(at, at[1:], (0.5, 0.01, 0.5), strict=False)
    market: StepSeries | None = StepSeries.of(
        (Interval(start=start, end=end), price) for start, end, price in spans
    )
    bench = Bench(tariff=DYNAMIC, market=lambda: market)
    bench.planner(bench.seen(), envelope(bench.model))
    await bench.planner.plan()
    assert share_of_vehicle(bench, at[1], at[2]) > 0.9
    assert bench.planner.market is market
    market = None  # too old: the tariff's own prices hold again
    await bench.planner.plan()
    assert share_of_vehicle(bench, at[1], at[2]) < 0.1
    assert bench.planner.market is None


def share_of_vehicle(bench: Bench, start: datetime, end: datetime) -> float:
    """How much of its energy is planned in here."""
    schedule = bench.planner.latest
    assert schedule is not None
    (vehicle,) = schedule.vehicles
    inside = np.asarray(schedule.horizon.share(start, end))
    return float(np.dot(vehicle.power_w, inside) / np.sum(vehicle.power_w))
