"""What sites give at prices: the inner problem of the dual, one energy price per site.

    x_it = clip((p_it - c_i - m_i) w_it, 0, u_it)

with m_i = 0, or where the energy binds the root of `sum_t h_t x_it(m_i) = E_i`: piecewise linear
and falling in m_i, found by Newton steps inside a bracket.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gateway.domain.dispatch.problem import Flags, Problem, Table, Vector

_STEPS = 100
_EXACT = 1e-12
BLOCK = 1_024
"""So many sites at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What everybody gives."""

    x: Table
    """[N, T] W."""
    bound: Flags
    """[N] Whose energy binds."""
    worth: float
    """The sites' part of the dual: what it costs them, less what they are paid."""


class Sites:
    """The sites of a problem, ready to answer prices again and again."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        most_wh = problem.cap_w @ problem.hours
        self._energy_wh = np.where(problem.energy_wh < most_wh, problem.energy_wh, np.inf)
        self._last = np.zeros(len(most_wh))
        self._curve = 0.5 / np.where(problem.weight_w > 0, problem.weight_w, np.inf)

    def answer(self, prices: Vector, paid: Table | None = None) -> Response:
        """What the sites give at [T] prices, less what each pays for further bounds."""
        x = np.empty_like(self._problem.cap_w)
        bound = np.zeros(len(x), dtype=bool)
        worth = 0.0
        for first in range(0, len(x), BLOCK):
            part = slice(first, first + BLOCK)
            worth += self._part(part, prices, paid, x[part], bound[part])
        return Response(x=x, bound=bound, worth=worth)

    def cost(self, x: Table) -> float:
        """What it costs the sites to give this."""
        worth = x * self._curve
        worth += self._problem.cost[:, None]
        worth *= x
        return float(worth.sum(axis=0) @ self._problem.hours)

    def _part(
        self, part: slice, prices: Vector, paid: Table | None, x: Table, bound: Flags
    ) -> float:
        """Some of the sites, few enough to stay in the cache; fills `x` and `bound`."""
        problem = self._problem
        weight, cap, energy = problem.weight_w[part], problem.cap_w[part], self._energy_wh[part]
        net = problem.delivers[part, None] * prices
        net -= problem.cost[part, None]
        if paid is not None:
            net -= paid[part]
        high = net.max(axis=1, initial=0.0)
        wanted = np.multiply(net, weight, out=net)
        np.clip(wanted, 0.0, cap, out=x)
        used = x @ problem.hours
        over = np.flatnonzero(used > energy)
        if over.size:
            last, limit = self._last[part], energy[over]
            guess = high[over] * (1.0 - limit / used[over])
            start = np.where(last[over] > 0, last[over], guess)
            last[over], x[over] = energy_levels(
                wanted[over], weight[over], cap[over], problem.hours, limit, start, high[over]
            )
            bound[over] = True
        wanted *= -2.0  # x^2 / 2w + (c - p) x = x (x - 2 wanted) / 2w
        wanted += x
        wanted *= x
        wanted *= self._curve[part]
        return float(wanted.sum(axis=0) @ problem.hours)


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
