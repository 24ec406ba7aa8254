from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.dispatch.newton import solve
from gateway.domain.dispatch.problem import Problem, Split, Table
from gridyard.bench.dispatch_peers import highs_lp, piqp
from support.split_problems import random_problem

AT_EASE = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**32 - 1)
wild = st.sampled_from([0.0, 1e-6, 1.0, 1e3, 5e4, 1e9])


def feasible(problem: Problem, split: Split) -> None:
    """Nobody above its offer or energy, no group or ramp broken; all that is missing is told."""
    x, scale = split.given_w, 1e-9 * max(1.0, float(problem.cap_w.max(initial=0.0)))
    assert (x >= 0).all()
    assert (x <= problem.cap_w).all()
    assert (x @ problem.hours <= problem.energy_wh * (1 + 1e-9)).all()
    assert (problem.bounds.excess(x) <= scale).all()
    together = problem.delivers @ x + split.short_w
    np.testing.assert_allclose(together, problem.target_w, rtol=1e-9, atol=scale)


@pytest.mark.row("portfolio:A5")
@pytest.mark.row("portfolio:A12")
@pytest.mark.parametrize("part", range(4))
def test_it_costs_as_little_as_by_a_general_solver(part: int) -> None:
    """200 random requests, half of them under limits of overlapping groups."""
    for seed in range(part * 50, part * 50 + 50):
        problem = random_problem(seed, groups=seed % 2 == 1)
        ours = solve(problem)
        feasible(problem, ours)
        best = problem.objective(piqp(problem)())
        assert problem.objective(ours.given_w) == pytest.approx(best, rel=1e-6), f"seed {seed}"
        assert ours.gap < 1e-6


@pytest.mark.row("portfolio:A5")
def test_ramps_cost_as_little_as_by_a_general_solver() -> None:
    for seed in range(30):
        problem = random_problem(seed, ramps=True, groups=seed % 2 == 1)
        ours = solve(problem)
        feasible(problem, ours)
        best = problem.objective(piqp(problem)())
        assert problem.objective(ours.given_w) == pytest.approx(best, rel=1e-5), f"seed {seed}"


def test_no_more_is_left_ungiven_than_a_linear_program_leaves() -> None:
    """Fairness costs no energy: the shortfall is the least there is."""
    for seed in range(20):
        problem = replace(random_problem(seed), shortage=100.0)
        ours = float(solve(problem).short_w @ problem.hours)
        assert ours == pytest.approx(highs_lp(problem)(), rel=1e-6, abs=1.0)


@AT_EASE
@given(seed=seeds, groups=st.booleans(), ramps=st.booleans())
def test_every_bound_holds_whatever_is_asked(seed: int, groups: bool, ramps: bool) -> None:
    problem = random_problem(seed, groups=groups, ramps=ramps)
    feasible(problem, solve(problem))


@AT_EASE
@given(data=st.data(), sites=st.integers(0, 4), count=st.integers(0, 4))
def test_degenerate_and_huge_values_end_in_a_feasible_split(
    data: st.DataObject, sites: int, count: int
) -> None:
    def drawn(*shape: int) -> Table:
        size = int(np.prod(shape))
        return np.array(data.draw(st.lists(wild, min_size=size, max_size=size))).reshape(shape)

    cap = drawn(sites, count)
    problem = Problem(
        hours=np.full(count, 0.25),
        target_w=drawn(count),
        cap_w=cap,
        weight_w=np.maximum(cap, 1e-3),
        cost=np.full(sites, 0.2),
        energy_wh=drawn(sites),
        delivers=np.ones(sites),
    )
    feasible(problem, solve(problem))


@AT_EASE
@given(seed=seeds)
def test_the_order_of_sites_does_not_matter(seed: int) -> None:
    problem = random_problem(seed)
    order = np.random.default_rng(seed).permutation(len(problem.cap_w))
    turned = replace(
        problem,
        cap_w=problem.cap_w[order],
        weight_w=problem.weight_w[order],
        cost=problem.cost[order],
        energy_wh=problem.energy_wh[order],
        delivers=problem.delivers[order],
    )
    scale = 1e-5 * max(1.0, float(problem.cap_w.max()))
    before, after = solve(problem), solve(turned)
    np.testing.assert_allclose(after.given_w, before.given_w[order], atol=scale, rtol=1e-5)


@AT_EASE
@given(seed=seeds, more=st.floats(1.0, 2.0))
def test_who_asks_for_more_gets_no_less(seed: int, more: float) -> None:
    """All of the request raised: what comes in all does not fall."""
    problem = random_problem(seed)
    raised = replace(problem, target_w=problem.target_w * more)
    before = problem.delivers @ solve(problem).given_w @ problem.hours
    after = problem.delivers @ solve(raised).given_w @ problem.hours
    assert after >= before - 1e-6 * max(1.0, float(before))


def test_a_warm_start_needs_fewer_steps_and_ends_in_the_same_split() -> None:
    problem = random_problem(7)
    cold = solve(problem)
    warm = solve(problem, cold.price)
    assert warm.steps <= cold.steps
    np.testing.assert_allclose(warm.given_w, cold.given_w, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_w": np.array([-1.0])}, "target_w"),
        ({"target_w": np.array([np.nan])}, "target_w"),
        ({"target_w": np.zeros(2)}, "not \\(1,\\)"),
        ({"hours": np.array([0.0])}, "hours"),
        ({"cap_w": np.array([[-1.0]])}, "cap_w"),
        ({"weight_w": np.array([[0.0]])}, "weight above 0"),
        ({"energy_wh": np.array([np.nan])}, "energy_wh"),
        ({"delivers": np.array([1.5])}, "delivers"),
        ({"cost": np.array([1e9])}, "cost"),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(
    change: dict[str, Table],
    message: str,
) -> None:
    fields: dict[str, Any] = {
        "hours": np.ones(1),
        "target_w": np.ones(1),
        "cap_w": np.ones((1, 1)),
        "weight_w": np.ones((1, 1)),
        "cost": np.zeros(1),
        "energy_wh": np.full(1, np.inf),
        "delivers": np.ones(1),
    }
    with pytest.raises(ValueError, match=message):
        Problem(**{**fields, **change})
