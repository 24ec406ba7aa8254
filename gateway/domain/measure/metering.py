"""What a program's meter makes of power that is fed in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contracts.series import StepSeries
from gateway.domain.curves import pointwise
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


def net_of_export(device: StepSeries, site: StepSeries) -> StepSeries:
    """A device's power, W, without what of its output only left the site; where both are known.

    The meter-generator-output idea: what a battery gives counts as far as the site itself would
    have drawn it (CAISO's MGO excludes device exports, a stakeholder's comment of 2025; not read in
    the tariff). Output is negative, as everywhere.
    """
    return pointwise(_without_export, (device, site))


def _without_export(pair: Sequence[float]) -> float:
    device_w, site_w = pair
    return min(0.0, device_w - min(0.0, site_w)) if device_w < 0 else device_w
