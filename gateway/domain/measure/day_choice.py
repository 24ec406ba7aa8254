"""Which past days stand for the event day, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum

from gateway.domain.curves import Mean
from gateway.domain.measure.baseline_run import BaselineInputs
from gateway.domain.measure.past_days import PastDays, days_back, is_off, local_days, mean
from gateway.domain.measure.report import BaselineDay
from gateway.domain.program import DayType
from gateway.domain.program.measuring import Fallback
from gateway.domain.words import pct


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The days that are used; none when there is a `problem`."""

    backs: tuple[int, ...]
    """How many days before the event's day each lies."""
    days: tuple[BaselineDay, ...]
    """The verdict on every day looked at, newest first."""
    problem: str = ""
    fallback: str = ""
    """What was done with fewer clean days than the method wants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    loads: Mapping[int, float]
    """Mean load over the event's hours of each eligible day, by how far back it lies."""
    verdicts: Mapping[int, str]
    """Why a day is not eligible; empty when it is."""


def choose(inputs: BaselineInputs, past: PastDays) -> Choice:
    """X of the last Y clean days within the look-back; with fewer, what the method falls back to.

    The look-back is the limit whatever is fallen back to; a day of an event never is used.
    """
    method = inputs.method
    strict = _look(inputs, past, method.day_type)
    found = len(strict.loads)
    if found == method.y_days:
        return _picked(inputs, past, strict)
    lacking = f"only {found} of {method.y_days} clean days within {method.look_back.days} days"
    for fallback in method.fallbacks:
        wider = fallback is Fallback.ANY_DAY_TYPE
        looked = _look(inputs, past, DayType.ANY) if wider else strict
        if len(looked.loads) >= max(1, method.min_days):
            merged = _Look(loads=looked.loads, verdicts={**strict.verdicts, **looked.verdicts})
            instead = f"{len(looked.loads)} days of any type" if wider else "the mean of these"
            return _picked(inputs, past, merged, f"{lacking}: {instead} instead")
    least = method.min_days if method.fallbacks else method.y_days
    days = _days(past, strict.verdicts)
    return Choice(backs=(), days=days, problem=f"{found} usable days, at least {least} needed")


def _picked(inputs: BaselineInputs, past: PastDays, looked: _Look, fallback: str = "") -> Choice:
    loads, x_days = looked.loads, inputs.method.x_days
    ranked = sorted(loads, key=lambda back: (-loads[back], back))
    lower = dict.fromkeys(ranked[x_days:], f"not among the {x_days} highest of {len(loads)}")
    return Choice(
        backs=tuple(sorted(ranked[:x_days])),
        days=_days(past, {**looked.verdicts, **lower}),
        fallback=fallback,
    )


def _days(past: PastDays, verdicts: Mapping[int, str]) -> tuple[BaselineDay, ...]:
    return tuple(
        BaselineDay(day=past.day(back), used=not reason, reason=reason)
        for back, reason in sorted(verdicts.items())
    )


def _look(inputs: BaselineInputs, past: PastDays, day_type: DayType) -> _Look:
    """Back from the event's day, until there are Y eligible days or the look-back is over."""
    method = inputs.method
    bins = tuple(inputs.event.split(inputs.resolution))
    unusual = frozenset[date]().union(*(local_days(e, inputs.zone) for e in inputs.other_events))
    loads: dict[int, float] = {}
    verdicts: dict[int, str] = {}
    for back in range(1, method.look_back.days + 1):
        means = past.means(bins, back)
        verdicts[back] = (
            _no_ordinary_day(inputs, past, back, unusual)
            or _other_type(inputs, past, back, day_type)
            or _not_measured(means, method.min_coverage)
        )
        if not verdicts[back]:
            loads[back] = mean([m.value for m in means if m.value is not None]) or 0.0
        if len(loads) == method.y_days:
            break
    return _Look(loads=loads, verdicts=verdicts)


def _no_ordinary_day(
    inputs: BaselineInputs, past: PastDays, back: int, unusual: frozenset[date]
) -> str:
    hours = days_back(inputs.event, back, inputs.zone)
    if past.day(back) in unusual or any(hours.overlaps(one) for one in inputs.other_events):
        return "day of another event"
    return "the event itself had begun" if hours.overlaps(inputs.event) else ""


def _other_type(inputs: BaselineInputs, past: PastDays, back: int, day_type: DayType) -> str:
    day, holidays = past.day(back), inputs.holidays
    if inputs.method.excludes_holidays and day in holidays:
        return "holiday"
    if day_type is DayType.ANY or is_off(day, holidays) == is_off(past.event_day, holidays):
        return ""
    return "holiday" if day in holidays else "other type of day"


def _not_measured(means: Sequence[Mean], least: float) -> str:
    coverage = fsum(m.coverage for m in means) / len(means)
    if coverage == 0:
        return "no data"
    return f"data for only {pct(coverage)} of the event's hours" if coverage < least else ""
