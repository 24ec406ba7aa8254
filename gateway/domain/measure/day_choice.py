"""Which past days stand for the event day, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from contracts.time import Interval
from gateway.domain.curves import pieces
from gateway.domain.measure.baseline_run import BaselineInputs
from gateway.domain.measure.past_days import PastDays, days_back, is_off, local_days
from gateway.domain.measure.report import BaselineDay
from gateway.domain.program.method import BaselineKind, BaselineMethod, DayType, Fallback, Rank
from gateway.domain.words import pct

_NO_DATA, _LITTLE_DATA = "no data", "data for only"
Order = Callable[[Mapping[int, float]], Sequence[int]]
"""From the mean load over the event's hours of each eligible day to the days, best first."""
Refusal = Callable[[int], str]
"""One more reason why a day is not eligible; empty when it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The days that are used; none when there is a `problem`."""

    backs: tuple[int, ...]
    """How many days before the event's day each lies, newest first."""
    days: tuple[BaselineDay, ...]
    """The verdict on every day looked at, newest first."""
    problem: str = ""
    fallback: str = ""
    """What was done with fewer clean days than the method wants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """How X of Y are chosen, beyond what every method asks of a day."""

    order: Order
    lost: str
    """Of a day that is eligible and not among the X, `{x}` of `{y}`."""
    refusal: Refusal = lambda _: ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    loads: Mapping[int, float]
    """Mean load over the event's hours of each eligible day, by how far back it lies."""
    verdicts: Mapping[int, str]
    """Why a day is not eligible; empty when it is."""


def ranking(method: BaselineMethod) -> Choosing:
    """By the mean load over the event's hours, as the method ranks it."""
    orders: dict[Rank, Order] = {
        Rank.HIGHEST: lambda loads: sorted(loads, key=lambda back: (-loads[back], back)),
        Rank.LOWEST: lambda loads: sorted(loads, key=lambda back: (loads[back], back)),
        Rank.NEWEST: sorted,
        Rank.MIDDLE: lambda loads: _middle_first(loads, method.x_days),
    }
    return Choosing(order=orders[method.rank], lost=f"not among the {{x}} {method.rank} of {{y}}")


def choose(inputs: BaselineInputs, past: PastDays, choosing: Choosing) -> Choice:
    """X of the last Y clean days within the look-back; with fewer, what the method falls back to.

    The look-back is the limit whatever is fallen back to; a day of an event never is used.
    """
    method = inputs.method
    matched = method.kind is BaselineKind.MATCH_DAY  # takes all of the look-back there are
    strict = _look(inputs, past, method.day_type, choosing.refusal)
    found = len(strict.loads)
    if found == method.y_days or (matched and found >= method.x_days):
        return _picked(inputs, past, strict, choosing)
    lacking = f"only {found} of {method.y_days} clean days within {method.look_back.days} days"
    for fallback in method.fallbacks:
        wider = fallback is Fallback.ANY_DAY_TYPE
        looked = _look(inputs, past, DayType.ANY, choosing.refusal) if wider else strict
        if len(looked.loads) >= max(1, method.min_days):
            merged = _Look(loads=looked.loads, verdicts={**strict.verdicts, **looked.verdicts})
            instead = f"{len(looked.loads)} days of any type" if wider else "the mean of these"
            return _picked(inputs, past, merged, choosing, f"{lacking}: {instead} instead")
    least = method.min_days if method.fallbacks else method.y_days
    days = _days(past, strict.verdicts)
    return Choice(backs=(), days=days, problem=f"{found} usable days, at least {least} needed")


def _middle_first(loads: Mapping[int, float], x_days: int) -> Sequence[int]:
    """The X in the middle by load, newest first, then the others."""
    ranked = sorted(loads, key=lambda back: (loads[back], back))
    skipped = max(0, len(ranked) - x_days) // 2
    middle = ranked[skipped : skipped + x_days]
    return (*sorted(middle), *(back for back in ranked if back not in middle))


