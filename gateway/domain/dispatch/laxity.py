"""Who gives when energy is short and what will be asked later is not known.

Laxity is how long a site could wait and still give all its energy before it is gone: hours left
less hours at full power. The smallest goes first, so that nobody is left with energy it has no time
to give. It needs no forecast of the requests, and ignores cost.

Where all sites can be served, filling the lowest laxities up to one level keeps as much for later
as any rule can (measured against a linear program that knows the future: the same within 0.2 points
of the energy; see docs/explanation/how-a-request-is-split.md).
"""

from __future__ import annotations

import numpy as np

from gateway.domain.dispatch.problem import Problem, Split, Table, Vector

_HALVINGS = 60


def least_laxity(
    energy_wh: Vector, rating_w: Vector, cap_w: Table, hours: Vector, target_w: float
) -> Vector:
    """[N] What each gives in the first interval, W; all there is, when that is not enough.

    `energy_wh`: left, finite; `rating_w`: full power; `cap_w`: [N, T] what can be given from now
    until the site is gone, 0 from then on.
    """
    window_wh = cap_w @ hours
    usable_wh = np.minimum(energy_wh, window_wh)
    now_h = hours[0]
    cap = np.minimum(cap_w[:, 0], usable_wh / now_h)
    if cap.sum() <= target_w:
        return np.asarray(cap)
    pace = np.maximum(rating_w, 1e-9) / now_h
    laxity = (window_wh - usable_wh) / (pace * now_h)
    low, high = float(laxity.min()), float((laxity + cap / pace).max())
    for _ in range(_HALVINGS):
        level = 0.5 * (low + high)
        given = np.clip((level - laxity) * pace, 0.0, cap).sum()
        low, high = (level, high) if given < target_w else (low, level)
    return np.asarray(np.clip((high - laxity) * pace, 0.0, cap))


def laxity_split(problem: Problem) -> Split:
    """The whole problem, one interval after the other, none knowing what comes after it.

    Bounds of groups and ramps are not looked at; cost and weights neither.
    """
    expected = problem.delivers[:, None]
    cap = problem.cap_w * expected
    left = np.minimum(problem.energy_wh, problem.cap_w @ problem.hours) * problem.delivers
    rating = cap.max(axis=1, initial=0.0)
    given = np.zeros_like(cap)
    for t, hours in enumerate(problem.hours):
        given[:, t] = least_laxity(
            left, rating, cap[:, t:], problem.hours[t:], float(problem.target_w[t])
        )
        left = np.maximum(0.0, left - given[:, t] * hours)
    total = given.sum(axis=0)
    given *= np.divide(
        problem.target_w, total, out=np.ones_like(total), where=total > problem.target_w
    )
    asked = np.minimum(given / expected, problem.cap_w)
    short = np.maximum(problem.missing_w(asked), 0.0)
    price = np.where(short > 0, problem.shortage, 0.0)
    return Split(given_w=asked, short_w=short, price=price, gap=0.0, steps=0)
