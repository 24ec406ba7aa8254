"""Random requests to split, from tame to nasty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gateway.domain.dispatch.groups import Group, group_bounds
from gateway.domain.dispatch.problem import Problem, Table
from gateway.domain.dispatch.ramps import ramp_bounds, reachable


def random_problem(seed: int, *, groups: bool = False, ramps: bool = False) -> Problem:
    """Up to 30 sites and 12 intervals; a third of the sites without a limit on energy."""
    chance = np.random.default_rng(seed)
    sites, count = int(chance.integers(1, 31)), int(chance.integers(1, 13))
    here = chance.random((sites, count)) > 0.15
    cap = chance.uniform(1e3, 50e3, (sites, 1)) * chance.uniform(0, 1, (sites, count)) * here
    hours = chance.choice([0.25, 1.0], count)
    energy = (cap @ hours) * chance.uniform(0, 1, sites)
    problem = Problem(
        hours=hours,
        target_w=cap.sum(axis=0) * chance.uniform(0, 1.1, count),
        cap_w=cap,
        weight_w=cap * chance.uniform(0.5, 2.0, (sites, 1)),
        cost=chance.uniform(0, 0.4, sites) * (seed % 2),
        energy_wh=np.where(chance.random(sites) < 0.3, np.inf, energy),
        delivers=chance.uniform(0.6, 1, sites) if seed % 3 else np.ones(sites),
        shortage=float(chance.choice([5.0, 100.0])),
    )
    if groups:
        problem = replace(problem, bounds=group_bounds(_groups(chance, cap)))
    if ramps:
        rise = np.full((sites, count), 1.0) * cap.max(axis=1, keepdims=True)
        rise *= chance.uniform(0.1, 0.6)
        reach = reachable(cap, rise, np.zeros(sites))
        problem = replace(problem, cap_w=reach, bounds=problem.bounds + ramp_bounds(reach, rise))
    return problem


def _groups(chance: np.random.Generator, cap: Table) -> list[Group]:
    """Up to three that overlap as they like."""
    sites, count = cap.shape
    return [
        Group(
            name=f"feeder {number}",
            members=np.flatnonzero(chance.random(sites) < 0.5),
            most_w=cap.sum(axis=0) * chance.uniform(0, 0.6, count),
        )
        for number in range(int(chance.integers(1, 4)))
    ]