def _picked(
    inputs: BaselineInputs,
    past: PastDays,
    looked: _Look,
    choosing: Choosing,
    fallback: str = "",
) -> Choice:
    loads, x_days = looked.loads, inputs.method.x_days
    ranked = choosing.order(loads)
    lost = dict.fromkeys(ranked[x_days:], choosing.lost.format(x=x_days, y=len(loads)))
    return Choice(
        backs=tuple(sorted(ranked[:x_days])),
        days=_days(past, {**looked.verdicts, **lost}),
        fallback=fallback,
    )


def _days(past: PastDays, verdicts: Mapping[int, str]) -> tuple[BaselineDay, ...]:
    return tuple(
        BaselineDay(day=past.day(back), used=not reason, reason=reason)
        for back, reason in sorted(verdicts.items())
    )


def _look(inputs: BaselineInputs, past: PastDays, day_type: DayType, refusal: Refusal) -> _Look:
    """Back from the event's day, until there are Y eligible days or the look-back is over."""
    method = inputs.method
    table = past.table(pieces(inputs.event, inputs.resolution))
    coverage, known = table.coverage.mean(axis=1).tolist(), ~np.isnan(table.values)
    sums = np.where(known, table.values, 0.0).sum(axis=1)
    means = (sums / np.maximum(known.sum(axis=1), 1)).tolist()
    unusual = frozenset[date]().union(*(local_days(e, inputs.zone) for e in inputs.other_events))
    hours = _hours_of_days(inputs.event, method.look_back.days, inputs.zone)
    loads: dict[int, float] = {}
    verdicts: dict[int, str] = {}
    for back in range(1, method.look_back.days + 1):
        verdicts[back] = (
            _no_ordinary_day(inputs, past.day(back), hours[back], unusual)
            or _other_type(inputs, past, back, day_type)
            or _not_measured(coverage[back], method.min_coverage)
            or refusal(back)
        )
        if not verdicts[back]:
            loads[back] = means[back]
        if len(loads) == method.y_days:
            break
    return _Look(loads=loads, verdicts=verdicts)


@lru_cache(maxsize=64)
def _hours_of_days(event: Interval, days: int, zone: ZoneInfo) -> tuple[Interval, ...]:
    """The event's hours on each day; the same for every site of an event."""
    return tuple(days_back(event, back, zone) for back in range(days + 1))


def _no_ordinary_day(
    inputs: BaselineInputs, day: date, hours: Interval, unusual: frozenset[date]
) -> str:
    if day in unusual or any(hours.overlaps(one) for one in inputs.other_events):
        return "day of another event"
    return "the event itself had begun" if hours.overlaps(inputs.event) else ""


def _other_type(inputs: BaselineInputs, past: PastDays, back: int, day_type: DayType) -> str:
    day, holidays = past.day(back), inputs.holidays
    if inputs.method.excludes_holidays and day in holidays:
        return "holiday"
    if _alike(day, past.event_day, holidays, day_type):
        return ""
    return "holiday" if day in holidays else "other type of day"


def _alike(day: date, event_day: date, holidays: frozenset[date], day_type: DayType) -> bool:
    match day_type:
        case DayType.ANY:
            return True
        case DayType.BUSINESS:
            return not is_off(day, holidays)
        case DayType.SAME_WEEKDAY:
            on = (day in holidays, event_day in holidays)
            return all(on) or (not any(on) and day.weekday() == event_day.weekday())
        case DayType.SAME:
            return is_off(day, holidays) == is_off(event_day, holidays)


def _not_measured(coverage: float, least: float) -> str:
    if coverage == 0:
        return _NO_DATA
    return f"{_LITTLE_DATA} {pct(coverage)} of the event's hours" if coverage < least else ""


def lacks_data(day: BaselineDay) -> bool:
    """Whether a day is not used for want of measured data."""
    return day.reason.startswith((_NO_DATA, _LITTLE_DATA))
