"""What holds of any plan: limits, energy, readiness first, batteries within their bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.horizon import Series
from site_agent.domain.plan.problem import Problem, free_limits
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.plan.solve import PlanSolver
from support.plan_problems import random_problem

TINY_W = 1.0
seeds = st.integers(min_value=0, max_value=100_000)
few = settings(max_examples=25, deadline=None)


def vehicles_w(schedule: Schedule) -> Series:
    powers = [schedule.horizon.filled(0.0), *(one.power_w for one in schedule.vehicles)]
    total: Series = np.sum(powers, axis=0)
    return total


def batteries_w(schedule: Schedule) -> Series:
    total: Series = np.sum([one.power_w for one in schedule.batteries], axis=0)
    return total


@few
@given(seeds)
def test_power_is_neither_made_nor_lost(seed: int) -> None:
    schedule = PlanSolver().plan(random_problem(seed))
    used = schedule.building_w + schedule.pv_w + vehicles_w(schedule) + batteries_w(schedule)
    assert schedule.net_w == pytest.approx(used, abs=TINY_W)


@pytest.mark.row("site:E12")
@few
@given(seeds)
def test_no_device_makes_a_limit_be_exceeded(seed: int) -> None:
    """Only what cannot be moved may: the building, and PV without limits or held back by one."""
    of = random_problem(seed)
    schedule = PlanSolver().plan(of)
    limits, made = of.limits, of.pv_w
    if of.curtailable:
        made = np.maximum(made, limits.generation_w)
    fixed = of.building_w + made
    assert (schedule.net_w <= np.maximum(limits.import_w, fixed) + TINY_W).all()
    least = np.minimum(limits.export_w, 0.0 if of.curtailable else fixed)
    assert (schedule.net_w >= least - TINY_W).all()
    taking = sum((np.maximum(0.0, one.power_w) for one in schedule.vehicles), np.zeros(1))
    assert (taking <= limits.load_w + TINY_W).all()
    for feeder in of.feeders:
        named = [(one.key, one.power_w) for one in schedule.vehicles]
        named += [(one.battery_id, one.power_w) for one in schedule.batteries]
        parts = [feeder.amps_per_w.get(key, 0.0) * power_w for key, power_w in named]
        assert (np.sum(parts, axis=0) <= feeder.limit_a + 0.01).all()


@few
@given(seeds)
def test_vehicles_charge_only_while_they_are_here_and_no_more_than_they_can(seed: int) -> None:
    of = replace(random_problem(seed), curtailable=True)
    schedule = PlanSolver().plan(of)
    for stay, one in zip(of.vehicles, schedule.vehicles, strict=True):
        here = of.horizon.share(max(stay.arrives, of.now), stay.departs)
        assert (one.power_w * of.present <= stay.max_power_w * here + TINY_W).all()
        assert (one.power_w * of.present >= -stay.discharge_w * here - TINY_W).all()
        lost = np.where(one.power_w < 0, one.power_w / stay.efficiency, one.power_w)
        got = float((lost * of.present).sum()) * of.horizon.hours
        total = got + one.shortfall_wh + one.later_wh
        assert total == pytest.approx(stay.required_wh, abs=2.0)
        assert bool(one.reason) == (not one.ready)


@few
@given(seeds)
def test_batteries_stay_within_reserve_and_capacity(seed: int) -> None:
    """Where PV takes no limits, losses may be all that keeps an export limit."""
    of = replace(random_problem(seed), curtailable=True)
    schedule = PlanSolver().plan(of)
    for battery, one in zip(of.batteries, schedule.batteries, strict=True):
        floor = min(battery.reserve_wh, battery.stored_wh)
        assert one.stored_wh.min() >= floor - 1.0
        assert one.stored_wh.max() <= battery.capacity_wh + 1.0
        into = np.maximum(0.0, one.power_w) * battery.charge_efficiency
        out = np.minimum(0.0, one.power_w) / battery.discharge_efficiency
        course = battery.stored_wh + np.cumsum((into + out) * of.present) * of.horizon.hours
        assert one.stored_wh == pytest.approx(course, abs=5.0), "never both ways at once"


@few
@given(seeds, st.floats(min_value=0.0, max_value=100.0))
def test_no_price_makes_a_vehicle_less_ready(seed: int, dear: float) -> None:
    """The energy that is missed is the same, whatever power costs."""
    of = random_problem(seed)
    free = replace(
        of, import_per_kwh=np.zeros(of.horizon.count), export_per_kwh=np.zeros(of.horizon.count)
    )
    costly = replace(of, import_per_kwh=np.abs(of.import_per_kwh) * dear)
    assert _missed(costly) == pytest.approx(_missed(free), abs=5.0)


@few
@given(seeds)
def test_a_lower_rank_is_ready_first(seed: int) -> None:
    """Two like vehicles below a limit that serves one: the rank decides, not the order."""
    of = random_problem(seed)
    stay = replace(
        of.vehicles[0], arrives=of.now, departs=of.horizon.end, required_wh=20_000.0, discharge_w=0
    )
    hours = float(of.present.sum()) * of.horizon.hours
    limits = free_limits(of.horizon, 20_000.0 / hours, "the limit")
    ranked = seed % 7
    pair = (replace(stay, key="a", rank=ranked + 1), replace(stay, key="b", rank=ranked))
    tight = replace(
        of,
        limits=limits,
        vehicles=pair,
        batteries=(),
        feeders=(),
        building_w=np.zeros(of.horizon.count),
        pv_w=np.zeros(of.horizon.count),
    )
    last, first = PlanSolver().plan(tight).vehicles
    assert first.shortfall_wh <= 1.0 + max(0.0, 20_000.0 - stay.max_power_w * hours)
    assert last.shortfall_wh >= first.shortfall_wh


def _missed(of: Problem) -> float:
    return sum(one.shortfall_wh for one in PlanSolver().plan(of).vehicles)
