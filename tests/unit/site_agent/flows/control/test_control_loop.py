"""The loop around a depot of small physics: limits are held, devices fail, agents die."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from contracts.site_link.messages import InstructionState
from contracts.testing import FakeClock
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from site_agent.domain.site import CircuitNode
from support.control import Site, after, fake_battery, fake_chargers, fake_pv, site
from support.depot import Vehicle, unplug
from support.site import NOON, instruction, model

STARTED, APPLIED, COMPLETED = (
    InstructionState.STARTED,
    InstructionState.APPLIED,
    InstructionState.COMPLETED,
)
LIMIT_W = 60_000.0
EVENT_S, END_S = 60.0, 180.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


async def with_event(depot: Site, limit_w: float = LIMIT_W) -> None:
    made = instruction(limit_w, start=after(EVENT_S), step=timedelta(seconds=END_S - EVENT_S))
    assert (await depot.instructions.receive(made)).state is InstructionState.STORED


class TestAnEvent:
    async def test_its_limit_is_held_and_then_released(self, clock: FakeClock) -> None:
        depot = await site(clock, fake_chargers(clock, 6))
        await with_event(depot)
        async with depot.running():
            await clock.advance(END_S + 30)
        before = depot.depot.mean_w(after(30), after(EVENT_S))
        assert before == pytest.approx(10_000 + 6 * 22_080, rel=0.01)
        assert depot.depot.peak_w(after(EVENT_S + 6), after(END_S)) <= LIMIT_W
        held = depot.depot.mean_w(after(EVENT_S + 6), after(END_S))
        assert held == pytest.approx(LIMIT_W, rel=0.03)
        assert depot.depot.mean_w(after(END_S + 10), after(END_S + 30)) > 0.95 * before

    async def test_its_statuses_are_told_once_and_in_time(self, clock: FakeClock) -> None:
        depot = await site(clock, fake_chargers(clock, 3))
        await with_event(depot)
        async with depot.running():
            await clock.advance(END_S + 30)
        assert depot.statuses() == [("i1", STARTED), ("i1", APPLIED), ("i1", COMPLETED)]
        started, applied, completed = (n.row.at for n in depot.outbox.rows)
        assert started == after(EVENT_S)
        assert applied - started < timedelta(seconds=1)
        assert completed == after(END_S)

    async def test_limits_are_not_chattered_about(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 6)
        depot = await site(clock, chargers)
        await with_event(depot)
        async with depot.running():
            await clock.advance(END_S + 30)
        # at the start, for the event, after it, a correction or two; the rest is asking again
        for charger in chargers:
            told = [setpoint.limit_a for setpoint in charger.told]
            assert sum(a != b for a, b in pairwise(told)) <= 5

    async def test_a_restless_building_is_followed_down_at_once(self, clock: FakeClock) -> None:
        depot = await site(clock, fake_chargers(clock, 6))
        await with_event(depot)
        over_s = 0.0
        async with depot.running():
            await clock.advance(EVENT_S + 10)
            for n in range(100):
                depot.depot.building_w = 10_000.0 + (15_000.0 if n % 40 >= 20 else 0.0)
                await clock.advance(1)
                over_s += depot.depot.pcc_w > LIMIT_W * 1.02
        assert over_s <= 3 * 5  # three rises, each gone within seconds
        held = depot.depot.mean_w(after(EVENT_S + 10), after(END_S - 10))
        assert 0.85 * LIMIT_W < held < LIMIT_W

    async def test_the_battery_helps_before_vehicles_fall_behind(self, clock: FakeClock) -> None:
        hurried = FleetVehicle(
            vehicle_id="van",
            departure=LeavesAfter(stay=timedelta(hours=2)),
            target=Target(energy_wh=40_000),
        )
        chargers, battery = fake_chargers(clock, 4), fake_battery(clock)
        for charger in chargers:
            charger.vehicle = Vehicle(tag="VAN")
        depot = await site(clock, chargers, batteries=[battery], vehicles={"van": hurried})
        await with_event(depot)
        async with depot.running():
            await clock.advance(END_S - 5)
            assert battery.power_w == pytest.approx(-31_000, rel=0.1)  # 4 x 20 kW + 10 - 59.4
            charging = sum(charger.power_w for charger in chargers)
            assert charging == pytest.approx(80_000, rel=0.05)
            await clock.advance(10)
        assert depot.depot.peak_w(after(EVENT_S + 6), after(END_S)) <= LIMIT_W * 1.02

    async def test_a_withdrawal_frees_the_site_at_once(self, clock: FakeClock) -> None:
        depot = await site(clock, fake_chargers(clock, 6))
        await with_event(depot)
        async with depot.running():
            await clock.advance(EVENT_S + 30)
            await depot.instructions.receive(instruction(seq=2, start=after(EVENT_S)))
            await clock.advance(15)
            assert depot.depot.pcc_w > 2 * LIMIT_W
        assert depot.statuses() == [
            ("i1", STARTED),
            ("i1", APPLIED),
            ("i1", InstructionState.SUPERSEDED),
            ("i2", COMPLETED),
        ]


class TestARestart:
    async def test_in_mid_event_keeps_holding_the_limit(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 6)
        first = await site(clock, chargers)
        await with_event(first)
        async with first.running():
            await clock.advance(EVENT_S + 30)
        second = await site(clock, chargers, kept=first)
        async with second.running():
            await clock.advance(END_S - EVENT_S - 30 + 10)
        since = after(EVENT_S + 6)
        assert second.depot.peak_w(since, after(END_S)) <= LIMIT_W
        assert second.statuses() == [("i1", STARTED), ("i1", APPLIED), ("i1", COMPLETED)]

    async def test_after_the_event_it_is_closed(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 2)
        first = await site(clock, chargers)
        await with_event(first)
        async with first.running():
            await clock.advance(EVENT_S + 30)
        await clock.advance(END_S)
        second = await site(clock, chargers, kept=first)
        async with second.running():
            await clock.advance(1)
        assert second.statuses()[-1] == ("i1", COMPLETED)

    async def test_an_event_slept_through_has_expired(self, clock: FakeClock) -> None:
        first = await site(clock, fake_chargers(clock, 2))
        await with_event(first)
        await clock.advance(END_S + 10)
        async with first.running():
            await clock.advance(1)
        assert first.statuses() == [("i1", InstructionState.EXPIRED)]


class TestDevicesFail:
    async def test_a_silent_charger_does_not_hold_up_the_others(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 6)
        depot = await site(clock, chargers)
        await with_event(depot)
        async with depot.running():
            await clock.advance(EVENT_S - 5)
            chargers[0].hangs = True
            await clock.advance(25)
            others = [charger.limit_a for charger in chargers[1:]]
            # 59.4 - 10 - 22.08 (it keeps its last limit) = 27.3 kW for five
            assert sum(limit or 0.0 for limit in others) * 690 == pytest.approx(27_300, rel=0.05)
            await clock.advance(END_S)
        assert depot.depot.peak_w(after(EVENT_S + 15), after(END_S)) <= LIMIT_W * 1.02

    async def test_it_comes_back_when_it_answers_again(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 2)
        depot = await site(clock, chargers)
        await with_event(depot)
        async with depot.running():
            await clock.advance(EVENT_S - 5)
            chargers[0].hangs = True
            await clock.advance(30)
            chargers[0].hangs = False
            await clock.advance(80)
            assert chargers[0].limit_a == pytest.approx(chargers[1].limit_a or 0, abs=6)
        assert ("i1", APPLIED) in depot.statuses()

    async def test_a_charger_that_refuses_is_named_and_the_rest_counts_as_applied(
        self, clock: FakeClock
    ) -> None:
        chargers = fake_chargers(clock, 3)
        depot = await site(clock, chargers)
        await with_event(depot)
        async with depot.running():
            await clock.advance(EVENT_S - 5)
            chargers[0].refuses = True
            await clock.advance(15)
        applied = depot.outbox.rows[-1].row
        assert applied.reason == "accepted, except by c1 (offline or without answer)"  # type: ignore[union-attr]  # a status

    async def test_an_offline_charger_is_left_alone(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 2)
        chargers[0].online = False
        depot = await site(clock, chargers)
        async with depot.running():
            await clock.advance(30)
        assert chargers[0].told == []
        assert chargers[1].limit_a == 32.0

    async def test_a_disobedient_charger_is_found_out_and_paid_for_by_others(
        self, clock: FakeClock
    ) -> None:
        chargers = fake_chargers(clock, 4)
        chargers[0].ignores = True
        depot = await site(clock, chargers)
        await with_event(depot)
        async with depot.running():
            await clock.advance(END_S - 10)
            assert depot.loop.latest is not None
            assert [c.obeys for c in depot.loop.latest.snapshot.chargers] == [False] + [True] * 3
            assert depot.depot.pcc_w == pytest.approx(LIMIT_W, rel=0.04)
        assert depot.depot.peak_w(after(EVENT_S + 15), after(END_S)) <= LIMIT_W * 1.02

    async def test_a_slow_charger_is_made_up_for(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 6)
        chargers[0].follow_s = 15.0
        depot = await site(clock, chargers)
        await with_event(depot)
        async with depot.running():
            await clock.advance(END_S)
        assert depot.depot.peak_w(after(EVENT_S + 15), after(END_S)) <= LIMIT_W * 1.03
        assert depot.depot.mean_w(after(EVENT_S + 60), after(END_S)) > 0.9 * LIMIT_W

    async def test_a_battery_that_gives_nothing_is_not_relied_on(self, clock: FakeClock) -> None:
        battery = fake_battery(clock)
        battery.stuck = True
        depot = await site(clock, fake_chargers(clock, 4), batteries=[battery], building_w=50_000)
        await with_event(depot)
        async with depot.running():
            await clock.advance(END_S)
        assert depot.depot.peak_w(after(EVENT_S + 15), after(END_S)) <= LIMIT_W * 1.02

    async def test_a_lost_meter_means_the_static_split(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 6)
        of = model([c.spec for c in chargers], contract_w=100_000, max_building_w=40_000)
        depot = await site(clock, chargers, of=of)
        async with depot.running():
            await clock.advance(30)
            depot.depot.meter_works = False
            await clock.advance(10)
            # 99 - 40 kW for six
            assert [c.limit_a for c in chargers] == pytest.approx([14.2] * 6, abs=0.1)
            depot.depot.meter_works = True
            await clock.advance(30)
            assert depot.depot.pcc_w == pytest.approx(99_000, rel=0.03)


class TestSafety:
    async def test_a_row_never_exceeds_its_fuse(self, clock: FakeClock) -> None:
        row = CircuitNode(node_id="row", parent="pcc", limit_a=63.0)
        chargers = fake_chargers(clock, 4, node="row")
        depot = await site(clock, chargers, of=model([c.spec for c in chargers], nodes=[row]))
        async with depot.running():
            for _ in range(60):
                await clock.advance(1)
                assert sum(c.drawn_a for c in chargers) <= 63.0
        assert sum(c.drawn_a for c in chargers) > 60.0

    async def test_falls_come_before_rises(self, clock: FakeClock) -> None:
        row = CircuitNode(node_id="row", parent="pcc", limit_a=40.0)
        chargers = fake_chargers(clock, 2, node="row")
        first, second = chargers
        second.vehicle = None
        depot = await site(clock, chargers, of=model([c.spec for c in chargers], nodes=[row]))
        async with depot.running():
            await clock.advance(30)
            first.latency_s = 1.5  # the fall takes its time
            second.vehicle = Vehicle()
            for _ in range(300):
                await clock.advance(0.1)
                assert (first.limit_a or 0) + (second.limit_a or 0) <= 40.0
                assert first.drawn_a + second.drawn_a <= 40.0
            assert second.limit_a == pytest.approx(20.0, abs=0.2)

    async def test_a_plug_in_starts_at_the_fail_safe_share(self, clock: FakeClock) -> None:
        chargers = fake_chargers(clock, 2)
        unplug(chargers[0])
        depot = await site(clock, chargers)
        async with depot.running():
            await clock.advance(20)
            assert chargers[0].limit_a == 6.0
            chargers[0].vehicle = Vehicle()
            depot.loop.wake()
            await clock.advance(1)
            assert chargers[0].limit_a == 32.0

    async def test_pv_is_curtailed_only_for_an_export_limit(self, clock: FakeClock) -> None:
        inverter = fake_pv(clock, sun_w=30_000)
        depot = await site(clock, [], pv=[inverter], building_w=5_000)
        made = replace(
            instruction(100_000.0, start=after(10), step=timedelta(seconds=30)),
        )
        steps = tuple(replace(step, export_limit_w=-10_000.0) for step in made.steps)
        await depot.instructions.receive(replace(made, steps=steps))
        async with depot.running():
            await clock.advance(9)
            assert inverter.limit_w is None
            await clock.advance(15)
            assert depot.depot.pcc_w == pytest.approx(-10_000, abs=100)
            await clock.advance(20)
            assert inverter.limit_w is None


async def test_leases_are_told_again_and_batteries_asked_every_cycle(clock: FakeClock) -> None:
    chargers, battery = fake_chargers(clock, 1), fake_battery(clock)
    depot = await site(clock, chargers, batteries=[battery])
    async with depot.running():
        await clock.advance(200)
    assert len(chargers[0].told) == 10
    assert len(battery.told) >= 190
