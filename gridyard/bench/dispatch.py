"""A request split over many sites, beside general solvers on the same problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gateway.domain.dispatch.newton import solve
from gateway.domain.dispatch.problem import Problem
from gridyard.bench import dispatch_peers
from gridyard.bench.core import Bench, Row, at_most, median_cpu_ms

INTERVALS = 24
_BARS_MS = {1_000: None, 10_000: 80.0, 100_000: 2_000.0}
_RUNS = {1_000: 7, 10_000: 5, 100_000: 1}
_BESIDE = (1_000, 10_000)
_SEEDS = 3
_AGREE = 1e-6
_SHARE = 0.2
"""Of the peer's time."""


class DisagreementError(Exception):
    """Ours and the peer found another optimum: there is nothing to compare."""


def request(sites: int, seed: int) -> Problem:
    """Half of what is offered asked for, from sites whose energy lasts for a part of the day."""
    chance = np.random.default_rng(seed)
    cap = chance.uniform(5e3, 50e3, (sites, 1)) * chance.uniform(0.3, 1.0, (sites, INTERVALS))
    return Problem(
        hours=np.ones(INTERVALS),
        target_w=cap.sum(axis=0) * 0.5 * chance.uniform(0.5, 1.1, INTERVALS),
        cap_w=cap,
        weight_w=cap,
        cost=chance.uniform(0.0, 0.25, sites),
        energy_wh=cap.sum(axis=1) * chance.uniform(0.1, 1.1, sites),
        delivers=chance.uniform(0.7, 1.0, sites),
    )


def rows() -> Sequence[Row]:
    """Medians of several requests; HiGHS has the easier problem, without the square term."""
    found = []
    for sites, bar in _BARS_MS.items():
        requests = [request(sites, seed) for seed in range(_SEEDS)]
        ours, spread = median_cpu_ms([_ours(one) for one in requests], _RUNS[sites])
        warm, warm_spread = median_cpu_ms([_warm(one) for one in requests], _RUNS[sites])
        what = f"split over {sites:,} sites x {INTERVALS}"
        if bar is not None:
            found.append(at_most(f"{what}, cold", "ms", ours, bar, "the bar", 1.0, spread))
            found.append(at_most(f"{what}, warm", "ms", warm, bar, "the bar", 1.0, warm_spread))
        if sites in _BESIDE:
            for name, peer in _peers(requests[0]):
                found.append(at_most(f"{what}, cold", "ms", ours, peer, name, _SHARE, spread))
    return found


def _peers(problem: Problem) -> Sequence[tuple[str, float | None]]:
    """Names and times of the peers; none for one that is not installed."""
    highs, _ = median_cpu_ms([dispatch_peers.highs_lp(problem)], 1)
    piqp = None
    if dispatch_peers.piqp_installed():
        _agree(problem)
        piqp, _ = median_cpu_ms([dispatch_peers.piqp(problem, accuracy=1e-6)], 1)
    return (("HiGHS, LP", highs), ("PIQP, QP", piqp))


def _agree(problem: Problem) -> None:
    ours = problem.objective(solve(problem).given_w)
    theirs = problem.objective(dispatch_peers.piqp(problem)())
    if abs(ours - theirs) > _AGREE * max(1.0, abs(theirs)):
        raise DisagreementError(f"optimum {ours:.6f} here, {theirs:.6f} by PIQP")


def _ours(problem: Problem) -> Callable[[], object]:
    return lambda: solve(problem)


def _warm(problem: Problem) -> Callable[[], object]:
    """A minute later: with the prices of a request that was 3 % higher."""
    before = solve(replace(problem, target_w=problem.target_w * 1.03)).price
    return lambda: solve(problem, before)


BENCH = Bench(
    name="dispatch",
    about="a request split over up to 100,000 sites, beside HiGHS and PIQP",
    run=rows,
    packages=("numpy", "highspy", "piqp"),
)
"""`gridyard bench`: ours beside a peer or a floor, in the same run."""
