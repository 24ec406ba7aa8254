"""The same plan by cvxpy, as somebody would write it who has no time to lay out arrays.

cvxpy is a development dependency; without it the bench has nothing beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module, util
from typing import Any

import numpy as np

from site_agent.domain.plan.problem import Problem
from site_agent.domain.plan.weights import Weights


def installed() -> bool:
    """Whether the peer is here."""
    return util.find_spec("cvxpy") is not None


def solve(problem: Problem) -> float:
    """Build and solve; the optimum. For problems as `plan_problem.depot` makes them."""
    return solver(problem)()


def solver(problem: Problem) -> Callable[[], float]:
    """The problem, built; each call solves it again."""
    cp: Any = import_module("cvxpy")
    weights, count = Weights(problem=problem), problem.horizon.count
    hours = problem.present * problem.horizon.hours
    into = cp.Variable((len(problem.vehicles), count), nonneg=True)
    short = cp.Variable(len(problem.vehicles), nonneg=True)
    draw, over, feed, cut, fill, drain = (cp.Variable(count, nonneg=True) for _ in range(6))
    peak = cp.Variable()
    battery, term = problem.batteries[0], problem.demand[0]
    stored = battery.stored_wh / 1e3 + cp.cumsum(
        cp.multiply(hours, battery.charge_efficiency * fill - drain / battery.discharge_efficiency)
    )
    taken = np.zeros(count)
    taken[0] = term.taken_wh / 1e3 / term.interval_h
    base = (problem.building_w + problem.pv_w) / 1e3
    required = np.array([one.required_wh for one in problem.vehicles]) / 1e3
    rules = [
        into <= _most(problem),
        into @ hours + short == required,
        draw + over - feed == base + cut + cp.sum(into, axis=0) + fill - drain,
        draw <= problem.limits.import_w / 1e3,
        cut <= -problem.pv_w / 1e3,
        fill <= battery.max_charge_w / 1e3,
        drain <= battery.max_discharge_w / 1e3,
        stored >= battery.reserve_wh / 1e3,
        stored <= battery.capacity_wh / 1e3,
        peak >= term.so_far_w / 1e3,
        cp.multiply(problem.present, draw + over) + taken <= peak,
    ]
    wear = weights.wear(
        battery.wear_per_kwh, battery.charge_efficiency * battery.discharge_efficiency
    )
    waiting = weights.waiting() * hours
    cost = (
        cp.sum(cp.multiply(weights.buy() * hours, draw + over))
        - cp.sum(cp.multiply(weights.sell() * hours, feed))
        + cp.sum(cp.multiply(weights.limit * hours, over) + cp.multiply(weights.tie * hours, cut))
        + cp.sum(into @ waiting)
        + cp.sum(cp.multiply(waiting, fill) + cp.multiply(wear * hours, drain))
        + weights.shortfall() @ short
        + term.per_kw * peak
        - weights.worth(battery) * stored[count - 1]
    )
    built = cp.Problem(cp.Minimize(cost), rules)

    def run() -> float:
        return float(built.solve(solver=cp.CLARABEL))

    return run


def _most(problem: Problem) -> np.ndarray[Any, np.dtype[np.float64]]:
    """By vehicle and slot, the most over what is left of the slot, kW."""
    horizon, rest = problem.horizon, problem.present
    rows = [
        one.max_power_w
        / 1e3
        * np.divide(
            horizon.share(max(one.arrives, problem.now), one.departs),
            rest,
            out=np.zeros(horizon.count),
            where=rest > 0,
        )
        for one in problem.vehicles
    ]
    return np.array(rows)
