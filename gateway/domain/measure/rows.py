"""Delivery as settlement sees it: one row a meter interval, in kW as `Decimal`.

Measured watts become decimals here and nowhere else, exact to the milliwatt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from contracts.time import Interval
from gateway.domain.program.promise import Shape

_SECOND, _HOUR_S, _MILLI = timedelta(seconds=1), 3600, Decimal(1000)


class Judged(Protocol):
    """A closed meter interval in which delivery was judged."""

    @property
    def interval(self) -> Interval:
        """When."""
        ...

    @property
    def asked_w(self) -> float:
        """Asked, mean over the interval, W, >= 0."""
        ...

    @property
    def delivered_w(self) -> float | None:
        """Baseline less load, W; None: not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One closed meter interval."""

    interval: Interval
    committed_kw: Decimal
    """What was promised, or of it asked, >= 0."""
    delivered_kw: Decimal | None
    """In the direction of the promise, negative when it went the other way; None: not measured."""

    @property
    def seconds(self) -> Decimal:
        """Length of the interval."""
        return seconds_of(self.interval)


@lru_cache(maxsize=4096)
def seconds_of(interval: Interval) -> Decimal:
    """Length of a closed interval in seconds.

    Raises:
        ValueError: it is open-ended.
    """
    if interval.duration is None:
        raise ValueError("an open-ended interval has no length: close it first")
    whole, rest = divmod(interval.duration, _SECOND)
    return Decimal(whole) + Decimal(rest.microseconds) / 1_000_000


def kwh(kilowatt_seconds: Decimal) -> Decimal:
    """Energy in kWh; sums stay in kW s, which are exact."""
    return kilowatt_seconds / _HOUR_S


def kilowatts(power_w: float) -> Decimal:
    """Watts as kW, to the milliwatt."""
    return Decimal(str(round(power_w, 3))) / _MILLI


def rows_of(
    during: Iterable[Judged],
    *,
    shape: Shape = Shape.BY,
    committed_kw: Decimal | None = None,
) -> tuple[Row, ...]:
    """An event's intervals against `committed_kw`, or against what was asked in each.

    The mean asked over an interval is then its commitment; one in which nothing was asked is no
    part. For `CONSUME` more than the baseline is delivered, for the others less.
    """
    sign = -1 if shape is Shape.CONSUME else 1
    return tuple(
        Row(
            interval=one.interval,
            committed_kw=kilowatts(one.asked_w) if committed_kw is None else committed_kw,
            delivered_kw=None if one.delivered_w is None else sign * kilowatts(one.delivered_w),
        )
        for one in during
        if committed_kw is not None or one.asked_w > 0
    )
