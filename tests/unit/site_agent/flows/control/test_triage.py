"""Triage is asked when something changes, answered beside the loop, and bounds what is given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts.testing import FakeClock
from site_agent.domain.decide.control import DEFAULT_POLICY, decide
from site_agent.domain.decide.outlook import outlook_of
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.site import ROOT, CircuitNode, SiteSnapshot
from site_agent.flows.control.triage import EVERY, KnownChanges, Triaging
from support.control import fake_chargers, site
from support.site import (
    NOON,
    battery,
    charger,
    charger_spec,
    envelope,
    instruction,
    meter,
    model,
    need,
    snapshot,
)


def short(contract_w: float = 40_000.0, *, extra_wh: float = 0.0) -> SiteSnapshot:
    """Three vehicles that need 60 kWh in two hours, where 2 x 30 kW are left."""
    chargers = [charger(name, drawn_a=0.0, limit_a=0.0) for name in "abc"]
    wants = {"a": 15_000.0, "b": 20_000.0, "c": 25_000.0 + extra_wh}
    return snapshot(
        chargers=chargers,
        needs=[need(name, wh=wh, hours=2) for name, wh in wants.items()],
        of=model([one.spec for one in chargers], contract_w=contract_w),
    )


def later(depot: SiteSnapshot, seconds: float) -> SiteSnapshot:
    at = NOON + timedelta(seconds=seconds)
    return replace(depot, at=at, pcc=meter(depot.pcc.power_w.value, at))


@pytest.mark.row("site:E2")
def test_who_is_given_up_takes_what_others_leave_and_is_told_so() -> None:
    depot = short()
    limits = envelope(depot.model)
    made = Triaging(DEFAULT_POLICY).now(depot, limits)
    assert made is not None
    assert set(made.given_up) == {"c"}
    by_name = {one.evse_id: one for one in decide(depot, limits, triage=made).chargers}
    assert by_name["a"].limit_a > 0
    assert by_name["b"].limit_a > 0
    assert by_name["c"].limit_a == 0
    why = "leaves less than its 6 A, and not all can be ready"
    assert by_name["c"].cause == f"paused: the connection contract {why}"
    assert by_name["c"].bound_by == "the connection contract"
    plain = {one.evse_id: one.limit_a for one in decide(depot, limits).chargers}
    assert sum(plain.values()) == pytest.approx(sum(one.limit_a for one in by_name.values()), abs=2)


def test_it_is_asked_again_when_somebody_comes_or_limits_move_and_every_half_minute() -> None:
    triaging, depot = Triaging(DEFAULT_POLICY), short()
    limits = envelope(depot.model)
    first = triaging.now(depot, limits)
    assert triaging.now(later(depot, 10), limits) is first
    moved = replace(limits, import_w=Bound(value=30_000.0, cause="an event"))
    second = triaging.now(later(depot, 11), moved)
    assert second is not first
    fewer = replace(later(depot, 12), needs=depot.needs[:2])
    third = triaging.now(fewer, moved)
    assert third is not second
    assert third is not None
    assert third.given_up == {}
    assert triaging.now(later(fewer, 12 + EVERY.total_seconds()), moved) is not third


def test_a_gap_in_the_meter_gives_nobody_up() -> None:
    triaging, depot = Triaging(DEFAULT_POLICY), short(60_000.0)
    first = triaging.now(depot, envelope(depot.model))
    blind = replace(depot, at=NOON + EVERY)
    assert triaging.now(blind, envelope(depot.model)) is first


async def test_the_loop_does_not_wait_for_the_answer_and_is_told_when_it_is_there() -> None:
    told = asyncio.Event()
    triaging, depot = Triaging(DEFAULT_POLICY, answered=told.set), short()
    work = asyncio.create_task(triaging.run())
    assert triaging(depot, envelope(depot.model)) is None
    async with asyncio.timeout(60):
        await told.wait()
    made = triaging(depot, envelope(depot.model))
    assert made is not None
    assert set(made.given_up) == {"c"}
    work.cancel()


def test_a_vehicle_of_the_roster_is_counted_on_before_it_comes() -> None:
    def coming(now: datetime) -> Sequence[ExpectedStay]:
        return [
            ExpectedStay(
                vehicle_id="van-d",
                arrives=now + timedelta(hours=1),
                departs=now + timedelta(hours=2),
                required_wh=10_000.0,
                max_power_w=22_080.0,
            )
        ]

    depot = short(50_000.0, extra_wh=10_000.0)
    alone = Triaging(DEFAULT_POLICY).now(depot, envelope(depot.model))
    known = Triaging(DEFAULT_POLICY, coming).now(depot, envelope(depot.model))
    assert alone is not None
    assert known is not None
    assert alone.given_up == {}
    assert set(known.given_up) == {"c"}


async def test_an_event_to_come_and_its_end_are_foreseen() -> None:
    clock = FakeClock(NOON)
    depot = await site(clock, fake_chargers(clock, 2))
    hour = timedelta(hours=1)
    await depot.instructions.receive(instruction(20_000.0, start=NOON + hour, step=hour))
    of = model([charger_spec("a")])
    ahead = KnownChanges(of, depot.instructions)(NOON, envelope(of))
    assert [(at - NOON) / hour for at, _ in ahead] == [0, 1, 2]
    assert [one.import_w.value for _, one in ahead] == [200_000.0, 20_000.0, 200_000.0]
    tighter = replace(envelope(of), import_w=Bound(value=5_000.0, cause="an island"))
    assert KnownChanges(of, depot.instructions)(NOON, tighter) == [(NOON, tighter)]


class TestOutlook:
    def test_power_is_what_the_building_leaves_and_the_battery_adds(self) -> None:
        depot = snapshot(building_w=10_000.0, batteries=[battery(capacity_wh=100_000.0)])
        limits = envelope(depot.model)
        lower = replace(limits, import_w=Bound(value=60_000.0, cause="an event"))
        ahead = [(NOON, limits), (NOON + timedelta(hours=1), lower)]
        power = outlook_of(depot, ahead, DEFAULT_POLICY).bottlenecks[0]
        from_battery_w = 40_000.0 / 8  # half full, a tenth in reserve
        assert power.capacity == pytest.approx(
            [198_000.0 - 10_000.0 + from_battery_w, 59_400.0 - 10_000.0 + from_battery_w]
        )

    def test_a_board_counts_the_phases_of_what_hangs_on_it(self) -> None:
        board = CircuitNode(node_id="board", parent=ROOT, limit_a=20.0)
        specs = [charger_spec("a", "board"), charger_spec("b", "board", phases=(1,))]
        depot = snapshot(chargers=[charger(spec) for spec in specs], of=model(specs, nodes=[board]))
        made = outlook_of(depot, [(NOON, envelope(depot.model))], DEFAULT_POLICY)
        here = [one for one in made.bottlenecks if one.cause.startswith("the fuse of board")]
        assert {frozenset(one.weights) for one in here} == {frozenset("ab"), frozenset("a")}
        assert all(list(one.capacity) == [20.0] for one in here)
        assert max(one.weights.get("b", 0.0) for one in here) == pytest.approx(1 / 230)

    def test_a_load_limit_to_come_counts_from_then(self) -> None:
        depot = short()
        limited = envelope(depot.model, load_w=10_000.0)
        ahead = [(NOON, envelope(depot.model)), (NOON + timedelta(hours=1), limited)]
        made = outlook_of(depot, ahead, DEFAULT_POLICY)
        load = next(one for one in made.bottlenecks if "load limit" in one.cause)
        assert load.capacity[0] > 1e9
        assert load.capacity[1] == pytest.approx(9_900.0)
