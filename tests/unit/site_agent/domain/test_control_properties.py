"""Whatever the site looks like, a decision exists, is legal, and keeps every fuse."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.control import decide
from site_agent.domain.device import PHASES, ChargerState
from site_agent.domain.estimate import Role, role, worst_a
from site_agent.domain.site import ROOT, CircuitNode, SiteSnapshot
from support import site

ROWS = ("row-1", "row-2")
AMPS = st.floats(0, 40)
MAYBE_AMPS = st.one_of(st.none(), st.just(0.0), st.floats(6, 32))


@st.composite
def chargers(draw: st.DrawFn, number: int) -> ChargerState:
    spec = site.charger_spec(
        f"c{number}",
        draw(st.sampled_from((ROOT, *ROWS))),
        phases=draw(st.sampled_from([PHASES, (1,), (2,), (3,)])),
    )
    return site.charger(
        spec,
        drawn_a=draw(st.one_of(st.none(), AMPS)),
        limit_a=draw(MAYBE_AMPS),
        since=site.NOON - timedelta(seconds=draw(st.integers(0, 90))),
        at=site.NOON - timedelta(seconds=draw(st.integers(0, 40))),
        plugged=draw(st.booleans()),
        online=draw(st.booleans()),
        obeys=draw(st.booleans()),
    )


@st.composite
def depots(draw: st.DrawFn) -> tuple[SiteSnapshot, float | None, float | None]:
    states = [draw(chargers(n)) for n in range(draw(st.integers(0, 8)))]
    powers = st.one_of(st.none(), st.floats(-60_000, 60_000))
    store = site.battery(
        power_w=draw(powers),
        soc_pct=draw(st.one_of(st.none(), st.floats(0, 100))),
        confirmed_w=draw(powers),
        since=site.NOON - timedelta(seconds=draw(st.integers(0, 20))),
        online=draw(st.booleans()),
    )
    roof = site.pv(draw(st.one_of(st.none(), st.floats(-40_000, 0))))
    needs = [
        site.need(c.spec.evse_id, wh=draw(st.floats(0, 90_000)), hours=draw(st.floats(-3, 20)))
        for c in states
        if c.plugged
    ]
    depot = site.snapshot(
        building_w=draw(st.one_of(st.none(), st.floats(-50_000, 250_000))),
        chargers=states,
        batteries=[store],
        pv_states=[roof],
        needs=needs,
        of=site.model(
            [c.spec for c in states],
            nodes=[
                CircuitNode(node_id=row, parent=ROOT, limit_a=draw(st.floats(10, 120)))
                for row in ROWS
            ],
            batteries=[store.spec],
            pv_specs=[roof.spec],
        ),
    )
    limits = st.one_of(st.none(), st.floats(-80_000, 200_000))
    return depot, draw(limits), draw(st.one_of(st.none(), st.floats(-80_000, 0)))


@given(depots())
@settings(max_examples=200, deadline=None)
def test_every_decision_is_complete_and_legal(
    case: tuple[SiteSnapshot, float | None, float | None],
) -> None:
    depot, event_w, export_w = case
    decision = decide(depot, site.envelope(depot.model, event_w, export_w))
    assert [c.evse_id for c in decision.chargers] == [c.spec.evse_id for c in depot.chargers]
    for charger in decision.chargers:
        assert charger.limit_a == 0 or 6 <= charger.limit_a <= 32 + 1e-9
        assert charger.cause
    for setpoint, state in zip(decision.batteries, depot.batteries, strict=True):
        assert abs(setpoint.power_w) <= state.spec.max_charge_w * 1.2 + 1e-6
        assert state.online or setpoint.power_w == 0
    for inverter in decision.pv:
        assert inverter.limit_w is None or 0 <= inverter.limit_w <= 40_000 + 1e-6
    assert decision.binding


@given(depots())
@settings(max_examples=200, deadline=None)
def test_no_row_is_promised_more_than_its_fuse(
    case: tuple[SiteSnapshot, float | None, float | None],
) -> None:
    depot, event_w, export_w = case
    decision = decide(depot, site.envelope(depot.model, event_w, export_w))
    limits = {c.evse_id: c.limit_a for c in decision.chargers}
    fuses = {node.node_id: node.limit_a for node in depot.model.nodes}
    for row in ROWS:
        for phase in PHASES:
            here = [c for c in depot.chargers if c.spec.node == row and phase in c.spec.phases]
            steered = sum(limits[c.spec.evse_id] for c in here if role(c) is Role.STEERED)
            stuck = sum(
                worst_a(c, depot.at, depot.model.device_max_age)
                for c in here
                if role(c) is Role.FIXED
            )
            assert steered <= max(0.0, fuses[row] - stuck) + 1e-6


@given(depots())
@settings(max_examples=50, deadline=None)
def test_the_same_picture_gives_the_same_decision(
    case: tuple[SiteSnapshot, float | None, float | None],
) -> None:
    depot, event_w, export_w = case
    limits = site.envelope(depot.model, event_w, export_w)
    assert decide(depot, limits) == decide(depot, limits)
