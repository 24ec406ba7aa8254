"""What a program's meter makes of power that is fed in."""

from __future__ import annotations

from gateway.domain.curves import Mean
from gateway.domain.program.measuring import ExportRule


def metered(mean: Mean, export: ExportRule) -> Mean:
    """One meter interval by the program's rule; an interval left out is as one not measured.

    Export nets with import inside an interval, as on a meter that reads power at its ends.
    """
    if mean.value is None or mean.value >= 0 or export is ExportRule.COUNTED:
        return mean
    if export is ExportRule.CLAMPED:
        return Mean(value=0.0, coverage=mean.coverage)
    return Mean(value=None, coverage=0.0)
