"""Ramps: how much more a site can give from one interval to the next.

Giving less is free: the load comes back as fast as the site lets it.
"""

from __future__ import annotations

import numpy as np

from gateway.domain.dispatch.problem import Bounds, Table, Vector


def reachable(cap_w: Table, rise_w: Table, start_w: Vector) -> Table:
    """[N, T] The most that can be given in each interval, rising from what is given now.

    `rise_w`: by how much more at most than in the interval before, W >= 0, infinity for no limit.
    """
    reach = cap_w.copy()
    before = start_w
    for t in range(cap_w.shape[1]):
        reach[:, t] = np.minimum(reach[:, t], before + rise_w[:, t])
        before = reach[:, t]
    return reach


def ramp_bounds(reach_w: Table, rise_w: Table) -> Bounds:
    """Rows `x_t - x_(t-1) <= rise_t`, by interval, where a cap does not see to that already.

    `reach_w`: as by `reachable`, which bounds the first interval.
    """
    site, after = np.nonzero(reach_w[:, 1:] > rise_w[:, 1:])
    order = np.lexsort((site, after))
    site, after = site[order], after[order] + 1
    count = len(site)
    rows = np.arange(count)
    return Bounds(
        row=np.concatenate((rows, rows)),
        site=np.concatenate((site, site)),
        interval=np.concatenate((after, after - 1)),
        coefficient=np.concatenate((np.ones(count), -np.ones(count))),
        most=rise_w[site, after],
    )
