"""The exact fill of one interval by sorting, where nothing couples the intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Watts = NDArray[np.float64]
NOTHING_W = 1e-6  # rounding, far below anything a meter can see


def water_fill(target_w: float, weights: Watts, caps_w: Watts) -> Watts:
    """Shares in proportion to the weights, none above its cap, that add up to the target.

    The exact solution by sorting: sites whose cap binds give their cap, the rest the same
    multiple of their weight. When all caps together fall short, every site gives its cap.
    """
    caps = np.where(weights > NOTHING_W, caps_w, 0.0)
    if target_w >= caps.sum():
        return caps
    active = np.flatnonzero(caps > 0)
    level = caps[active] / weights[active]  # the multiple at which a site's cap begins to bind
    order = active[np.argsort(level, kind="stable")]
    bound_before = np.concatenate(([0.0], np.cumsum(caps[order])[:-1]))
    weight_left = np.cumsum(weights[order][::-1])[::-1]
    wanted = (target_w - bound_before) / weight_left
    fits = np.flatnonzero(wanted * weights[order] <= caps[order])
    if not fits.size:  # the target equals all caps but for rounding
        return caps
    return np.minimum(caps, max(0.0, float(wanted[fits[0]])) * weights)
