"""What a program's meter makes of power that is fed in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.domain.program.measuring import ExportRule

Numbers = NDArray[np.float64]


def metered_table(
    values: Numbers, coverage: Numbers, export: ExportRule
) -> tuple[Numbers, Numbers]:
    """Means, W (NaN: nothing known), and their coverage, 0-1, as the program's meter counts them.

    An interval left out is as one not measured. Export nets with import inside an interval, as on a
    meter that reads power at its ends.
    """
    if export is ExportRule.COUNTED:
        return values, coverage
    if export is ExportRule.CLAMPED:
        return np.maximum(values, 0.0), coverage
    fed_in = values < 0
    return np.where(fed_in, np.nan, values), np.where(fed_in, 0.0, coverage)
