"""Many runs on all cores: every seed with every strategy, and what the oracle says of each seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from gridyard.simulate import oracle
from gridyard.simulate.measure import Result
from gridyard.simulate.setup import Inputs, simulated

Tell = Callable[[int, int], None]
"""So many runs done, of so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRow:
    """One run in a line."""

    seed: int
    strategy: str
    vehicles: int
    ready: int
    missing_wh: float
    demand_w: float
    peak_w: float
    over_s: float
    nodes_over_s: float
    within_limit: bool
    swaps: int
    cost: float | None
    wall_s: float
    oracle_missing_wh: float | None = None
    """None: not asked."""

    @property
    def all_ready(self) -> bool:
        """Whether every vehicle was."""
        return self.ready == self.vehicles

    @property
    def feasible(self) -> bool:
        """Whether the oracle finds that every vehicle can be."""
        return self.oracle_missing_wh is not None and self.oracle_missing_wh <= oracle.READY_WH


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One run to make."""

    inputs: Inputs
    strategy: str
    seed: int


def row_of(result: Result, oracle_wh: float | None = None) -> SeedRow:
    """A run in a line."""
    return SeedRow(
        seed=result.seed,
        strategy=result.strategy,
        vehicles=len(result.left),
        ready=result.ready,
        missing_wh=result.missing_wh,
        demand_w=result.demand_w,
        peak_w=result.peak_w,
        over_s=result.over_s,
        nodes_over_s=result.nodes_over_s,
        within_limit=result.within_limit,
        swaps=result.swaps,
        cost=result.cost,
        wall_s=result.wall_s,
        oracle_missing_wh=oracle_wh,
    )


def run_task(task: Task) -> SeedRow:
    """One run with the oracle's word."""
    case, night = task.inputs.night(task.seed)
    return row_of(
        simulated(task.inputs, task.strategy, task.seed), oracle.judge(case, night).missing_wh
    )


def run_many(
    inputs: Inputs, strategies: Iterable[str], seeds: Sequence[int], jobs: int, tell: Tell
) -> list[SeedRow]:
    """All runs, in order of strategy and seed."""
    tasks = [
        Task(inputs=inputs, strategy=strategy, seed=seed)
        for seed in seeds
        for strategy in strategies
    ]
    rows: list[SeedRow] = []
    workers = max(1, min(jobs or os.cpu_count() or 1, len(tasks)))
    if workers == 1:
        for task in tasks:
            rows.append(run_task(task))
            tell(len(rows), len(tasks))
        return sorted(rows, key=lambda row: (row.strategy, row.seed))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(run_task, task) for task in tasks]):
            rows.append(future.result())
            tell(len(rows), len(tasks))
    return sorted(rows, key=lambda row: (row.strategy, row.seed))
