"""Sites that give at least a block or nothing, and once on stay on for a while.

The split is made as if they could give anything between; then as many are switched on as that came
to, by largest remainder (those closest to their block first), and what is left is filled again. So
blocks come to less than one block more than they were to give; what exceeds the request is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gateway.domain.dispatch.newton import solve
from gateway.domain.dispatch.problem import Flags, Index, Problem, Split, Table, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Sites with a least request."""

    sites: Index
    least_w: Vector
    """Less than this is not asked of it, W > 0; infinity: all of its offer or nothing."""
    least_h: Vector
    """How long each stays on once it is, h >= 0."""
    on_h: Vector
    """How long each has been on already; 0: it is off."""


def with_blocks(problem: Problem, first: Split, blocks: Blocks) -> tuple[Split, Vector]:
    """A split that keeps to the blocks, and [T] by how much it exceeds the request, W >= 0.

    `first`: the split without them. Minimum runs may exceed the request by more than a block: a
    site that was switched on while more was asked stays on.
    """
    base = _switched(problem, first.given_w, blocks)
    off = np.zeros(base.shape, dtype=bool)
    off[blocks.sites] = base[blocks.sites] <= 0
    used = problem.bounds.excess(base) + problem.bounds.most
    rest = replace(
        problem,
        cap_w=np.where(off, 0.0, np.maximum(0.0, problem.cap_w - base)),
        energy_wh=np.maximum(0.0, problem.energy_wh - base @ problem.hours),
        target_w=np.maximum(0.0, problem.missing_w(base)),
        bounds=replace(problem.bounds, most=problem.bounds.most - used),
    )
    second = solve(rest, first.price)
    given = base + second.given_w
    split = replace(second, given_w=given, steps=first.steps + second.steps)
    return split, np.maximum(0.0, -problem.missing_w(given))


def _switched(problem: Problem, wished: Table, blocks: Blocks) -> Table:
    """[N, T] The least of every site that is on, interval by interval."""
    base = np.zeros_like(wished)
    on_h, left_wh = blocks.on_h.copy(), problem.energy_wh[blocks.sites].copy()
    for t, hours in enumerate(problem.hours):
        cap = problem.cap_w[blocks.sites, t]
        least = np.where(np.isfinite(blocks.least_w), blocks.least_w, cap)
        able = (cap > 0) & (least <= cap) & (left_wh >= least * hours)
        stays = able & (on_h > 0) & (on_h < blocks.least_h)
        on = _chosen(wished[blocks.sites, t], least, cap, able, stays)
        base[blocks.sites[on], t] = least[on]
        left_wh[on] -= least[on] * hours
        on_h = np.where(on, on_h + hours, 0.0)
    return base


def _chosen(wished: Vector, least: Vector, cap: Vector, able: Flags, stays: Flags) -> Flags:
    """Which are on: those that must stay, then the largest remainders up to what is wished."""
    part = np.divide(wished, cap, out=np.zeros_like(cap), where=cap > 0)
    order = np.lexsort((np.arange(len(cap)), -part, ~stays))
    order = order[able[order]]
    before = np.cumsum(cap[order]) - cap[order]
    fits = before + 0.5 * least[order] < wished.sum()  # rather half a block too little than more
    on = np.zeros(len(cap), dtype=bool)
    on[order[fits | stays[order]]] = True
    return on
