"""From a snapshot, limits, a roster and a tariff to the problem of a plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from contracts.days import Days
from contracts.site_link.messages import InstructionState
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.horizon import Horizon
from site_agent.domain.instruction import Bounds
from site_agent.domain.plan.compose import Fleet, Outlook, Prices, compose
from site_agent.domain.plan.limits import envelopes_over
from site_agent.domain.plan.policy import PlanPolicy
from site_agent.domain.plan.problem import Problem
from site_agent.domain.plan.solve import PlanSolver
from site_agent.domain.protect.telecontrol import InputSpec, Order, Standing, Voice
from site_agent.domain.site import CircuitNode, SiteSnapshot
from site_agent.domain.tariff.demand import DemandRecord
from site_agent.domain.tariff.tariff import DemandCharge, EnergySchedule, PriceStep, Tariff
from site_agent.flows.orders.acceptance import in_domain_words
from support.site import (
    NOON,
    W_PER_A,
    battery,
    charger,
    charger_spec,
    instruction,
    model,
    need,
    pv,
    reading,
    snapshot,
)

HOUR = timedelta(hours=1)
HORIZON = Horizon.around(NOON, 12 * HOUR)
TARIFF = Tariff(
    name="flat",
    currency="EUR",
    zone=ZoneInfo("Europe/Berlin"),
    energy=(EnergySchedule(name="all", days=Days(), steps=(PriceStep(minute=0, per_kwh=0.2),)),),
    demand=(DemandCharge(name="month", per_kw=10.0),),
)


def composed(of: SiteSnapshot, **more: Any) -> Problem:
    outlook = Outlook(building_w=HORIZON.filled(10_000.0), pv_w=HORIZON.filled(0.0))
    envelopes = envelopes_over(
        of.model, HORIZON, of.at, more.pop("events", ()), more.pop("orders", ())
    )
    return compose(of, HORIZON, outlook, Prices(tariff=TARIFF), envelopes, **more)


def test_vehicles_that_are_here_are_planned_at_their_plugs() -> None:
    here = snapshot(chargers=[charger("a"), charger("b")], needs=[need("a"), need("b", rank=2)])
    a, b = composed(here).vehicles
    assert (a.evse_id, a.required_wh, a.max_power_w) == ("a", 20_000.0, 22_080.0)
    assert a.min_power_w == pytest.approx(6 * W_PER_A)
    assert a.departs == NOON + 4 * HOUR - timedelta(minutes=10), "ready a little early"
    assert b.rank == 2


def test_a_late_vehicle_is_planned_until_it_is_full() -> None:
    here = snapshot(chargers=[charger("a")], needs=[need("a", wh=22_080.0, hours=-0.5)])
    (late,) = composed(here).vehicles
    assert late.departs == NOON + HOUR


def test_a_vehicle_too_weak_for_three_phases_has_the_minimum_of_one() -> None:
    here = snapshot(chargers=[charger("a")], needs=[need("a", max_w=3_600.0)])
    (weak,) = composed(here).vehicles
    assert weak.min_power_w == pytest.approx(6 * 230.0)


def test_a_charger_that_does_not_answer_is_load_until_its_vehicle_is_full() -> None:
    """Its limit of 10 A is 6.9 kW: 3.45 kWh take half an hour."""
    here = snapshot(
        chargers=[charger("a", online=False, limit_a=10.0)], needs=[need("a", wh=3_450.0)]
    )
    found = composed(here)
    assert found.vehicles == ()
    assert found.building_w[:2] == pytest.approx(np.full(2, 16_900.0))
    assert found.building_w[2:] == pytest.approx(np.full(46, 10_000.0))


def test_expected_stays_are_planned_but_not_twice() -> None:
    def stay(name: str, comes: float, **changed: Any) -> ExpectedStay:
        arrives = NOON + comes * HOUR
        plain = ExpectedStay(
            vehicle_id=name,
            arrives=arrives,
            departs=arrives + 6 * HOUR,
            required_wh=10_000.0,
            max_power_w=11_000.0,
        )
        return replace(plain, **changed)

    here = snapshot(chargers=[charger("a"), charger("b", plugged=False)], needs=[need("a")])
    roster = [
        stay("van-a", -1),
        stay("van-a", 5),
        stay("x", 2, probability=0.5),
        stay("late", -2),
        stay("gone", -8),
    ]
    found = composed(here, fleet=Fleet(expected=roster)).vehicles
    coming = [(one.vehicle_id, one.arrives, one.required_wh) for one in found if not one.present]
    assert coming == [
        ("van-a", NOON + 5 * HOUR, 10_000.0),
        ("x", NOON + 2 * HOUR, 5_000.0),
        ("late", NOON, 10_000.0),
    ]


def test_more_vehicles_than_plugs_take_turns() -> None:
    stays = [
        ExpectedStay(
            vehicle_id=f"x{n}",
            arrives=NOON,
            departs=NOON + 3 * HOUR,
            required_wh=22_000.0,
            max_power_w=11_000.0,
        )
        for n in range(2)
    ]
    here = snapshot(chargers=[charger("a", plugged=False)])
    schedule = PlanSolver().plan(composed(here, fleet=Fleet(expected=stays)))
    assert len(schedule.shortfalls) == 1
    assert "no more than 1 plugs" in schedule.shortfalls[0].reason


def test_a_node_that_could_be_overloaded_is_in_the_plan() -> None:
    row = CircuitNode(node_id="row-1", parent="pcc", limit_a=40.0)
    wide = CircuitNode(node_id="row-2", parent="pcc", limit_a=100.0)
    specs = [charger_spec("a", "row-1"), charger_spec("b", "row-1"), charger_spec("c", "row-2")]
    here = snapshot(
        chargers=[charger(spec) for spec in specs],
        needs=[need("a"), need("b"), need("c")],
        of=model(specs, nodes=[row, wide]),
    )
    (feeder,) = composed(here).feeders
    assert feeder.cause == "the fuse of row-1 (40 A a phase)"
    assert feeder.amps_per_w == pytest.approx({"evse:a": 1 / W_PER_A, "evse:b": 1 / W_PER_A})


def test_single_phase_chargers_load_their_own_phase() -> None:
    row = CircuitNode(node_id="row-1", parent="pcc", limit_a=40.0)
    specs = [
        charger_spec(name, "row-1", phases=(phase,))
        for name, phase in zip("abc", (1, 1, 2), strict=True)
    ]
    here = snapshot(
        chargers=[charger(spec) for spec in specs],
        needs=[need(name, max_w=7_360.0) for name in "abc"],
        of=model(specs, nodes=[row]),
    )
    (feeder,) = composed(here).feeders
    assert feeder.amps_per_w == pytest.approx({"evse:a": 1 / 230, "evse:b": 1 / 230})


def test_a_battery_is_in_the_plan_while_it_tells_its_charge() -> None:
    known, silent = battery(soc_pct=40.0), battery(battery_id="b2", online=False)
    (found,) = composed(snapshot(batteries=[known, silent])).batteries
    assert (found.battery_id, found.stored_wh, found.reserve_wh) == ("battery", 40_000.0, 10_000.0)


@pytest.mark.row("site:E8")
@pytest.mark.parametrize(
    ("health", "holds_wh"),
    [(80.0, 80_000.0), (None, 100_000.0), (0.0, 100_000.0), (140.0, 100_000.0)],
)
def test_an_aged_battery_is_planned_with_what_it_can_still_hold(
    health: float | None, holds_wh: float
) -> None:
    aged = replace(battery(soc_pct=50.0), health_pct=reading(health))
    (found,) = composed(snapshot(batteries=[aged])).batteries
    assert found.capacity_wh == pytest.approx(holds_wh)
    assert found.stored_wh == pytest.approx(holds_wh / 2)
    assert found.reserve_wh == pytest.approx(holds_wh / 10)


@pytest.mark.row("site:E8")
def test_a_freezing_battery_is_not_planned_to_charge() -> None:
    cold = replace(battery(), temperature_c=replace(battery().soc_pct, value=-5.0))
    (found,) = composed(snapshot(batteries=[cold])).batteries
    assert (found.max_charge_w, found.max_discharge_w) == (0.0, 50_000.0)


def test_a_vehicle_gives_back_only_where_its_charge_and_battery_are_known() -> None:
    def giving(capacity: dict[str, float], *, able: bool = True) -> float:
        spec = replace(charger_spec("a"), max_discharge_a=16.0)
        state = replace(charger(spec, soc_pct=80.0), bidirectional=able)
        here = snapshot(chargers=[state], needs=[need("a")])
        (found,) = composed(here, fleet=Fleet(capacity_wh=capacity)).vehicles
        assert found.discharge_w in (0.0, 16 * W_PER_A)
        return found.spare_wh if found.discharge_w else 0.0

    assert giving({"van-a": 60_000.0}) == pytest.approx(18_000.0), "30 % above the floor"
    assert giving({}) == 0.0
    assert giving({"van-a": 60_000.0}, able=False) == 0.0


def test_limits_follow_instructions_slot_by_slot_with_their_causes() -> None:
    event = in_domain_words(
        instruction(30_000.0, start=NOON + HOUR, cause="peak day"), InstructionState.STORED
    )
    found = composed(snapshot(batteries=[battery()]), events=[event]).limits
    assert found.import_w[3:7] == pytest.approx(0.98 * np.array([200e3, 30e3, 30e3, 200e3]))
    assert found.import_cause[4] == "the import limit of event e1: peak day"
    assert found.import_cause[3] == "the connection contract"
    assert found.store_w[4] == 0.0, "in an event, batteries charge from surplus PV only"
    assert np.isinf(found.store_w[3])


@pytest.mark.parametrize(
    ("voice", "slots"), [(Voice.HEARD, 4), (Voice.KEPT, 4), (Voice.FAIL_SAFE, 48)]
)
def test_an_operators_order_is_planned_to_last_an_hour(voice: Voice, slots: int) -> None:
    bounds = Bounds(load_w=4_200.0)
    spec = InputSpec(input_id="r", by="operator", valid_for_s=1, keep_s=1, fail_safe=bounds)
    order = Standing(spec=spec, voice=voice, order=Order(bounds=bounds, words="stage 1"))
    found = composed(snapshot(), orders=[order]).limits
    assert np.isfinite(found.load_w).sum() == slots


def test_demand_starts_from_the_months_peak_and_what_the_interval_has_drawn() -> None:
    record = DemandRecord(
        at=NOON, window=NOON, taken_wh=500.0, peaks_w={("month", (2026, 1)): 42_000.0}
    )
    (term,) = composed(snapshot(), record=record).demand
    assert (term.so_far_w, term.taken_wh, len(term.windows)) == (42_000.0, 500.0, 48)
    assert term.per_kw == pytest.approx(10.0 / 13.5), "of use on half the days that are left"
    whole = composed(snapshot(), record=record, policy=PlanPolicy(peak_days=1.0)).demand
    assert whole[0].per_kw == 10.0
    old = replace(record, window=NOON - HOUR)
    assert composed(snapshot(), record=old).demand[0].taken_wh == 0.0


def test_pv_that_takes_no_limits_is_not_planned_to_be_curtailed() -> None:
    assert composed(snapshot(pv_states=[pv(-5_000.0)])).curtailable
    assert not composed(snapshot(pv_states=[pv(-5_000.0, takes_limits=False)])).curtailable
