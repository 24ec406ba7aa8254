"""What an island decides: critical first, then as much as its batteries and PV bear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.decide.control import DEFAULT_POLICY, Decision, decide
from site_agent.domain.device import BatteryState, ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.grid.island import building_span, held, island, limits, picture, runs
from site_agent.domain.grid.stages import IslandPolicy, Stage, charge_pct, stage_of
from site_agent.domain.protect.envelope import combine
from site_agent.domain.protect.limits import standing_limits
from site_agent.domain.protect.room import moment_of
from site_agent.domain.site import SiteSnapshot
from support.site import NOON, W_PER_A, battery, charger, charger_spec, need, pv, snapshot

POLICY = IslandPolicy(evses=frozenset({"c"}), building_w=5_000.0)


def alone(
    *,
    soc_pct: float | None = 80.0,
    building_w: float = 10_000.0,
    made_w: float = 0.0,
    chargers: Sequence[ChargerState] = (),
    needs: Sequence[VehicleNeed] = (),
    rated_w: float = 50_000.0,
) -> SiteSnapshot:
    """A site on its own: the battery gives what the rest lacks, and the meter is silent."""
    drawn = sum(one.power_w.value or 0.0 for one in chargers)
    forms = replace(
        battery(power_w=made_w - building_w - drawn, soc_pct=soc_pct, rated_w=rated_w),
        islanded=True,
    )
    sun = [pv(-made_w)] if made_w else []
    return snapshot(
        building_w=None, chargers=chargers, batteries=[forms], pv_states=sun, needs=needs
    )


def decided(here: SiteSnapshot, policy: IslandPolicy = POLICY) -> Decision:
    soc = charge_pct(here.batteries, NOON, here.model.device_max_age)
    found = island(here, stage_of(soc, None, policy), balance(here), policy)
    seen = picture(here, found, policy)
    return decide(seen, combine([*standing_limits(here.model), *limits(seen, found)]))


def balance(here: SiteSnapshot) -> float | None:
    return held(None, building_span(here, moment_of(here, DEFAULT_POLICY), alone=True))


def amps(decision: Decision) -> dict[str, float]:
    return {one.evse_id: one.limit_a for one in decision.chargers}


def vehicles(*names: str, drawn_a: float = 6.0, limit_a: float = 6.0) -> list[ChargerState]:
    return [charger(name, drawn_a=drawn_a, limit_a=limit_a) for name in names]


@pytest.mark.row("site:E11")
@pytest.mark.parametrize(
    ("soc_pct", "made_w", "limits_a"),
    [
        pytest.param(80.0, 0.0, {"a": 20.7, "c": 29.0}, id="full: critical, then the rest"),
        pytest.param(50.0, 0.0, {"a": 0.0, "c": 29.0}, id="lower: critical alone"),
        pytest.param(20.0, 0.0, {"a": 0.0, "c": 0.0}, id="low: kept for the building"),
        pytest.param(20.0, 40_000.0, {"a": 0.0, "c": 31.4}, id="low: the sun beyond the building"),
        pytest.param(None, 0.0, {"a": 0.0, "c": 0.0}, id="unknown counts as empty"),
    ],
)
def test_the_charge_decides_who_may_charge(
    soc_pct: float | None, made_w: float, limits_a: dict[str, float]
) -> None:
    needs = [need("a", hours=1.0), need("c", hours=1.0)]
    here = alone(soc_pct=soc_pct, made_w=made_w, chargers=vehicles("a", "c"), needs=needs)
    assert amps(decided(here)) == pytest.approx(limits_a, abs=0.5)


def test_the_cause_says_why() -> None:
    low = decided(alone(soc_pct=50.0, chargers=vehicles("a"), needs=[need("a")]))
    assert low.chargers[0].cause == (
        "paused: the grid is away: critical chargers only, for the batteries are low"
    )


def test_a_critical_vehicle_is_critical_wherever_it_stands() -> None:
    one = IslandPolicy(vehicles=frozenset({need("a").vehicle_id}))
    here = alone(soc_pct=50.0, chargers=vehicles("a"), needs=[need("a", hours=1.0)])
    assert amps(decided(here, one))["a"] > 20.0


def test_what_the_island_does_not_feed_counts_as_nothing() -> None:
    fed = replace(POLICY, fed=frozenset({"c"}))
    dead = charger("a", drawn_a=None, limit_a=32.0, online=False)
    here = alone(chargers=[dead, *vehicles("c")], needs=[need("c", hours=1.0)], rated_w=35_000.0)
    assert amps(decided(here, fed))["c"] > amps(decided(here))["c"] + 10.0


def test_the_building_stays_what_it_was_while_that_can_be_true() -> None:
    """A vehicle on its way from 6 A to 20 A, and an inverter that is silent, hide what changes."""
    moving = charger("a", drawn_a=6.0, limit_a=20.0, since=NOON)
    silent = pv(None, rated_w=5_000.0)
    forms = replace(battery(power_w=-24_000.0), islanded=True)
    here = snapshot(building_w=None, chargers=[moving], batteries=[forms], pv_states=[silent])
    span = building_span(here, moment_of(here, DEFAULT_POLICY), alone=True)
    assert span is not None
    assert (span.low, span.high) == pytest.approx((24_000 - 13_800, 24_000 - 4_140 + 5_000))
    assert held(12_000.0, span) == 12_000.0
    assert held(5_000.0, span) == span.low
    assert held(40_000.0, span) == span.high
    assert held(None, span) == span.high, "the cautious side"
    assert held(12_000.0, None) == 12_000.0


def test_only_a_battery_that_carries_it_makes_an_island() -> None:
    idle = battery(power_w=0.0)
    for one, carries in (
        (replace(idle, islanded=True), True),
        (replace(idle, islanded=False), False),
        (battery(power_w=-8_000.0), True),
        (idle, False),
        (replace(idle, islanded=True, online=False), False),
    ):
        assert runs(snapshot(building_w=None, batteries=[one])) is carries


@pytest.mark.parametrize(
    ("before", "soc_pct", "stage"),
    [
        (None, 61.0, Stage.ALL),
        (Stage.ALL, 60.0, Stage.ALL),
        (Stage.ALL, 59.9, Stage.CRITICAL),
        (Stage.CRITICAL, 64.9, Stage.CRITICAL),
        (Stage.CRITICAL, 65.0, Stage.ALL),
        (Stage.SUN, 34.9, Stage.SUN),
        (Stage.SUN, 35.0, Stage.CRITICAL),
        (Stage.SUN, 70.0, Stage.ALL),
        (Stage.ALL, 10.0, Stage.SUN),
        (Stage.ALL, None, Stage.SUN),
    ],
)
def test_a_stage_ends_above_where_it_began(
    before: Stage | None, soc_pct: float | None, stage: Stage
) -> None:
    assert stage_of(soc_pct, before, IslandPolicy()) is stage


STATES = st.builds(
    charger,
    st.sampled_from(["a", "b", "c", "d"]).map(charger_spec),
    drawn_a=st.floats(0, 32),
    limit_a=st.floats(6, 32),
    plugged=st.booleans(),
)


@given(
    chargers=st.lists(STATES, max_size=4, unique_by=lambda one: one.spec.evse_id),
    soc_pct=st.none() | st.floats(0, 100),
    building_w=st.floats(0, 40_000),
    made_w=st.floats(0, 40_000),
)
def test_an_island_never_promises_more_than_it_has(
    chargers: list[ChargerState], soc_pct: float | None, building_w: float, made_w: float
) -> None:
    needs = [need(one.spec.evse_id) for one in chargers if one.plugged]
    here = alone(
        soc_pct=soc_pct, building_w=building_w, made_w=made_w, chargers=chargers, needs=needs
    )
    found = island(here, stage_of(soc_pct, None, POLICY), balance(here), POLICY)
    given_w = W_PER_A * sum(
        one.limit_a
        for one, state in zip(decided(here).chargers, here.chargers, strict=True)
        if state.plugged
    )
    assert given_w <= found.bearable_w + 1.0
    gives: BatteryState = here.batteries[0]
    assert found.bearable_w <= gives.spec.max_discharge_w + made_w
