"""Whatever the site looks like, a decision exists, is legal, and keeps every fuse and limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.decide.control import DEFAULT_POLICY, Decision, decide
from site_agent.domain.decide.outlook import outlook_of
from site_agent.domain.decide.storage import counted
from site_agent.domain.decide.triage import triage
from site_agent.domain.device import PHASES, ChargerState, Lapse, PvState
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.protect.estimate import (
    Role,
    battery_stuck,
    excess_a,
    role,
    watts_per_amp,
    worst_a,
)
from site_agent.domain.protect.room import moment_of, site_room
from site_agent.domain.site import ROOT, CircuitNode, SiteSnapshot
from support import site

ROWS = ("row-1", "row-2")
AMPS = st.floats(0, 40)
MAYBE_AMPS = st.one_of(st.none(), st.just(0.0), st.floats(6, 32))
RATED_W = 40_000.0
TINY_W = 1e-3
BATTERY_W = 50_000.0
DEADBAND_W = 0.01 * BATTERY_W
"""A battery's setpoint this near to the wish stays."""


def maybe(low_w: float, high_w: float) -> st.SearchStrategy[float | None]:
    return st.one_of(st.none(), st.just(0.0), st.floats(low_w, high_w))


@dataclass(frozen=True)
class Case:
    depot: SiteSnapshot
    envelope: Envelope
    energize: bool | None

    def decide(self) -> Decision:
        return decide(self.depot, self.envelope)

    def draw_w(self, charger: ChargerState, amps: float) -> float:
        return amps * watts_per_amp(charger, self.depot.at, self.depot.model.device_max_age)

    def steered_w(self, decision: Decision) -> float:
        limits = {c.evse_id: c.limit_a for c in decision.chargers}
        return sum(
            self.draw_w(c, limits[c.spec.evse_id])
            for c in self.depot.chargers
            if role(c) is Role.STEERED
        )

    def stubborn_w(self) -> float:
        """What chargers may draw whatever they are told."""
        max_age = self.depot.model.device_max_age
        moment = moment_of(self.depot, DEFAULT_POLICY)
        return sum(
            self.draw_w(
                c,
                worst_a(c, self.depot.at, max_age)
                if role(c) is Role.FIXED
                else excess_a(c, moment),
            )
            for c in self.depot.chargers
        )


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
def inverters(draw: st.DrawFn, number: int) -> PvState:
    usually = st.sampled_from([True, True, True, False])
    return site.pv(
        draw(st.one_of(st.none(), st.floats(-RATED_W, 0))),
        rated_w=RATED_W,
        online=draw(usually),
        takes_limits=draw(usually),
        obeys=draw(usually),
        pv_id=f"pv{number}",
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    states = [draw(chargers(n)) for n in range(draw(st.integers(0, 8)))]
    powers = st.one_of(st.none(), st.floats(-60_000, 60_000))
    store = site.battery(
        power_w=draw(powers),
        soc_pct=draw(st.one_of(st.none(), st.floats(0, 100))),
        confirmed_w=draw(powers),
        since=site.NOON - timedelta(seconds=draw(st.integers(0, 20))),
        online=draw(st.booleans()),
        rated_w=BATTERY_W,
        lapse=draw(st.sampled_from(Lapse)),
    )
    roofs = [draw(inverters(n)) for n in range(draw(st.integers(0, 2)))]
    needs = [
        site.need(c.spec.evse_id, wh=draw(st.floats(0, 90_000)), hours=draw(st.floats(-3, 20)))
        for c in states
        if c.plugged
    ]
    depot = site.snapshot(
        building_w=draw(st.one_of(st.none(), st.floats(-50_000, 250_000))),
        chargers=states,
        batteries=[store],
        pv_states=roofs,
        needs=needs,
        of=site.model(
            [c.spec for c in states],
            nodes=[
                CircuitNode(node_id=row, parent=ROOT, limit_a=draw(st.floats(10, 120)))
                for row in ROWS
            ],
            batteries=[store.spec],
            pv_specs=[roof.spec for roof in roofs],
        ),
    )
    energize = draw(st.sampled_from([None, None, None, True, False]))
    asked = site.envelope(
        depot.model,
        draw(maybe(-80_000, 200_000)),
        draw(maybe(-80_000, 0)),
        load_w=draw(maybe(0, 200_000)),
        generation_w=draw(maybe(-120_000, 0)),
        storage_w=draw(maybe(-80_000, 80_000)),
        energize=energize,
    )
    return Case(depot, asked, energize)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_every_decision_is_complete_and_legal(case: Case) -> None:
    depot, decision = case.depot, case.decide()
    assert [c.evse_id for c in decision.chargers] == [c.spec.evse_id for c in depot.chargers]
    for charger in decision.chargers:
        assert charger.limit_a == 0 or 6 <= charger.limit_a <= 32 + 1e-9
        assert charger.cause
    for setpoint, state in zip(decision.batteries, depot.batteries, strict=True):
        assert abs(setpoint.power_w) <= state.spec.max_charge_w * 1.2 + 1e-6
        assert state.online or setpoint.power_w == 0
        assert setpoint.cause
    assert [one.pv_id for one in decision.pv] == [one.spec.pv_id for one in depot.pv]
    for inverter in decision.pv:
        assert inverter.limit_w is None or 0 <= inverter.limit_w <= RATED_W + 1e-6
        assert inverter.cause
    assert decision.binding


@given(cases())
@settings(max_examples=100, deadline=None)
def test_no_row_is_promised_more_than_its_fuse(case: Case) -> None:
    within_rows(case, case.decide())


def within_rows(case: Case, decision: Decision) -> None:
    depot = case.depot
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


@given(cases())
@settings(max_examples=300, deadline=None)
def test_no_decision_commits_more_than_any_limit_allows(case: Case) -> None:
    decision = case.decide()
    within_import(case, decision)
    within_export(case, decision)
    within_load(case, decision)
    within_generation(case, decision)
    towards_target(case, decision)


def within_import(case: Case, decision: Decision) -> None:
    room = site_room(case.depot, case.envelope, DEFAULT_POLICY)
    margin_w = DEFAULT_POLICY.margin_share * abs(case.envelope.import_w.value)
    batteries_w = counted(case.depot, decision.batteries, DEFAULT_POLICY)
    allowed_w = max(0.0, room.power_w + margin_w) + DEADBAND_W
    assert case.steered_w(decision) + batteries_w <= allowed_w + TINY_W


def within_export(case: Case, decision: Decision) -> None:
    depot, limit, pcc_w = case.depot, case.envelope.export_w, case.depot.pcc.power_w.value
    limitable = all(one.online and one.takes_limits and one.obeys for one in depot.pv)
    measured = [
        *(one.power_w.value for one in depot.pv),
        *(b.power_w.value for b in depot.batteries),
    ]
    online = all(battery.online for battery in depot.batteries)
    if limit is None or pcc_w is None or None in measured or not (limitable and online):
        return
    others_w = pcc_w - sum(power or 0.0 for power in measured)
    others_w += sum(battery.power_w for battery in decision.batteries)
    ceilings = [RATED_W if one.limit_w is None else one.limit_w for one in decision.pv]
    assert sum(ceilings) <= max(0.0, others_w - limit.value) + TINY_W


def within_load(case: Case, decision: Decision) -> None:
    limit = case.envelope.load_w
    if limit is None:
        return
    moment = moment_of(case.depot, DEFAULT_POLICY)
    stuck_w = case.stubborn_w()
    stuck_w += sum(battery_stuck(battery, moment).high for battery in case.depot.batteries)
    charging_w = sum(max(0.0, battery.power_w) for battery in decision.batteries)
    granted_w = case.steered_w(decision) + charging_w
    assert granted_w <= max(0.0, limit.value - stuck_w) + TINY_W
    for charger, setpoint in zip(case.depot.chargers, decision.chargers, strict=True):
        if role(charger) is Role.IDLE:
            spec = charger.spec
            assert setpoint.limit_a * spec.voltage_v * len(spec.phases) <= limit.value


def within_generation(case: Case, decision: Decision) -> None:
    limit = case.envelope.generation_w
    if limit is None:
        return
    moment = moment_of(case.depot, DEFAULT_POLICY)
    stuck_w = sum(-battery_stuck(battery, moment).low for battery in case.depot.batteries)
    granted_w = sum(max(0.0, -battery.power_w) for battery in decision.batteries)
    for inverter, setpoint in zip(case.depot.pv, decision.pv, strict=True):
        made_w = inverter.power_w.value
        if inverter.online and inverter.takes_limits and inverter.obeys:
            granted_w += RATED_W if setpoint.limit_w is None else setpoint.limit_w
        elif made_w is None or not inverter.takes_limits:
            stuck_w += RATED_W
        else:
            stuck_w += -made_w
    assert granted_w <= max(0.0, -limit.value - stuck_w) + TINY_W


def towards_target(case: Case, decision: Decision) -> None:
    """Never beyond a storage target, but as far as an import limit asks for a discharge."""
    target = case.envelope.storage_w
    if target is None:
        return
    room = site_room(case.depot, case.envelope, DEFAULT_POLICY)
    power_w = sum(battery.power_w for battery in decision.batteries)
    assert power_w <= max(0.0, target.value) + DEADBAND_W
    assert power_w >= min(0.0, target.value, room.power_w) - DEADBAND_W


@given(cases())
@settings(max_examples=100, deadline=None)
def test_an_order_to_stop_stops_everything_that_hears_it(case: Case) -> None:
    decision = case.decide()
    if case.energize is not False:
        return
    assert {charger.limit_a for charger in decision.chargers} <= {0.0}
    assert {battery.power_w for battery in decision.batteries} <= {0.0}
    assert {inverter.limit_w for inverter in decision.pv} <= {0.0}


@given(cases())
@settings(max_examples=60, deadline=None)
def test_triage_changes_who_is_served_and_breaks_no_limit(case: Case) -> None:
    depot = case.depot
    outlook = outlook_of(depot, [(depot.at, case.envelope)], DEFAULT_POLICY)
    chosen = triage(depot.at, depot.needs, [], outlook)
    decision = decide(depot, case.envelope, triage=chosen)
    within_import(case, decision)
    within_load(case, decision)
    within_rows(case, decision)
    assert len(chosen.verdicts) == sum(need.required_wh > 0 for need in depot.needs)
    assert not chosen.served & set(chosen.given_up)


@given(cases())
@settings(max_examples=50, deadline=None)
def test_the_same_picture_gives_the_same_decision(case: Case) -> None:
    assert case.decide() == case.decide()
