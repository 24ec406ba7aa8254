"""What sites give at prices: the inner problem of the dual, one energy price per site.

    x_it = clip((p_it - c_i - m_i) w_it, 0, u_it)

with m_i = 0, or where the energy binds the root of `sum_t h_t x_it(m_i) = E_i`: piecewise linear
and falling in m_i, found by Newton steps inside a bracket.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gateway.domain.dispatch.problem import Index, Problem, Table, Vector

_STEPS = 100
_EXACT = 1e-12
_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What everybody gives."""

    x: Table
    """[N, T] W."""
    wanted: Table
    """[N, T] The same were there neither caps nor energies, W; below 0 where the price is."""
    bound: Index
    """Sites whose energy binds."""


class Sites:
    """The sites of a problem, ready to answer prices again and again."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        most_wh = problem.cap_w @ problem.hours
        self._limited = np.flatnonzero(problem.energy_wh < most_wh)
        self._energy_wh = problem.energy_wh[self._limited]
        self._cap_w = problem.cap_w[self._limited]
        self._weight_w = problem.weight_w[self._limited]
        self._last = np.zeros(len(self._limited))

    def answer(self, price: Table) -> Response:
        """What the sites give at [N, T] prices; `price` is used up."""
        problem = self._problem
        price -= problem.cost[:, None]
        high = price[self._limited].max(axis=1, initial=0.0)
        wanted = np.multiply(price, problem.weight_w, out=price)
        x = np.clip(wanted, 0.0, problem.cap_w)
        used = (x @ problem.hours)[self._limited]
        over = np.flatnonzero(used > self._energy_wh)
        rows = self._limited[over]
        if over.size:
            guess = high[over] * (1.0 - self._energy_wh[over] / used[over])
            start = np.where(self._last[over] > 0, self._last[over], guess)
            self._last[over], x[rows] = self._held(over, wanted[rows], start, high[over])
        return Response(x=x, wanted=wanted, bound=rows)

    def _held(
        self, over: Index, margin: Table, start: Vector, high: Vector
    ) -> tuple[Vector, Table]:
        """Energy prices at which these sites give exactly their energy, and what they give."""
        levels, given = np.empty(len(over)), np.empty_like(margin)
        for first in range(0, len(over), _BLOCK):  # small enough to stay in the cache
            part = slice(first, first + _BLOCK)
            rows = over[part]
            levels[part], given[part] = energy_levels(
                margin[part],
                self._weight_w[rows],
                self._cap_w[rows],
                self._problem.hours,
                self._energy_wh[rows],
                start[part],
                high[part],
            )
        return levels, given


def energy_levels(
    margin: Table,
    weight: Table,
    cap: Table,
    hours: Vector,
    energy: Vector,
    start: Vector,
    high: Vector,
) -> tuple[Vector, Table]:
    """[N] levels m at which `sum_t h clip(margin - m weight, 0, cap)` is the energy, and this.

    At m = 0 each gives more than its energy, at `high` nothing; `start`: a guess of each level.
    """
    low, levels = np.zeros(len(high)), np.clip(start, 0.0, high)
    found, open_ = levels.copy(), np.arange(len(high))
    now = (margin, weight, cap, weight * hours, energy)
    for _ in range(_STEPS):
        part_margin, part_weight, part_cap, pace, part_energy = now
        wanted = part_margin - levels[:, None] * part_weight
        given = np.clip(wanted, 0.0, part_cap)
        excess = given @ hours - part_energy
        slope = np.einsum("ij,ij->i", pace, given == wanted)
        above = excess > 0
        low, high = np.where(above, levels, low), np.where(above, high, levels)
        left = (np.abs(excess) > _EXACT * part_energy) & (high - low > _EXACT * high)
        if not left.all():
            found[open_] = levels
            if not left.any():
                break
            open_, levels, low, high = open_[left], levels[left], low[left], high[left]
            excess, slope = excess[left], slope[left]
            now = (
                part_margin[left],
                part_weight[left],
                part_cap[left],
                pace[left],
                part_energy[left],
            )
        step = levels + np.divide(excess, slope, out=np.full_like(excess, np.inf), where=slope > 0)
        levels = np.where((step > low) & (step < high), step, 0.5 * (low + high))
    given = np.clip(margin - found[:, None] * weight, 0.0, cap)
    used = given @ hours
    given *= np.divide(energy, used, out=np.ones_like(used), where=used > energy)[:, None]
    return found, given
