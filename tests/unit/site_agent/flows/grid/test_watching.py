"""Outage, island, return and restart, around a depot of small physics on a simulated clock."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from contracts.site_link.messages import Severity
from contracts.testing import FakeClock
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from site_agent.domain.grid.choices import GridChoices, GridPolicies
from site_agent.domain.grid.outage import GridPolicy
from site_agent.domain.grid.restore import RestorePolicy
from site_agent.domain.grid.stages import IslandPolicy
from site_agent.domain.grid.watch import Grid
from site_agent.domain.mode import Mode
from site_agent.flows.grid.side import GridSide
from site_agent.store.memory import MemoryKeyValues
from support.control import Site, after, fake_battery, fake_chargers, fake_pv, site
from support.depot import FakeBattery, Vehicle
from support.site import NOON, instruction

UTC = ZoneInfo("UTC")
ISLAND = IslandPolicy(evses=frozenset({"c1"}), building_w=5_000.0)
POLICIES = GridPolicies(
    island=ISLAND,
    grid=GridPolicy(stable_for=timedelta(seconds=30)),
    restore=RestorePolicy(share_per_minute=0.34, most_delay=timedelta(seconds=10)),
)
FLEET = {
    name: FleetVehicle(
        vehicle_id=name,
        departure=LeavesAfter(stay=timedelta(hours=1)),
        target=Target(energy_wh=20_000.0),
    )
    for name in ("van-1", "van-2", "van-3")
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


async def depot(
    clock: FakeClock, *, soc_pct: float = 80.0, sun_w: float = 0.0, kept: Site | None = None
) -> Site:
    chargers = fake_chargers(clock, 3)
    for number, charger in enumerate(chargers, start=1):
        charger.vehicle = Vehicle(tag=f"van-{number}")
    battery = fake_battery(clock)
    battery.soc_pct = soc_pct
    memory = kept.memory if kept else MemoryKeyValues()
    choices = GridChoices(zone=UTC, policies=POLICIES)
    one = await site(
        clock,
        chargers,
        batteries=[battery],
        pv=[fake_pv(clock, sun_w=sun_w)],
        vehicles=FLEET,
        grid=GridSide("depot", choices, memory, clock),
        of=kept.model if kept else None,
        kept=kept,
    )
    one.memory = memory
    return one


def goes_away(one: Site, *, silent: bool) -> None:
    one.depot.grid_away = True
    one.depot.meter_works = not silent


def comes_back(one: Site) -> None:
    one.depot.grid_away = False
    one.depot.meter_works = True


def drawn_a(one: Site) -> list[float]:
    return [round(charger.drawn_a, 1) for charger in one.depot.chargers]


def state(one: Site) -> Grid:
    assert one.grid is not None
    return one.grid.watch.state.grid


def battery_of(one: Site) -> FakeBattery:
    return one.depot.batteries[0]


@pytest.mark.row("site:E11")
@pytest.mark.parametrize("silent", [True, False], ids=["meter silent", "meter shows 0 V"])
async def test_an_island_charges_critical_vehicles_first(clock: FakeClock, silent: bool) -> None:
    one = await depot(clock, soc_pct=80.0)
    async with one.running():
        await clock.advance(10)
        assert drawn_a(one) == pytest.approx([32.0] * 3, abs=1.0)

        goes_away(one, silent=silent)
        await clock.advance(15)
        assert state(one) is Grid.OUTAGE
        critical, second, third = drawn_a(one)
        assert critical > 25.0
        assert second > 15.0
        assert third == 0.0, "two are what the battery bears"
        assert battery_of(one).power_w >= -battery_of(one).spec.max_discharge_w
        assert one.grid is not None
        assert one.loop.latest is not None
        assert one.loop.latest.mode is not None
        assert one.loop.latest.mode.mode is Mode.ISLAND
        told = one.grid.conditions()
        assert told["grid-outage", "pcc"].severity is Severity.ALARM
        assert "critical chargers first, then all" in told["island", "pcc"].text

        battery_of(one).soc_pct = 50.0
        await clock.advance(15)
        assert drawn_a(one)[1:] == [0.0, 0.0]
        assert drawn_a(one)[0] > 20.0
        battery_of(one).soc_pct = 20.0
        await clock.advance(10)
        assert drawn_a(one) == pytest.approx([0.0] * 3, abs=0.2), "kept for the building"


@pytest.mark.row("site:E11")
async def test_load_returns_in_stages_once_the_grid_is_stable(clock: FakeClock) -> None:
    one = await depot(clock, soc_pct=50.0)
    async with one.running():
        await clock.advance(10)
        goes_away(one, silent=True)
        await clock.advance(20)
        assert drawn_a(one)[1:] == [0.0, 0.0]
        comes_back(one)
        await clock.advance(25)
        assert state(one) is Grid.RETURNING
        assert drawn_a(one)[1:] == [0.0, 0.0], "until it is stable"
        assert drawn_a(one)[0] > 20.0, "critical ones return at once"
        await clock.advance(10)
        assert state(one) is Grid.LIVE
        returned = [one.depot.load_w]
        for _ in range(3):
            await clock.advance(60)
            returned.append(one.depot.load_w)
    assert returned == sorted(returned)
    steps = [after - before for before, after in pairwise(returned)]
    assert max(steps) < 0.4 * 116_000.0, "a third of everything a minute, no snap-back"
    assert returned[-1] > 3 * 21_000.0


@pytest.mark.row("site:E11")
async def test_the_sun_charges_in_an_island_whose_battery_is_kept(clock: FakeClock) -> None:
    one = await depot(clock, soc_pct=20.0, sun_w=35_000.0)
    async with one.running():
        goes_away(one, silent=True)
        await clock.advance(90)
        assert drawn_a(one)[0] > 20.0
        assert battery_of(one).power_w >= 0.0, "nothing is taken from it"


@pytest.mark.row("site:E11")
async def test_an_agent_that_restarts_in_an_outage_goes_on_with_it(clock: FakeClock) -> None:
    one = await depot(clock, soc_pct=50.0)
    async with one.running():
        goes_away(one, silent=True)
        await clock.advance(30)
        assert state(one) is Grid.OUTAGE
    again = await depot(clock, kept=one)
    assert state(again) is Grid.OUTAGE, "before anything was looked at"
    async with again.running():
        await clock.advance(30)
        assert state(again) is Grid.OUTAGE
        assert drawn_a(again)[1:] == [0.0, 0.0]
        comes_back(again)
        await clock.advance(20)
        assert state(again) is Grid.RETURNING
    third = await depot(clock, kept=again)
    async with third.running():
        await clock.advance(25)
        assert state(third) is Grid.RETURNING, "its time begins anew"
        await clock.advance(10)
        assert state(third) is Grid.LIVE


@pytest.mark.row("site:A11")
async def test_load_returns_in_steps_after_an_event(clock: FakeClock) -> None:
    one = await depot(clock)
    made = instruction(25_000.0, start=after(10), step=timedelta(seconds=20))
    await one.instructions.receive(made)
    async with one.running():
        await clock.advance(28)
        held_w = one.depot.load_w
        await clock.advance(20)
        loads = [one.depot.load_w]
        for _ in range(3):
            await clock.advance(60)
            loads.append(one.depot.load_w)
    assert loads == sorted(loads)
    assert held_w < loads[0] < held_w + 0.4 * (3 * 22_080.0 + 50_000.0)
    assert loads[-1] > 3 * 21_000.0, "and all of it in the end"


async def test_a_return_goes_on_over_a_restart(clock: FakeClock) -> None:
    one = await depot(clock)
    await one.instructions.receive(
        instruction(25_000.0, start=after(5), step=timedelta(seconds=10))
    )
    async with one.running():
        await clock.advance(20)
    again = await depot(clock, kept=one)
    async with again.running():
        await clock.advance(10)
        assert again.loop.latest is not None
        limit = again.loop.latest.decision.envelope.load_w
        assert limit is not None
        assert "the return after the event" in limit.cause
        assert again.grid is not None
        assert ("restoring", "pcc") in again.grid.conditions()
        await clock.advance(180)
        assert again.loop.latest.decision.envelope.load_w is None
        assert ("restoring", "pcc") not in again.grid.conditions()
