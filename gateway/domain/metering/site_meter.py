"""The revenue meters of a site, and what they say together of its load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from contracts.series import StepSeries
from gateway.domain.curves import pointwise
from gateway.domain.metering.interval import Meter, MeterInterval, Register

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMeter:
    """One register of a meter, under the name by which its data are delivered."""

    name: str
    rules: Meter = field(default_factory=Meter)


def load_of(
    meters: Sequence[SiteMeter], intervals: Mapping[str, Sequence[MeterInterval]]
) -> StepSeries:
    """Mean power by meter interval, W, import positive: all meters added up, exports taken off.

    `intervals` by meter, one a start. What does not count in one of them is a gap in the sum: a
    part is never taken for the whole. Nothing without meters.
    """
    return pointwise(sum, [_power(one, intervals.get(one.name, ())) for one in meters])


def _power(meter: SiteMeter, intervals: Sequence[MeterInterval]) -> StepSeries:
    sign = -1.0 if meter.rules.register is Register.EXPORT else 1.0
    return StepSeries.of(
        (one.interval, sign * one.energy_wh / (one.length / _HOUR))
        for one in intervals
        if one.counts and one.energy_wh is not None
    )
