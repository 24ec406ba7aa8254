"""What rounding left above a bound, brought under it; only ever by giving less."""

from __future__ import annotations

import numpy as np

from gateway.domain.dispatch.problem import Bounds, Problem, Table

_ROUNDING = 1e-12


def repaired(problem: Problem, x: Table) -> Table:
    """`x` without more than is asked, above no bound; giving less breaks nothing but a ramp.

    A ramp broken by what was cut before it is cut in the next pass, so that as many passes as there
    are intervals are enough.
    """
    total = problem.delivers @ x
    above = total > problem.target_w
    factor = np.divide(problem.target_w, total, out=np.ones_like(total), where=above)
    held = x * factor if above.any() else x
    for _ in range(2 * len(problem.hours) + 1):
        if not len(problem.bounds) or not _cut(problem.bounds, held):
            break
    return held


def _cut(bounds: Bounds, x: Table) -> bool:
    """Bring every broken row under its bound by its positive part; whether there was any."""
    broken = bounds.excess(x) > _ROUNDING * np.maximum(1.0, np.abs(bounds.most))
    if not broken.any():
        return False
    gives = bounds.coefficient * x[bounds.site, bounds.interval]
    lead = bounds.coefficient > 0
    given = np.bincount(bounds.row[lead], weights=gives[lead], minlength=len(bounds))
    drawn = np.bincount(bounds.row[~lead], weights=gives[~lead], minlength=len(bounds))
    most = np.maximum(0.0, bounds.most - drawn)
    factor = np.divide(most, given, out=np.ones_like(given), where=broken & (given > 0))
    part = np.ones_like(x)
    where = bounds.site[lead], bounds.interval[lead]
    np.minimum.at(part, where, np.minimum(1.0, factor[bounds.row[lead]]))
    x *= part
    return True
