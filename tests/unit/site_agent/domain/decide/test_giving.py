"""Vehicles that give back: only who can and may, and only what every limit leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.decide.control import Decision, decide
from site_agent.domain.decide.guidance import Guidance
from site_agent.domain.device import ChargerState, Lapse
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.site import ROOT, CircuitNode, SiteSnapshot
from support.site import NOON, battery, charger, charger_spec, envelope, model, need, pv, snapshot

WHY = "the peak from 17:00 is dear"
V2G_A = 16.0
W_PER_A = 690.0

pytestmark = pytest.mark.row("site:E14")


def able(name: str = "a", node: str = ROOT, *, soc_pct: float | None = 80.0) -> ChargerState:
    spec = replace(charger_spec(name, node), max_discharge_a=V2G_A)
    here = charger(spec, drawn_a=0.0, limit_a=0.0, soc_pct=soc_pct)
    return replace(here, bidirectional=True)


def wished(*names: str, watts: float = -8_000.0) -> Guidance:
    return Guidance(vehicles_w={name: Bound(value=watts, cause=WHY) for name in names})


def depot(*chargers: ChargerState, hours: float = 8.0, wh: float = 5_000.0) -> SiteSnapshot:
    needs = [need(one.spec.evse_id, wh=wh, hours=hours) for one in chargers]
    return snapshot(chargers=chargers, needs=needs, building_w=40_000.0)


def amps(decision: Decision) -> list[float]:
    return [one.limit_a for one in decision.chargers]


def test_a_vehicle_gives_what_is_wished_and_says_why() -> None:
    here = depot(able())
    (setpoint,) = decide(here, envelope(here.model), guidance=wished("a")).chargers
    assert setpoint.limit_a == pytest.approx(-11.5)
    assert setpoint.cause == f"gives back: {WHY}"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"bidirectional": False}, "it cannot", id="one way"),
        pytest.param({"transaction_id": None}, "nobody may", id="no transaction"),
        pytest.param({"lapse": Lapse.NONE}, "it would never stop", id="keeps its limit"),
        pytest.param({"lapse": Lapse.UNKNOWN}, "it might never stop", id="may keep its limit"),
        pytest.param({"online": False}, "silent", id="offline"),
    ],
)
def test_a_charger_that_cannot_or_must_not_gives_nothing(
    changed: dict[str, object], why: str
) -> None:
    here = depot(replace(able(), **changed))  # type: ignore[arg-type]  # a table of fields
    assert amps(decide(here, envelope(here.model), guidance=wished("a")))[0] >= 0, why


@pytest.mark.parametrize(
    ("soc_pct", "expected_a"),
    [(None, 0.0), (20.0, 0.0), (30.0, 0.0), (30.5, -8.0), (31.0, -11.5), (90.0, -11.5)],
)
def test_a_battery_is_not_drawn_below_its_floor(soc_pct: float | None, expected_a: float) -> None:
    here = depot(able(soc_pct=soc_pct))
    given_a = amps(decide(here, envelope(here.model), guidance=wished("a")))
    assert given_a == [pytest.approx(expected_a)]


def test_a_vehicle_that_leaves_soon_or_is_unknown_gives_nothing() -> None:
    soon = depot(able(), hours=1.2)
    assert amps(decide(soon, envelope(soon.model), guidance=wished("a"))) == [0.0]
    here = depot(able())
    strange = replace(here, needs=tuple(replace(one, known=False) for one in here.needs))
    assert amps(decide(strange, envelope(here.model), guidance=wished("a"))) == [0.0]


def test_a_vehicle_that_is_late_charges_instead() -> None:
    late = depot(able(), hours=0.5, wh=20_000.0)
    rested = replace(late.chargers[0], limit_in_force_since=NOON - timedelta(hours=1))
    late = replace(late, chargers=(rested,))
    assert amps(decide(late, envelope(late.model), guidance=wished("a"))) == [32.0]


def test_what_the_site_may_export_bounds_it_and_the_laxer_gives_first() -> None:
    here = depot(able("a"), able("b"))
    needs = (here.needs[0], replace(here.needs[1], departure=NOON + timedelta(hours=20)))
    here = replace(here, needs=needs)
    limits = envelope(here.model, export_w=30_000.0)  # 10 kW below the building
    assert amps(decide(here, limits, guidance=wished("a", "b"))) == [-2.9, -11.5]
    nothing = envelope(here.model, export_w=40_000.0)
    assert amps(decide(here, nothing, guidance=wished("a", "b"))) == [0.0, 0.0]


def test_what_batteries_give_already_is_left_out() -> None:
    here = replace(depot(able()), batteries=(battery(),))
    here = replace(here, model=replace(here.model, batteries=(here.batteries[0].spec,)))
    limits = envelope(here.model, export_w=0.0, storage_w=-36_000.0)
    decision = decide(here, limits, guidance=wished("a"))
    given_w = -sum(one.power_w for one in decision.batteries) - amps(decision)[0] * W_PER_A
    assert given_w <= 40_000.0


def test_a_generation_limit_counts_pv_at_its_rating() -> None:
    here = depot(able())
    roof = pv(-1_000.0, rated_w=20_000.0)
    here = replace(here, pv=(roof,), model=replace(here.model, pv=(roof.spec,)))
    wide = envelope(here.model, generation_w=-25_000.0)
    tight = envelope(here.model, generation_w=-20_000.0)
    stop = envelope(here.model, energize=False)
    assert amps(decide(here, wide, guidance=wished("a"))) == [pytest.approx(-7.2)]
    assert amps(decide(here, tight, guidance=wished("a"))) == [0.0]
    assert amps(decide(here, stop, guidance=wished("a"))) == [0.0]


def test_without_a_meter_nobody_gives() -> None:
    here = replace(depot(able()), pcc=snapshot(building_w=None).pcc)
    assert amps(decide(here, envelope(here.model), guidance=wished("a"))) == [0.0]


def test_what_is_given_already_stays_unless_it_must_fall() -> None:
    giving = replace(able(), confirmed_limit_a=-11.0, limit_in_force_since=NOON)
    here = depot(giving)
    assert amps(decide(here, envelope(here.model), guidance=wished("a"))) == [-11.0]
    less = wished("a", watts=-7_000.0)
    assert amps(decide(here, envelope(here.model), guidance=less)) == [pytest.approx(-10.1)]


def test_a_giving_vehicle_makes_no_room_that_others_would_miss() -> None:
    giving = able("a")
    drawing = replace(
        giving,
        confirmed_limit_a=-10.0,
        power_w=replace(giving.power_w, value=-6_900.0),
        current_a=replace(giving.current_a, value=-10.0),
    )
    other = charger("b", drawn_a=0.0, limit_a=6.0)
    here = snapshot(
        chargers=[drawing, other],
        needs=[need("a", hours=9), need("b", hours=9)],
        building_w=190_000.0,
    )
    here = replace(here, model=model([drawing.spec, other.spec], contract_w=200_000.0))
    decision = decide(here, envelope(here.model), guidance=wished("a"))
    granted_w = decision.chargers[1].limit_a * W_PER_A
    assert 6 * W_PER_A <= granted_w <= 200_000.0 - 190_000.0


@given(
    st.lists(
        st.tuples(st.sampled_from((ROOT, "row")), st.floats(0, 100), st.floats(1, 20)),
        min_size=1,
        max_size=6,
    ),
    st.floats(5, 60),
    st.one_of(st.none(), st.floats(-60_000, 0)),
)
@settings(max_examples=60, deadline=None)
def test_no_limit_is_broken_by_what_vehicles_give(
    places: Sequence[tuple[str, float, float]], row_a: float, export_w: float | None
) -> None:
    chargers = [able(f"c{n}", node, soc_pct=soc) for n, (node, soc, _) in enumerate(places)]
    here = snapshot(
        chargers=chargers,
        needs=[need(f"c{n}", hours=hours) for n, (_, _, hours) in enumerate(places)],
        of=model(
            [one.spec for one in chargers],
            nodes=[CircuitNode(node_id="row", parent=ROOT, limit_a=row_a)],
        ),
    )
    names = [one.spec.evse_id for one in chargers]
    limits = envelope(here.model, export_w=export_w)
    given_a = amps(decide(here, limits, guidance=wished(*names)))
    assert all(-V2G_A <= one <= 32.0 for one in given_a)
    row = [a for a, (node, _, _) in zip(given_a, places, strict=True) if node == "row"]
    assert -sum(min(0.0, a) for a in row) <= row_a + 1e-6
    if export_w is not None:
        given_w = -sum(min(0.0, a) for a in given_a) * W_PER_A
        assert 10_000.0 - given_w >= export_w - 1.0 or given_w == 0
