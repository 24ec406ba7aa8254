"""What is wrong with meter intervals as they come in: refused, or kept with a flag and a reason.

Refused is what has no place on the time line. Everything else is kept, so that it can be shown and
asked about; what cannot be believed is flagged INVALID and counts nowhere until it is corrected.
The result is the same in whichever order the intervals of a delivery stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from statistics import median

from contracts.reading import Quality
from gateway.domain.metering.interval import Meter, MeterInterval, Register

CLOCK_TOLERANCE = timedelta(minutes=5)
"""An interval that ends later than this after it arrived was stamped by a wrong clock."""
ABOVE_LIMIT = 1.1
"""A connection carries at most this times its limit: fuses are slow, meters inexact."""
_FAR_ABOVE = 20.0
JUMP = 10.0
"""More than this times the largest of the values known before is noteworthy."""
_FULL_HOUR = datetime(2000, 1, 1, tzinfo=UTC)
_GRID = timedelta(minutes=15)
"""Offsets of all time zones in use are multiples of it."""
_KILO_LOW, _KILO_HIGH, _KILO_LEAST = 700.0, 1400.0, 8
"""A factor between these, over at least so many values, is one of a thousand: kWh told as Wh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An interval that is not kept."""

    start: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A stored interval that does not count, or has something noteworthy."""

    start: datetime
    quality: Quality
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A delivery after the checks; `kept` has one interval a start, in order of time."""

    kept: tuple[MeterInterval, ...]
    refused: tuple[Refused, ...]


def check(
    delivery: Iterable[MeterInterval],
    meter: Meter,
    received_at: datetime,
    known_wh: Sequence[float] = (),
) -> Checked:
    """Judge what one delivery says of one meter; `known_wh` are good values known before it."""
    placed: dict[datetime, list[MeterInterval]] = defaultdict(list)
    refused: list[Refused] = []
    for one in delivery:
        if reason := _misplaced(one, meter, received_at):
            refused.append(Refused(start=one.start, reason=reason))
        else:
            placed[one.start].append(one)
    kept = [_believed(_one_of(placed[start]), meter, known_wh) for start in sorted(placed)]
    ordered = sorted(refused, key=lambda one: (one.start, one.reason))
    return Checked(kept=_units(kept, known_wh), refused=tuple(ordered))


def _misplaced(one: MeterInterval, meter: Meter, received_at: datetime) -> str:
    """Why it has no place on the time line, or nothing."""
    if one.length != meter.length:
        return f"an interval of {one.length}, the meter counts {meter.length}"
    grid = min(meter.length, _GRID)
    if (one.start - _FULL_HOUR) % grid:
        return f"starts at {one.start:%H:%M:%S} UTC, not on a multiple of {grid}"
    if one.start + one.length > received_at + CLOCK_TOLERANCE:
        return f"ends {one.start + one.length - received_at} after it arrived: a wrong clock"
    return ""


def _one_of(same: Sequence[MeterInterval]) -> MeterInterval:
    """What several entries about one interval come to: the newest, if it is but one value."""
    newest = max(one.issued_at for one in same)
    last = [one for one in same if one.issued_at == newest]
    if len({(one.energy_wh, one.quality) for one in last}) == 1:
        return last[0]
    told = " and ".join(sorted({f"{one.energy_wh} Wh" for one in last}))
    return replace(
        last[0], energy_wh=None, quality=Quality.INVALID, reason=f"told twice at once: {told}"
    )


def _believed(one: MeterInterval, meter: Meter, known_wh: Sequence[float]) -> MeterInterval:
    """The interval with its flag: what cannot be is INVALID, what is odd has a reason alone."""
    energy = one.energy_wh
    if energy is None:
        usable = one.quality.usable
        return replace(one, quality=Quality.INVALID, reason="no value") if usable else one
    if not isfinite(energy):
        return replace(one, energy_wh=None, quality=Quality.INVALID, reason="not a number")
    if reason := _impossible(energy, one, meter):
        return replace(one, quality=Quality.INVALID, reason=reason)
    largest = max((abs(value) for value in known_wh), default=0.0)
    if one.quality.usable and 0 < largest * JUMP < abs(energy):
        return replace(one, reason=f"a jump: before at most {largest:.6g} Wh")
    return one


def _impossible(energy: float, one: MeterInterval, meter: Meter) -> str:
    if energy < 0 and meter.register is not Register.NET:
        return f"negative on a register of {meter.register.value}"
    if meter.limit_w is None:
        return ""
    most = meter.limit_w * (one.length / timedelta(hours=1)) * ABOVE_LIMIT
    if abs(energy) <= most:
        return ""
    unit = "; in another unit?" if most * _FAR_ABOVE < abs(energy) <= most * 1000 else ""
    return f"more than the connection carries ({most:.6g} Wh){unit}"


def _units(kept: Sequence[MeterInterval], known_wh: Sequence[float]) -> tuple[MeterInterval, ...]:
    """All flagged, if together they are a thousandth or a thousandfold of what was known."""
    told = [abs(one.energy_wh) for one in kept if one.counts and one.energy_wh]
    before = [abs(value) for value in known_wh if value]
    if min(len(told), len(before)) < _KILO_LEAST:
        return tuple(kept)
    factor = median(told) / median(before)
    if not any(_KILO_LOW <= ratio <= _KILO_HIGH for ratio in (factor, 1 / factor)):
        return tuple(kept)
    reason = f"{factor:.4g} times what was known before: a wrong unit"
    return tuple(
        replace(one, quality=Quality.INVALID, reason=reason) if one.counts else one for one in kept
    )
