"""When rules can hold, as sets: does one always, or ever, hold where another does?"""

from __future__ import annotations

from datetime import time
from math import inf

from site_agent.domain.rules.rule import When, Window

_DAY = 24 * 60
_WEEK = 7 * _DAY


def covers(first: When, second: When) -> bool:
    """Whether `first` always holds where `second` does, for every vehicle that `second` is about.

    Never True by mistake; False where it cannot be told.
    """
    return (
        week(second) & ~week(first) == 0
        and (not first.months or (bool(second.months) and second.months <= first.months))
        and all(
            low <= low2 and high2 <= high
            for (low, high), (low2, high2) in zip(_ranges(first), _ranges(second), strict=True)
        )
        and first.price in (None, second.price)
        and first.event in (None, second.event)
        and all(
            not wide or (narrow and narrow <= wide)
            for wide, narrow in zip(_choices(first), _choices(second), strict=True)
        )
    )


def overlap(first: When, second: When) -> bool:
    """Whether both can hold at once, for one vehicle."""
    return (
        week(first) & week(second) != 0
        and all(
            max(low, low2) < min(high, high2)
            for (low, high), (low2, high2) in zip(_ranges(first), _ranges(second), strict=True)
        )
        and _agree(first.price, second.price)
        and _agree(first.event, second.event)
        and all(
            not one or not other or one & other
            for one, other in zip(
                (*_choices(first), first.months), (*_choices(second), second.months), strict=True
            )
        )
    )


def impossible(when: When) -> str:
    """Why it can never hold; empty: it can."""
    names = ("price", "state of charge", "building's load", "surplus", "spare time")
    for name, (low, high) in zip(names, _ranges(when), strict=True):
        if low >= high:
            return f"no {name} is above {low:g} and below {high:g}"
    return "" if week(when) else "there is no such time"


def week(when: When) -> int:
    """The minutes of a week in which it may hold, as the bits of one number; Monday 00:00 first."""
    windows = when.windows or (Window(start=time(0), end=time(0)),)
    bits = 0
    for day in when.days:
        for window in windows:
            start, length = _minutes(window.start), _length(window)
            first = day * _DAY + start
            run = ((1 << length) - 1) << first
            bits |= (run & ((1 << _WEEK) - 1)) | run >> _WEEK
    return bits


def _length(window: Window) -> int:
    length = _minutes(window.end) - _minutes(window.start)
    return length if length > 0 else length + _DAY


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _ranges(when: When) -> tuple[tuple[float, float], ...]:
    """Open ranges of values: price, charge, building, surplus, spare time of a vehicle."""
    return (
        _open(when.price_above, when.price_below),
        _open(when.soc_above_pct, when.soc_below_pct),
        _open(when.building_above_w, when.building_below_w),
        _open(when.surplus_above_w, None),
        _open(when.spare_above_h, None),
    )


def _open(low: float | None, high: float | None) -> tuple[float, float]:
    return (-inf if low is None else low, inf if high is None else high)


def _choices(when: When) -> tuple[frozenset[object], ...]:
    return (frozenset(when.mode), frozenset(when.vehicles), frozenset(when.ranks))


def _agree(one: object, other: object) -> bool:
    return one is None or other is None or one == other
