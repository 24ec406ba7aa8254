"""The site's plan: from the problem to the schedule, cold and warm, beside the same in cvxpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from gridyard.bench import plan_peer
from gridyard.bench.core import Bench, Row, at_most, median_cpu_ms
from gridyard.bench.plan_problem import QUARTERS, VANS, depot
from site_agent.domain.plan.problem import Problem
from site_agent.domain.plan.solve import PlanSolver

_RUNS = 11
_PEER_RUNS = 3
_COLD_MS, _WARM_MS = 30.0, 5.0
_SHARE = 0.2
"""Of the peer's time."""
_AGREE = 1e-5


class DisagreementError(Exception):
    """Ours and the peer found another optimum: there is nothing to compare."""


def rows() -> Sequence[Row]:
    """Medians of several days; of the peer fewer, for it takes its time."""
    days = [depot(seed) for seed in range(_RUNS)]
    cold, cold_spread = median_cpu_ms([_cold(day) for day in days])
    warm, warm_spread = median_cpu_ms([_warm(seed) for seed in range(_RUNS)])
    peer = None
    if plan_peer.installed():
        peer, _ = median_cpu_ms([_beside(day) for day in days[:_PEER_RUNS]])
    what = f"{VANS} vans x {QUARTERS} quarters"
    named = "cvxpy with Clarabel"
    return [
        at_most(f"plan {what}, cold", "ms", cold, _COLD_MS, "the bar", 1.0, cold_spread),
        at_most(f"plan {what}, warm", "ms", warm, _WARM_MS, "the bar", 1.0, warm_spread),
        at_most(f"plan {what}, cold", "ms", cold, peer, named, _SHARE, cold_spread),
        at_most(f"plan {what}, warm", "ms", warm, peer, named, _SHARE, warm_spread),
    ]


def _cold(day: Problem) -> Callable[[], object]:
    """A solver that has seen nothing yet."""
    solver = PlanSolver()
    return lambda: solver.plan(day)


def _warm(seed: int) -> Callable[[], object]:
    """Five minutes later, with a building that is 3 % off its forecast."""
    solver, day = PlanSolver(), depot(seed)
    solver.plan(day)
    later = depot(seed, now=day.now + timedelta(minutes=5), error=0.03)
    return lambda: solver.plan(later)


def _beside(day: Problem) -> Callable[[], object]:
    """The peer, once it has shown to find the same optimum."""
    ours, theirs = PlanSolver().plan(day).objective, plan_peer.solve(day)
    if abs(ours - theirs) > _AGREE * max(1.0, abs(ours)):
        raise DisagreementError(f"optimum {ours:.6f} here, {theirs:.6f} by the peer")
    return lambda: plan_peer.solve(day)


BENCH = Bench(
    name="plan",
    about="the site's plan of a day, from problem to schedule, beside the same problem in cvxpy",
    run=rows,
    packages=("highspy", "numpy", "cvxpy-base", "clarabel"),
)
