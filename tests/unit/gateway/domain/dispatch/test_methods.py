"""Laxity, least requests, ramps and fairness, each alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.dispatch.fairness import MOST, Asked, fairness, history_cost
from gateway.domain.dispatch.fill import water_fill
from gateway.domain.dispatch.laxity import laxity_split
from gateway.domain.dispatch.minimum import Blocks, with_blocks
from gateway.domain.dispatch.newton import solve
from gateway.domain.dispatch.problem import Problem
from gateway.domain.dispatch.ramps import reachable
from gridyard.bench.dispatch_peers import highs_lp
from support.split_problems import random_problem

SITES, QUARTERS = 150, 36
AT_EASE = settings(deadline=None, max_examples=50)


def leaving_fleets(seed: int, stress: float) -> Problem:
    """Sites whose vehicles leave one after the other, asked for much of what they have in all."""
    chance = np.random.default_rng(seed)
    hours = np.full(QUARTERS, 0.25)
    rating = chance.uniform(20e3, 150e3, SITES)
    leaves = chance.integers(6, QUARTERS + 1, SITES)
    cap = rating[:, None] * (np.arange(QUARTERS) < leaves[:, None])
    energy = (cap @ hours) * chance.uniform(0.15, 0.9, SITES)
    shape = np.repeat(chance.uniform(0.3, 1.0, QUARTERS // 4), 4)
    return Problem(
        hours=hours,
        target_w=shape * stress * energy.sum() / float(shape @ hours),
        cap_w=cap,
        weight_w=np.maximum(cap, 1e-6),
        cost=np.zeros(SITES),
        energy_wh=energy,
        delivers=np.ones(SITES),
    )


@pytest.mark.row("portfolio:A5")
@pytest.mark.parametrize("stress", [0.55, 0.75, 0.95])
def test_laxity_gives_as_much_as_a_program_that_knows_the_future(stress: float) -> None:
    """Within 0.2 points of the energy asked for, on the mean of some fleets."""
    behind = []
    for seed in range(4):
        problem = leaving_fleets(seed, stress)
        asked = float(problem.target_w @ problem.hours)
        ours = float(laxity_split(problem).short_w @ problem.hours)
        behind.append((ours - highs_lp(problem)()) / asked)
    assert min(behind) > -1e-6
    assert float(np.mean(behind)) < 0.002


@AT_EASE
@given(seed=st.integers(0, 2**32 - 1))
def test_laxity_asks_nobody_for_more_than_it_has(seed: int) -> None:
    problem = random_problem(seed)
    split = laxity_split(problem)
    assert (split.given_w <= problem.cap_w).all()
    used = split.given_w @ problem.hours
    assert (used <= np.minimum(problem.energy_wh, problem.cap_w @ problem.hours) * 1.0000001).all()
    together = problem.delivers @ split.given_w + split.short_w
    np.testing.assert_allclose(together, problem.target_w, rtol=1e-9, atol=1e-3)


@AT_EASE
@given(
    seed=st.integers(0, 2**32 - 1),
    least_h=st.sampled_from([0.0, 0.5]),
    whole=st.booleans(),
)
def test_a_site_with_a_least_request_gives_that_or_nothing(
    seed: int, least_h: float, whole: bool
) -> None:
    problem = random_problem(seed)
    chance = np.random.default_rng(seed)
    some = np.flatnonzero(chance.random(len(problem.cap_w)) < 0.5)
    least = np.full(len(some), np.inf) if whole else problem.cap_w[some].max(axis=1) * 0.3 + 1.0
    blocks = Blocks(
        sites=some,
        least_w=least,
        least_h=np.full(len(some), least_h),
        on_h=np.zeros(len(some)),
    )
    split, over = with_blocks(problem, solve(problem), blocks)
    given, caps = split.given_w[some], problem.cap_w[some]
    floor = np.where(np.isfinite(least)[:, None], least[:, None], caps)
    assert ((given <= 0) | (given >= floor - 1e-6)).all()
    assert (split.given_w <= problem.cap_w + 1e-6).all()
    used = split.given_w @ problem.hours
    assert (used <= problem.energy_wh * (1 + 1e-9) + 1e-6).all()
    if least_h == 0.0 and len(some):
        assert (over <= np.minimum(floor, caps).max(axis=0) + 1e-3).all()
    comes = problem.delivers @ split.given_w + split.short_w - over
    np.testing.assert_allclose(comes, problem.target_w, rtol=1e-9, atol=1e-3)


def test_a_site_that_is_on_stays_on_for_its_shortest_run() -> None:
    cap = np.full((2, 4), 10.0)
    problem = Problem(
        hours=np.full(4, 0.25),
        target_w=np.array([0.0, 0.0, 10.0, 10.0]),
        cap_w=cap,
        weight_w=cap,
        cost=np.zeros(2),
        energy_wh=np.full(2, np.inf),
        delivers=np.ones(2),
    )
    blocks = Blocks(
        sites=np.array([1]),
        least_w=np.array([np.inf]),
        least_h=np.array([0.5]),
        on_h=np.array([0.25]),
    )
    split, over = with_blocks(problem, solve(problem), blocks)
    assert split.given_w[1].tolist()[:2] == [10.0, 0.0]
    assert over.tolist() == [10.0, 0.0, 0.0, 0.0]
    assert split.short_w.tolist() == pytest.approx([0.0, 0.0, 0.0, 0.0])


def test_what_can_be_reached_rises_no_faster_than_the_ramp() -> None:
    cap = np.array([[100.0, 100.0, 20.0, 100.0]])
    rise = np.full((1, 4), 30.0)
    assert reachable(cap, rise, np.array([10.0])).tolist() == [[40.0, 70.0, 20.0, 50.0]]


def zero_or(most_w: float) -> st.SearchStrategy[float]:
    """Nothing, or what a meter can see: what is less is worth no instruction."""
    return st.just(0.0) | st.floats(0.01, most_w)


@AT_EASE
@given(
    target_w=zero_or(1e6),
    sites=st.lists(
        st.tuples(st.floats(1, 1e5), zero_or(1e5), st.floats(0, 0.25)),
        min_size=1,
        max_size=8,
    ),
)
def test_costs_delay_who_is_asked(target_w: float, sites: list[tuple[float, float, float]]) -> None:
    weights, caps, costs = (np.array(column) for column in zip(*sites, strict=True))
    shares = water_fill(target_w, weights, caps, costs)
    assert (shares <= caps).all()
    assert shares.sum() == pytest.approx(min(target_w, caps.sum()), rel=1e-9, abs=1e-6)
    problem = Problem(
        hours=np.ones(1),
        target_w=np.array([target_w]),
        cap_w=caps[:, None],
        weight_w=weights[:, None],
        cost=costs,
        energy_wh=np.full(len(caps), np.inf),
        delivers=np.ones(len(caps)),
        shortage=1e6,
    )
    exact = problem.objective(solve(problem).given_w)
    assert problem.objective(shares[:, None]) == pytest.approx(exact, rel=1e-6, abs=1e-3)


@pytest.mark.parametrize(
    ("shares", "jain", "least", "most"),
    [
        ([0.5, 0.5, 0.5], 1.0, 0.5, 0.5),
        ([1.0, 0.0, 0.0, 0.0], 0.25, 0.0, 1.0),
        ([0.2, 0.4], 0.9, 0.2, 0.4),
        ([0.0, 0.0], 1.0, 0.0, 0.0),
        ([], 1.0, 0.0, 0.0),
    ],
)
@pytest.mark.row("portfolio:A5")
def test_how_even_it_is(shares: list[float], jain: float, least: float, most: float) -> None:
    asked = [Asked(asked_wh=share * 200.0, offered_wh=200.0) for share in shares]
    found = fairness([*asked, Asked(asked_wh=0.0, offered_wh=0.0)])
    assert (found.jain, found.least, found.most) == pytest.approx((jain, least, most))
    assert found.sites == len(shares)


def test_who_was_asked_more_is_asked_less_within_bounds() -> None:
    history = {
        "much": Asked(asked_wh=100.0, offered_wh=100.0),
        "some": Asked(asked_wh=35.0, offered_wh=100.0),
        "little": Asked(asked_wh=0.0, offered_wh=300.0),
        "none": Asked(asked_wh=0.0, offered_wh=0.0),
    }
    costs = history_cost(history, ["much", "some", "little", "none", "new"])
    assert costs.tolist() == pytest.approx([MOST, 0.08, 0.0, 0.0, 0.0])
    assert history_cost({}, ["new"]).tolist() == [0.0]


def test_a_target_of_zero_asks_nobody() -> None:
    problem = replace(random_problem(3), target_w=np.zeros_like(random_problem(3).target_w))
    assert not solve(problem).given_w.any()
