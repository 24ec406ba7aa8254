"""The exact fill by sorting, where nothing couples the intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.domain.dispatch.problem import Problem, Split

Watts = NDArray[np.float64]
NOTHING_W = 1e-6
"""Rounding, far below anything a meter can see."""


def water_fill(target_w: float, weights: Watts, caps_w: Watts, costs: Watts | None = None) -> Watts:
    """Shares `clip((level - cost) weight, 0, cap)` that add up to the target.

    Without costs: in proportion to the weights, none above its cap. When all caps together fall
    short, every site gives its cap. Exact: the level lies between two of the sorted prices at which
    a site begins or ends to give more, and is linear between them.
    """
    caps = np.where(weights > NOTHING_W, caps_w, 0.0)
    if target_w >= caps.sum():
        return caps
    if target_w <= NOTHING_W:
        return np.zeros_like(caps)
    some = np.flatnonzero(caps > 0)
    begins = np.zeros(len(some)) if costs is None else costs[some]
    weight, cap = weights[some], caps[some]
    ends = begins + cap / weight
    turns = np.concatenate((begins, ends))
    order = np.argsort(turns, kind="stable")
    sorted_turns = turns[order]
    slopes = np.cumsum(np.concatenate((weight, -weight))[order])
    given = np.concatenate(([0.0], np.cumsum(slopes[:-1] * np.diff(sorted_turns))))
    after = min(int(np.searchsorted(given, target_w)), len(turns) - 1)
    low, high = sorted_turns[max(0, after - 1)], sorted_turns[after]
    inside, full = (begins <= low) & (ends >= high), ends <= low
    moving = float(weight[inside].sum())
    rest = target_w - float(cap[full].sum()) + float((begins * weight)[inside].sum())
    level = min(max(rest / moving, low), high) if moving > 0 else high
    shares = np.zeros_like(caps)
    shares[some] = np.clip((level - begins) * weight, 0.0, cap)
    return shares


def filled(problem: Problem) -> Split:
    """The split as if nothing coupled the intervals: look at energies and bounds afterwards."""
    expected = problem.delivers
    given = np.zeros_like(problem.cap_w)
    for t, target in enumerate(problem.target_w):
        shares = water_fill(
            float(target),
            expected**2 * problem.weight_w[:, t],
            expected * problem.cap_w[:, t],
            problem.cost / expected,
        )
        given[:, t] = np.minimum(shares / expected, problem.cap_w[:, t])
    short = np.maximum(problem.missing_w(given), 0.0)
    return Split(given_w=given, short_w=short, price=_prices(problem, given, short), gap=0.0)


def _prices(problem: Problem, given: Watts, short: Watts) -> Watts:
    """What the last W costs in each interval: that of the dearest site that gives."""
    paid = np.divide(given, problem.weight_w, out=np.zeros_like(given), where=given > 0)
    paid = np.where(given > 0, paid + problem.cost[:, None], 0.0) / problem.delivers[:, None]
    most = paid.max(axis=0, initial=0.0)
    return np.where(short > NOTHING_W, problem.shortage, np.minimum(most, problem.shortage))


def keeps(problem: Problem, split: Split) -> bool:
    """Whether a split keeps to every energy and every bound."""
    used = split.given_w @ problem.hours
    fits = used <= problem.energy_wh * (1 + 1e-9)
    return bool(fits.all()) and not (problem.bounds.excess(split.given_w) > NOTHING_W).any()
