"""Whole decisions on a tree: stations, phases, equal vehicles and turns, each with its cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.decide.allocate import Constraint, Demand, allocate
from site_agent.domain.decide.control import Decision, decide
from site_agent.domain.device import PHASES
from site_agent.domain.site import ROOT, CircuitNode
from support.site import NOON, charger, charger_spec, envelope, model, need, snapshot


def amps(decision: Decision) -> dict[str, float]:
    return {one.evse_id: one.limit_a for one in decision.chargers}


def station(name: str, limit_a: float, parent: str = ROOT) -> CircuitNode:
    return CircuitNode(node_id=name, parent=parent, limit_a=limit_a)


@pytest.mark.row("site:E1")
class TestStations:
    """Two connectors of one station share its power: a node of the tree."""

    def shared(self, limit_a: float, *, both: bool) -> Decision:
        specs = [charger_spec(f"s.{n}", "s") for n in (1, 2)]
        chargers = [
            charger(spec, drawn_a=0.0, limit_a=0.0, plugged=both or spec.evse_id == "s.1")
            for spec in specs
        ]
        needs = [need(one.spec.evse_id) for one in chargers if one.plugged]
        of = model(specs, nodes=[station("s", limit_a)])
        here = snapshot(chargers=chargers, needs=needs, of=of)
        return decide(here, envelope(here.model))

    def test_one_vehicle_has_the_station_to_itself(self) -> None:
        assert amps(self.shared(32.0, both=False))["s.1"] == 32.0

    def test_two_share_it_and_each_is_told_by_what_it_is_bound(self) -> None:
        made = self.shared(32.0, both=True)
        assert amps(made) == {"s.1": 16.0, "s.2": 16.0}
        fuse = "the fuse of s (32 A a phase)"
        assert {one.bound_by for one in made.chargers} == {fuse}
        assert {one.cause for one in made.chargers} == {f"shares {fuse}"}

    def test_where_it_bears_one_minimum_only_one_charges(self) -> None:
        given_a = sorted(amps(self.shared(11.0, both=True)).values())
        assert given_a == [0.0, 11.0]


@pytest.mark.row("site:E1")
class TestPhases:
    """Single-phase vehicles load one phase of a three-phase tree."""

    def test_a_crowded_phase_binds_only_those_on_it(self) -> None:
        phases: Sequence[tuple[int, ...]] = [(1,), (1,), (1,), (2,), PHASES]
        specs = [charger_spec(f"c{n}", "row", phases=p) for n, p in enumerate(phases)]
        chargers = [charger(spec, drawn_a=0.0, limit_a=0.0) for spec in specs]
        needs = [
            need(spec.evse_id, wh=8_000.0, max_w=32.0 * 230.0 * len(spec.phases)) for spec in specs
        ]
        of = model(specs, nodes=[station("row", 60.0)])
        here = snapshot(chargers=chargers, needs=needs, of=of)
        given_a = amps(decide(here, envelope(here.model)))
        one = sum(given_a[name] for name in ("c0", "c1", "c2", "c4"))
        two = given_a["c3"] + given_a["c4"]
        assert 59.0 <= one <= 60.0
        assert given_a["c3"] == 32.0
        assert two <= 60.0

    def test_a_phase_that_the_building_loads_leaves_less(self) -> None:
        specs = [charger_spec("a", phases=(1,)), charger_spec("b", phases=(2,))]
        chargers = [charger(spec, drawn_a=0.0, limit_a=0.0) for spec in specs]
        needs = [need(spec.evse_id, max_w=7_360.0) for spec in specs]
        here = snapshot(chargers=chargers, needs=needs, of=model(specs, root_a=60.0))
        one, two, three = (replace(here.pcc.power_w, value=value) for value in (50.0, 10.0, 10.0))
        uneven = replace(here.pcc, current_a=(one, two, three))
        given_a = amps(decide(replace(here, pcc=uneven), envelope(here.model)))
        assert given_a == {"a": 10.0, "b": 32.0}


@pytest.mark.row("site:E1")
@given(
    st.integers(2, 9),
    st.floats(6.0, 250.0),
    st.floats(0.5, 31.0),
    st.floats(-1.0, 12.0),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_equal_vehicles_get_equal_shares_or_one_more_minimum(
    count: int, capacity: float, need_a: float, laxity_h: float, decided: bool
) -> None:
    demands = [
        Demand(
            evse_id=f"c{n}",
            min_a=6.0,
            max_a=32.0,
            ceiling_a=32.0,
            wanted_a=32.0,
            need_a=need_a,
            laxity_h=laxity_h,
            departure=NOON + timedelta(hours=4),
        )
        for n in range(count)
    ]
    limit = Constraint(
        capacity=capacity, cause="the fuse", weights={one.evse_id: 1.0 for one in demands}
    )
    shares = allocate(demands, [limit], frozenset() if decided else None)
    charging = [share.limit_a for share in shares.values() if share.limit_a > 0]
    everybody_is_served = decided or need_a * count <= capacity
    steady_a = max(6.0, need_a)
    if everybody_is_served and steady_a * count <= capacity:
        assert len(charging) == count
        assert max(charging) - min(charging) <= 0.11
    if decided:
        assert len(charging) >= min(count, int(capacity // steady_a))


class TestTurns:
    """A vehicle that has just begun is not stopped for another, unless limits need it."""

    def two(self, since_s: float, contract_w: float) -> dict[str, float]:
        began = charger(
            "a", drawn_a=6.0, limit_a=6.0, since=NOON - timedelta(seconds=since_s), at=NOON
        )
        other = charger("b", drawn_a=0.0, limit_a=0.0)
        here = snapshot(
            chargers=[began, other],
            needs=[need("a", wh=20_000.0, hours=9), need("b", wh=20_000.0, hours=1)],
            building_w=10_000.0,
            of=model([began.spec, other.spec], contract_w=contract_w),
        )
        return amps(decide(here, envelope(here.model)))

    def test_it_keeps_its_minimum_for_a_minute(self) -> None:
        assert self.two(20.0, 32_000.0) == {"a": 6.0, "b": pytest.approx(25.4, abs=0.2)}
        assert self.two(61.0, 32_000.0)["a"] == 0.0

    def test_it_is_paused_at_once_where_limits_do_not_bear_it(self) -> None:
        assert self.two(20.0, 13_000.0)["a"] == 0.0
