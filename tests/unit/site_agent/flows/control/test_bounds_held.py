"""The loop around a depot of small physics: bounds on load, generation and storage, and a stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.site_link.messages import InstructionState, InstructionStatus
from contracts.testing import FakeClock
from site_agent.domain.device import Lapse
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from support.control import Site, after, fake_battery, fake_chargers, fake_pv, site
from support.depot import FakeDepot, Vehicle
from support.site import NOON, instruction

STARTED, APPLIED = InstructionState.STARTED, InstructionState.APPLIED
BEGIN_S, END_S = 30.0, 150.0
FOLLOWED_S = 6.0
LOAD_W, GENERATION_W, IMPORT_W = 40_000.0, -20_000.0, 60_000.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


async def asked(depot: Site, import_w: float | None = None, **bounds: object) -> None:
    length = timedelta(seconds=END_S - BEGIN_S)
    made = instruction(import_w, start=after(BEGIN_S), step=length, **bounds)  # type: ignore[arg-type]  # a test's shorthand
    assert (await depot.instructions.receive(made)).state is InstructionState.STORED


async def watched(
    depot: Site, until_s: float, holds: Callable[[FakeDepot], bool], since_s: float = 0.0
) -> None:
    """Look once a second, from when devices have had time to follow."""
    clock = depot.clock
    begun = max(BEGIN_S + FOLLOWED_S, since_s)
    await clock.advance(begun - (clock.now() - NOON).total_seconds())
    while clock.now() < after(until_s):
        assert holds(depot.depot), (clock.now(), depot.depot.load_w, depot.depot.generation_w)
        await clock.advance(1)


class TestLoadLimit:
    async def test_it_is_held_and_then_released(self, clock: FakeClock) -> None:
        depot = await site(clock, fake_chargers(clock, 6))
        await asked(depot, load_w=LOAD_W)
        async with depot.running():
            await watched(depot, END_S, lambda d: 0.9 * LOAD_W < d.load_w <= LOAD_W)
            await clock.advance(30)
            assert depot.depot.load_w > 3 * LOAD_W
        assert depot.statuses()[:2] == [("i1", STARTED), ("i1", APPLIED)]

    async def test_a_silent_charger_is_paid_for_by_the_others(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 4)
        depot = await site(clock, chargers)
        await asked(depot, load_w=LOAD_W)
        async with depot.running():
            await clock.advance(BEGIN_S - 5)
            chargers[0].hangs = True  # it goes on at 32 A: 22.08 kW
            await watched(depot, END_S, lambda d: d.load_w <= LOAD_W, since_s=BEGIN_S + 10)
            assert sum(c.power_w for c in chargers[1:]) == pytest.approx(17_520, rel=0.1)

    async def test_the_meter_may_be_gone(self, clock: FakeClock) -> None:
        depot = await site(clock, fake_chargers(clock, 6))
        await asked(depot, load_w=LOAD_W)
        async with depot.running():
            await clock.advance(BEGIN_S - 5)
            depot.depot.meter_works = False
            await watched(depot, END_S, lambda d: 0.9 * LOAD_W < d.load_w <= LOAD_W)

    async def test_a_battery_charges_beside_vehicles_without_breaking_it(
        self, clock: FakeClock
    ) -> None:
        chargers, battery = fake_chargers(clock, 1), fake_battery(clock)
        depot = await site(
            clock, chargers, batteries=[battery], pv=[fake_pv(clock, sun_w=40_000)], building_w=0
        )
        await asked(depot, load_w=30_000.0)
        async with depot.running():
            await watched(depot, END_S, lambda d: 28_000 < d.load_w <= 30_000)
        assert battery.power_w > 5_000

    async def test_a_battery_that_falls_silent_while_it_charges_is_paid_for(
        self, clock: FakeClock
    ) -> None:
        chargers, battery = fake_chargers(clock, 2), fake_battery(clock, lapse=Lapse.NONE)
        chargers[1].vehicle = None
        depot = await site(clock, chargers, batteries=[battery])
        await asked(depot, load_w=LOAD_W, storage_w=15_000.0)
        async with depot.running():
            await clock.advance(BEGIN_S + FOLLOWED_S)
            assert battery.power_w == pytest.approx(15_000, rel=0.02)
            battery.online = False  # it goes on charging
            chargers[1].vehicle = Vehicle()
            await watched(depot, END_S, lambda d: d.load_w <= LOAD_W)
            assert sum(c.power_w for c in chargers) == pytest.approx(24_600, rel=0.05)


class TestGenerationLimit:
    async def test_pv_is_held_in_proportion_and_then_released(self, clock: FakeClock) -> None:
        roof, shed = (
            fake_pv(clock, sun_w=40_000, pv_id="roof"),
            fake_pv(clock, sun_w=18_000, rated_w=20_000, pv_id="shed"),
        )
        depot = await site(clock, [], pv=[roof, shed])
        await asked(depot, generation_w=GENERATION_W)
        async with depot.running():
            await watched(depot, END_S - 1, lambda d: d.generation_w >= GENERATION_W)
            assert (roof.power_w, shed.power_w) == pytest.approx((-13_333, -6_667), abs=2)
            await clock.advance(5)
            assert (roof.limit_w, shed.limit_w) == (None, None)
        assert depot.statuses()[:2] == [("i1", STARTED), ("i1", APPLIED)]

    async def test_a_battery_that_holds_the_import_limit_stays_inside(
        self, clock: FakeClock
    ) -> None:
        battery, roof = fake_battery(clock), fake_pv(clock, sun_w=8_000)
        depot = await site(clock, [], batteries=[battery], pv=[roof], building_w=90_000)
        await asked(depot, IMPORT_W, generation_w=GENERATION_W)
        async with depot.running():
            await watched(depot, 90, lambda d: d.generation_w >= GENERATION_W)
            assert battery.power_w == pytest.approx(-12_000, rel=0.02)
            roof.sun_w = 30_000  # the sun comes out: PV has no room, for the battery has it
            await watched(depot, 120, lambda d: d.generation_w >= GENERATION_W)
            roof.sun_w = 0
            await watched(depot, END_S, lambda d: d.generation_w >= GENERATION_W)
            assert battery.power_w == pytest.approx(-20_000, rel=0.02)

    async def test_pv_takes_room_back_from_a_battery_with_a_target(self, clock: FakeClock) -> None:
        battery, roof = fake_battery(clock), fake_pv(clock, sun_w=2_000)
        depot = await site(clock, [], batteries=[battery], pv=[roof], building_w=60_000)
        await asked(depot, generation_w=GENERATION_W, storage_w=-30_000.0)
        async with depot.running():
            await watched(depot, 70, lambda d: d.generation_w >= GENERATION_W)
            assert battery.power_w == pytest.approx(-16_000, rel=0.02)
            roof.sun_w = 15_000
            await watched(depot, END_S, lambda d: d.generation_w >= GENERATION_W - 500)
            assert roof.power_w == pytest.approx(-15_000, rel=0.02)
            assert battery.power_w == pytest.approx(-3_000, rel=0.1)

    async def test_an_inverter_that_takes_no_limit_is_paid_for_and_named(
        self, clock: FakeClock
    ) -> None:
        roof = fake_pv(clock, sun_w=40_000, pv_id="roof")
        shed = fake_pv(clock, sun_w=9_000, rated_w=10_000, pv_id="shed")
        shed.refuses = True
        depot = await site(clock, [], pv=[roof, shed])
        await asked(depot, generation_w=GENERATION_W)
        async with depot.running():
            await watched(depot, END_S - 1, lambda d: d.generation_w >= GENERATION_W)
            assert roof.power_w == pytest.approx(-10_000, abs=2)
        (applied,) = [
            row
            for row in (numbered.row for numbered in depot.outbox.rows)
            if isinstance(row, InstructionStatus) and row.state is APPLIED
        ]
        assert applied.reason == "accepted, except by shed (offline or without answer)"

    async def test_pv_is_cut_before_a_battery_gives_and_freed_after_it_gives_less(
        self, clock: FakeClock
    ) -> None:
        battery, roof = fake_battery(clock), fake_pv(clock, sun_w=5_000)
        depot = await site(clock, [], batteries=[battery], pv=[roof], building_w=70_000)
        await asked(depot, IMPORT_W, generation_w=GENERATION_W)
        async with depot.running():
            await clock.advance(END_S + 10)
        gave = [s.power_w for s in battery.told]
        assert min(gave) == pytest.approx(-5_600, rel=0.02)
        (cut_at, _), (freed_at, freed) = roof.changed[0], roof.changed[-1]
        assert after(BEGIN_S) <= cut_at < after(BEGIN_S + 1)
        assert freed is None
        assert freed_at >= after(END_S)


class TestStorageTarget:
    async def test_it_is_followed_and_then_given_up(self, clock: FakeClock) -> None:
        battery = fake_battery(clock)
        depot = await site(clock, [], batteries=[battery])
        await asked(depot, storage_w=20_000.0)
        async with depot.running():
            await clock.advance(BEGIN_S + FOLLOWED_S)
            assert battery.power_w == pytest.approx(20_000, rel=0.01)
            await clock.advance(END_S - BEGIN_S)
            assert battery.power_w == pytest.approx(12_500, rel=0.01)  # gently, as before

    async def test_inside_an_import_limit_vehicles_on_time_come_first(
        self, clock: FakeClock
    ) -> None:
        hurried = FleetVehicle(
            vehicle_id="van",
            departure=LeavesAfter(stay=timedelta(hours=2)),
            target=Target(energy_wh=40_000),
        )
        chargers, battery = fake_chargers(clock, 1), fake_battery(clock)
        chargers[0].vehicle = Vehicle(tag="VAN")
        depot = await site(clock, chargers, batteries=[battery], vehicles={"van": hurried})
        await asked(depot, 40_000.0, storage_w=20_000.0)
        async with depot.running():
            await watched(depot, END_S, lambda d: d.pcc_w <= 40_000)
            assert chargers[0].power_w == pytest.approx(20_000, rel=0.05)
            assert battery.power_w == pytest.approx(39_600 - 10_000 - 20_000, rel=0.1)

    async def test_an_export_limit_holds_a_discharge(self, clock: FakeClock) -> None:
        chargers, battery = fake_chargers(clock, 1), fake_battery(clock)
        depot = await site(clock, chargers, batteries=[battery])
        await asked(depot, export_w=0.0, storage_w=-50_000.0)
        async with depot.running():
            await watched(depot, 90, lambda d: d.pcc_w >= -100)
            assert battery.power_w == pytest.approx(-32_080, rel=0.02)
            chargers[0].vehicle = None
            await clock.advance(4)
            await watched(depot, END_S, lambda d: d.pcc_w >= -100)
            assert battery.power_w == pytest.approx(-10_000, rel=0.02)


class TestAStop:
    async def test_everything_stops_and_goes_on_afterwards(self, clock: FakeClock) -> None:
        chargers, battery = fake_chargers(clock, 3), fake_battery(clock)
        chargers[2].vehicle = None
        roof = fake_pv(clock, sun_w=30_000)
        depot = await site(clock, chargers, batteries=[battery], pv=[roof])
        await asked(depot, energize=False)
        async with depot.running():
            await clock.advance(BEGIN_S)
            assert depot.depot.load_w > 40_000
            await watched(depot, 60, lambda d: d.load_w < 100 and d.generation_w == 0)
            chargers[2].vehicle = Vehicle()  # it comes into a stop
            depot.loop.wake()
            await watched(depot, END_S, lambda d: d.load_w < 100 and d.generation_w == 0)
            await clock.advance(70)
            assert depot.depot.load_w > 60_000
            assert roof.power_w == -30_000
        assert depot.statuses()[:2] == [("i1", STARTED), ("i1", APPLIED)]


async def test_a_restart_in_mid_event_keeps_every_bound(clock: FakeClock) -> None:
    chargers, battery = fake_chargers(clock, 4), fake_battery(clock)
    roof = fake_pv(clock, sun_w=40_000)
    first = await site(clock, chargers, batteries=[battery], pv=[roof])
    await asked(first, load_w=LOAD_W, generation_w=GENERATION_W, storage_w=5_000.0)
    async with first.running():
        await clock.advance(BEGIN_S + 30)
    second = await site(clock, chargers, kept=first)
    async with second.running():
        await watched(
            second,
            END_S,
            lambda d: d.load_w <= LOAD_W and d.generation_w >= GENERATION_W,
            since_s=BEGIN_S + 31,
        )
        assert battery.power_w == pytest.approx(5_000, rel=0.05)
