"""The exact split by its dual: one price per interval, one for each further bound.

The dual is concave and piecewise quadratic with few variables, so a projected Newton method on its
generalised Hessian ends after some ten steps, whatever the number of sites (Hiriart-Urruty,
Strodiot and Nguyen 1984 on generalised Hessians; Bertsekas 1982 on projected Newton steps). Bounds
on groups and ramps get a price only once they are exceeded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gateway.domain.dispatch.problem import Bounds, Flags, Index, Problem, Split, Table, Vector
from gateway.domain.dispatch.repair import repaired
from gateway.domain.dispatch.response import BLOCK, Sites

MAX_BOUNDS = 1_500
"""Of those that bind at once; beyond it the split stays feasible, but is not the cheapest."""
_STEPS = 500
_SOFT, _STIFFER, _STIFF = 1e-12, 10.0, 1e4
_STEEP = 0.3
_ARMIJO = 1e-4
_EXACT = 1e-13
_BLUR = 1e-14
_SAMPLE, _LARGE = 16, 2_000
_ROUNDS = 40
_EXCEEDED = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """Prices, and what follows from them."""

    prices: Vector
    """[T + K] Of the intervals, then of the bounds."""
    x: Table
    """[N, T] What is given at them."""
    bound: Flags
    """[N] Whose energy binds."""
    value: float
    """Of the dual: no split costs less."""
    slope: Vector
    """[T + K] How the dual rises with each price."""


def solve(problem: Problem, start: Vector | None = None) -> Split:
    """The cheapest split; `start`: prices of the intervals as they were, for a warm start.

    Always feasible; `Split.gap` says how far from the optimum it may be at most.
    """
    if not problem.cap_w.any() or not problem.target_w.any():
        nothing = np.zeros_like(problem.cap_w)
        price = np.where(problem.target_w > 0, problem.shortage, 0.0)
        return Split(
            given_w=nothing, short_w=problem.target_w.copy(), price=price, gap=0.0, steps=0
        )
    if len(problem.cap_w) >= _LARGE:
        start = solve(_sample(problem), start).price
    dual = _Dual(problem, Bounds.none())
    active = np.zeros(0, dtype=np.intp)
    prices = dual.begin(start)
    taken = 0
    for _ in range(_ROUNDS):
        point, steps = _climb(dual, prices)
        taken += steps
        fresh = _exceeded(problem, point.x, active)
        if not fresh.size or len(active) + len(fresh) > MAX_BOUNDS:
            break
        active = np.concatenate((active, fresh))
        dual = _Dual(problem, problem.bounds.only(active), dual.sites)
        prices = np.concatenate((point.prices, np.zeros(len(fresh))))
    return _split(dual, problem, point, taken)


def _sample(problem: Problem) -> Problem:
    """Some of the sites, asked as much for their size: prices to begin with, at little cost."""
    some = slice(None, None, _SAMPLE)
    part = problem.cap_w[some]
    share = np.divide(
        part.sum(axis=0),
        problem.cap_w.sum(axis=0),
        out=np.zeros_like(problem.target_w),
        where=problem.cap_w.any(axis=0),
    )
    return replace(
        problem,
        target_w=problem.target_w * share,
        cap_w=part,
        weight_w=problem.weight_w[some],
        cost=problem.cost[some],
        energy_wh=problem.energy_wh[some],
        delivers=problem.delivers[some],
        bounds=Bounds.none(),
    )


def _split(dual: _Dual, problem: Problem, point: _Point, steps: int) -> Split:
    given = repaired(problem, point.x)
    short = np.maximum(problem.missing_w(given), 0.0)
    cost = dual.sites.cost(given) + problem.shortage * float(short @ problem.hours)
    return Split(
        given_w=given,
        short_w=short,
        price=point.prices[: len(problem.hours)],
        gap=max(0.0, cost - point.value) / max(1.0, abs(cost)),
        steps=steps,
    )


def _exceeded(problem: Problem, x: Table, active: Index) -> Index:
    """Bounds that do not hold and have no price yet."""
    if not len(problem.bounds):
        return active[:0]
    scale = np.maximum(1.0, np.abs(problem.bounds.most))
    broken = problem.bounds.excess(x) > _EXCEEDED * scale
    broken[active] = False
    return np.flatnonzero(broken)


class _Dual:
    """The dual of a problem under some of its bounds."""

    def __init__(self, problem: Problem, bounds: Bounds, sites: Sites | None = None) -> None:
        self._problem = problem
        self._bounds = bounds
        self.sites = sites or Sites(problem)
        count = len(problem.hours)
        dearest = count * problem.shortage * float(problem.hours.sum())
        ramps = bool((bounds.coefficient < 0).any())
        # A ramp may make it worth giving early what nobody asked for: only a price below 0 forbids.
        self.bottom = np.concatenate(
            (np.full(count, -dearest if ramps else 0.0), np.zeros(len(bounds)))
        )
        self.top = np.concatenate((np.full(count, problem.shortage), np.full(len(bounds), dearest)))
        steep = bounds.coefficient**2 * problem.weight_w[bounds.site, bounds.interval]
        steepest = np.bincount(
            bounds.row, weights=steep / problem.hours[bounds.interval], minlength=len(bounds)
        )
        most = np.concatenate((problem.hours * (problem.delivers**2 @ problem.weight_w), steepest))
        self.stiffest = np.where(most > 0, most, 1.0)
        """[T + K] Curvature if every site moved."""
        self._demand = np.concatenate((problem.hours * problem.target_w, -bounds.most))
        self._least = _EXACT * max(1.0, float(np.abs(self._demand).max(initial=0.0)))

    def begin(self, start: Vector | None) -> Vector:
        """Prices to begin with: the last ones, or those of sites that nothing binds."""
        if start is not None:
            return np.clip(np.nan_to_num(start), 0.0, self._problem.shortage)
        problem = self._problem
        slope = problem.delivers**2 @ problem.weight_w
        shift = (problem.delivers * problem.cost) @ problem.weight_w
        level = np.divide(
            problem.target_w + shift, slope, out=np.zeros_like(slope), where=slope > 0
        )
        return np.minimum(level, problem.shortage)

    def at(self, prices: Vector) -> _Point:
        """The dual at these prices."""
        problem, bounds = self._problem, self._bounds
        count = len(problem.hours)
        paid = None
        if len(bounds):
            paid = np.zeros_like(problem.cap_w)
            each = bounds.coefficient * prices[count:][bounds.row] / problem.hours[bounds.interval]
            np.add.at(paid, (bounds.site, bounds.interval), each)
        found = self.sites.answer(prices[:count], paid)
        value = found.worth + float(prices @ self._demand)
        slope = np.concatenate((problem.hours * problem.missing_w(found.x), bounds.excess(found.x)))
        return _Point(prices=prices, x=found.x, bound=found.bound, value=value, slope=slope)

    def free(self, point: _Point) -> Flags:
        """Prices that may move: neither at 0 nor at the top with a slope that pushes on."""
        pushed_down = (point.prices <= self.bottom) & (point.slope <= 0)
        pushed_up = (point.prices >= self.top) & (point.slope >= 0)
        return ~(pushed_down | pushed_up)

    def residual(self, point: _Point) -> float:
        """Largest slope of a free price, as a part of what is asked or allowed."""
        part = np.abs(point.slope) / np.maximum(np.abs(self._demand), self._least)
        return float(np.where(self.free(point), part, 0.0).max(initial=0.0))

    def along(self, point: _Point, direction: Vector) -> _Point:
        """From a point in a direction, as far as prices may go."""
        return self.at(np.clip(point.prices + direction, self.bottom, self.top))

    def curvature(self, point: _Point) -> Table:
        """The generalised Hessian, negated: how the slopes fall with the prices."""
        size = len(point.x) if len(self._bounds) else BLOCK
        whole = np.zeros((len(point.prices), len(point.prices)))
        for first in range(0, len(point.x), size):
            whole += self._part(slice(first, first + size), point)
        return whole

    def _part(self, part: slice, point: _Point) -> Table:
        """What some of the sites add to it."""
        problem, x, cap = self._problem, point.x[part], self._problem.cap_w[part]
        delivers = problem.delivers[part]
        moving = np.where((x > 0) & (x < cap), problem.weight_w[part], 0.0)
        inside = np.diag(problem.hours * (delivers**2 @ moving))
        rows = np.flatnonzero(point.bound[part])
        through = moving[rows]
        through *= problem.hours
        reach = through.sum(axis=1)
        through *= delivers[rows, None]
        if len(self._bounds):
            inside, through = self._with_bounds(inside, through, moving, rows)
        share = np.divide(1.0, reach, out=np.zeros_like(reach), where=reach > 0)
        whole: Table = inside - (through * share[:, None]).T @ through
        return whole

    def _with_bounds(
        self, inside: Table, through: Table, moving: Table, rows: Index
    ) -> tuple[Table, Table]:
        """The same with the rows of the bounds below and beside those of the intervals."""
        problem, bounds = self._problem, self._bounds
        count = len(problem.hours)
        amount = bounds.coefficient * moving[bounds.site, bounds.interval]
        beside = np.zeros((count, len(bounds)))
        np.subtract.at(
            beside, (bounds.interval, bounds.row), amount * problem.delivers[bounds.site]
        )
        flat = bounds.site * count + bounds.interval
        entries, column = np.unique(flat, return_inverse=True)
        spread = np.zeros((len(bounds), len(entries)))
        np.add.at(spread, (bounds.row, column), bounds.coefficient)
        below = (spread * (moving.ravel()[entries] / problem.hours[entries % count])) @ spread.T
        place = np.full(len(moving), -1, dtype=np.intp)
        place[rows] = np.arange(len(rows))
        held = place[bounds.site] >= 0
        more = np.zeros((len(rows), len(bounds)))
        np.subtract.at(more, (place[bounds.site[held]], bounds.row[held]), amount[held])
        return np.block([[inside, beside], [beside.T, below]]), np.hstack((through, more))


def _climb(dual: _Dual, prices: Vector) -> tuple[_Point, int]:
    """Newton steps until the dual rises no more.

    Where a step does not raise the dual, its Hessian is made stiffer (Levenberg 1944): across the
    kinks, and where nobody moves, it becomes a short step up the slope.
    """
    point, stiff = dual.at(prices), _SOFT
    for step in range(_STEPS):
        if dual.residual(point) <= _EXACT:
            return point, step
        free = dual.free(point)
        part = dual.curvature(point)[np.ix_(free, free)]
        after = None
        while after is None and stiff < _STIFF:
            after = _tried(dual, point, free, part, stiff)
            stiff *= 0.1 if after else _STIFFER
        if after is None:
            return point, step
        point, stiff = after, max(stiff, _SOFT)
    return point, _STEPS


def _tried(dual: _Dual, point: _Point, free: Flags, part: Table, stiff: float) -> _Point | None:
    """The point a step leads to, or None when the dual does not rise there."""
    direction = np.zeros_like(point.prices)
    whole = part + np.diag(stiff * dual.stiffest[free])
    direction[free] = np.linalg.solve(whole, point.slope[free])
    after = dual.along(point, direction)
    rise = float(point.slope @ (after.prices - point.prices))
    if rise <= _BLUR * max(1.0, abs(point.value)):  # too little for the value to show it
        return after if dual.residual(after) < 0.9 * dual.residual(point) else None
    if after.value < point.value + _ARMIJO * rise:
        return None
    return _farther(dual, point, direction, after)


def _farther(dual: _Dual, point: _Point, direction: Vector, after: _Point) -> _Point:
    """Twice as far again and again, while the dual rises there nearly as steeply as here.

    Where energy is short, prices climb far over many small kinks.
    """
    size, steep = 2.0, _STEEP * float(point.slope @ direction)
    while float(after.slope @ direction) > steep:
        beyond = dual.along(point, size * direction)
        if beyond.value <= after.value:
            break
        after, size = beyond, 2.0 * size
    return after
