"""Stays that are alike for long are solved as one and shared out: nothing of the plan is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.plan.build import build
from site_agent.domain.plan.linear import Engine
from site_agent.domain.plan.problem import Feeder, PlanVehicle, Problem, free_limits
from site_agent.domain.plan.solve import PlanSolver
from site_agent.domain.plan.spread import spread
from support.plan_oracle import Oracle
from support.plan_problems import NOW, demand, problem, storage, van

HOUR = timedelta(hours=1)
SLOTS = 40


def night(seed: int, *, limit_w: float = 75_000.0, vehicles: int = 12) -> Problem:
    """Vans that are here together for most of the plan, on two feeders, one of them gives back."""
    chance = np.random.default_rng(seed)
    here = problem(count=SLOTS)
    vans = tuple(_van(chance, n) for n in range(vehicles))
    feeders = tuple(
        Feeder(
            cause=f"board {side}",
            limit_a=70.0,
            amps_per_w={one.key: 1 / 690.0 for one in vans[side::2]},
        )
        for side in (0, 1)
    )
    return replace(
        here,
        import_per_kwh=np.round(chance.uniform(0.1, 0.4, SLOTS), 2),
        limits=free_limits(here.horizon, limit_w, "the limit"),
        vehicles=vans,
        batteries=(storage(),),
        feeders=feeders,
        demand=(demand(SLOTS),),
    )


def _van(chance: np.random.Generator, number: int) -> PlanVehicle:
    return van(
        f"v{number}",
        arrives=NOW + float(chance.uniform(-1.0, 1.0)) * HOUR,
        departs=NOW + float(chance.uniform(8.5, 9.5)) * HOUR,
        required_wh=float(chance.uniform(0.0, 60_000.0)),
        max_power_w=float(chance.choice([7_400.0, 11_000.0, 22_000.0])),
        discharge_w=10_000.0 if number == 0 else 0.0,
        rank=number % 3,
    )


def apart(of: Problem) -> float:
    """The optimum with every stay on its own."""
    programme, layout = build(of, pooled=False)
    assert not layout.stays.pools
    return Engine().solve(programme).objective


@pytest.mark.parametrize("seed", range(6))
def test_the_optimum_is_the_oracles(seed: int) -> None:
    of = night(seed)
    assert build(of)[1].stays.pools
    assert PlanSolver().plan(of).objective == pytest.approx(
        Oracle(of).optimum(), rel=1e-6, abs=1e-6
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=100_000), st.sampled_from([45e3, 75e3, 120e3, 900e3]))
def test_a_plan_with_pools_is_as_good_and_keeps_what_each_stay_can(seed: int, limit: float) -> None:
    of = night(seed, limit_w=limit)
    schedule = PlanSolver().plan(of)
    assert schedule.objective == pytest.approx(apart(of), rel=1e-7, abs=1e-6)
    for stay, one in zip(of.vehicles, schedule.vehicles, strict=True):
        here = of.horizon.share(max(stay.arrives, of.now), stay.departs)
        assert (one.power_w * of.present <= stay.max_power_w * here + 1.0).all()
        got = float((np.maximum(0.0, one.power_w) * of.present).sum()) * of.horizon.hours
        if stay.discharge_w == 0:
            total = got + one.shortfall_wh + one.later_wh
            assert total == pytest.approx(stay.required_wh, abs=2.0)
    for feeder in of.feeders:
        amps = sum(
            (feeder.amps_per_w.get(one.key, 0.0) * one.power_w for one in schedule.vehicles),
            np.zeros(SLOTS),
        )
        assert (amps <= feeder.limit_a + 0.01).all()


def test_what_cannot_be_shared_out_is_planned_without_pools_and_stays_warm() -> None:
    """All want the cheap slot; but who needs little can take only little of what all could."""
    vans = tuple(van(f"v{n}", required_wh=2_750.0 if n else 60_000.0) for n in range(6))
    cheap = np.full(24, 0.4)
    cheap[10:14] = 0.1
    here = problem(count=24, vehicles=vans, import_per_kwh=cheap)
    solver = PlanSolver()
    first = solver.plan(here)
    assert solver._apart_in == here.horizon.start
    assert first.objective == pytest.approx(apart(here), rel=1e-7)
    assert not first.shortfalls
    later = replace(here, now=NOW + timedelta(minutes=4), building_w=here.building_w * 1.1)
    again = solver.plan(later)
    assert (first.warm, again.warm) == (False, True)
    assert again.objective == pytest.approx(apart(later), rel=1e-7)


def test_shares_are_whole_blocks_and_who_leaves_first_charges_first() -> None:
    most, totals = np.full(3, 11.0), np.full(6, 11.0)
    found = spread(np.full(3, 22.0), most, totals)
    assert found is not None
    assert found.tolist() == np.repeat(np.eye(3) * 11.0, 2, axis=1).tolist()


def test_where_blocks_do_not_come_out_even_there_are_slices() -> None:
    """In blocks the second would take all it may of one slot, and the last be left without."""
    found = spread(np.array([1.0, 2.0, 4.0]), np.full(3, 2.0), np.array([0.0, 3.0, 4.0]))
    assert found is not None
    assert found == pytest.approx(np.array([[0, 0, 1], [0, 1, 1], [0, 2, 2]]), abs=1e-3)


def test_there_are_none_where_one_would_need_more_slots_than_there_are() -> None:
    assert spread(np.array([30.0, 10.0]), np.full(2, 10.0), np.array([20.0, 20.0, 0.0])) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0, max_value=1_000_000))
def test_sums_that_some_sharing_has_are_always_shared_out(seed: int) -> None:
    chance = np.random.default_rng(seed)
    stays, slots = int(chance.integers(1, 9)), int(chance.integers(1, 13))
    most = chance.choice([3.7, 7.4, 11.0, 22.0], stays)
    full = chance.random((stays, slots)) ** float(chance.choice([0.1, 1.0, 5.0]))
    some = most[:, None] * np.where(chance.random((stays, slots)) < 0.4, np.round(full), full)
    found = spread(some.sum(axis=1), most, some.sum(axis=0))
    assert found is not None
    assert found.sum(axis=0) == pytest.approx(some.sum(axis=0), abs=1e-3)
    assert found.sum(axis=1) == pytest.approx(some.sum(axis=1), abs=1e-3)
    assert (found >= 0).all()
    assert (found <= most[:, None] + 1e-9).all()
