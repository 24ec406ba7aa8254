"""Baselines: the load a site would have had without the event, by the program's method.

Mostly from the site's own past days: X out of the last Y eligible ones at the same local time of
day, then shifted or scaled to the event day's own load before the event. The same inputs always
give the same run. The shape of the rules follows North American practice (see `presets`, each with
its source); none is certified against any tariff.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Sampler, grid
from gateway.domain.measure.adjustment import adjusted, adjustment
from gateway.domain.measure.baseline_hash import inputs_hash
from gateway.domain.measure.baseline_run import (
    AppliedAdjustment,
    BaselineInputs,
    BaselineRun,
    Estimate,
    Values,
)
from gateway.domain.measure.baseline_words import describe
from gateway.domain.measure.control_group import of_controls
from gateway.domain.measure.day_choice import choose, ranking
from gateway.domain.measure.match_day import matching
from gateway.domain.measure.own_day import (
    anchor,
    day_around,
    moved_in,
    of_own_hours,
    own_windows,
)
from gateway.domain.measure.past_days import PastDays, days_back
from gateway.domain.program.method import Adjustment, BaselineKind, BaselineMethod

__all__ = [
    "AppliedAdjustment",
    "BaselineInputs",
    "BaselineRun",
    "adjustment_window",
    "describe",
    "history_windows",
    "own_windows",
    "past_windows",
    "run_baseline",
    "run_on",
]

_NOBODYS = "the method is {}: nothing is computed from the site's load"


def history_windows(
    method: BaselineMethod,
    zone: ZoneInfo,
    event: Interval,
    span: Interval,
    notified: datetime | None = None,
) -> tuple[Interval, ...]:
    """What a run may read: parts of the event's own day, then one window a day back."""
    own = own_windows(method, event, zone, notified)
    return (*own, *past_windows(method, zone, event, span, notified))


@lru_cache(maxsize=64)
def past_windows(
    method: BaselineMethod,
    zone: ZoneInfo,
    event: Interval,
    span: Interval,
    notified: datetime | None = None,
) -> tuple[Interval, ...]:
    """What a run may read of past days, newest first; none when the method reads none."""
    if not method.reads_days:
        return ()
    before = anchor(method, event, zone, notified) or event.start
    wanted = [span, Interval(start=before - method.adjust_from, end=before)]
    if event.end is not None and method.after_until > method.after_from:
        wanted.append(Interval(start=event.end, end=event.end + method.after_until))
    if method.kind is BaselineKind.MATCH_DAY:
        wanted += day_around(event, method.buffer, zone)
    ends = [one.end for one in wanted if one.end is not None]
    whole = Interval(start=min(one.start for one in wanted), end=max(ends))
    return tuple(_back(whole, back, zone) for back in range(1, method.look_back.days + 1))


def adjustment_window(
    method: BaselineMethod, event: Interval, zone: ZoneInfo, notified: datetime | None = None
) -> Interval:
    """When the event day's own load is compared before the event; empty when there is none."""
    before = anchor(method, event, zone, notified)
    if before is None:
        return Interval(start=event.start, end=event.start)
    return own_windows(method, event, zone, notified)[0]


def run_baseline(inputs: BaselineInputs) -> BaselineRun:
    """The baseline over `inputs.span`.

    Raises:
        ValueError: `event` is open-ended or not inside `span`.
    """
    return run_on(inputs, Sampler(inputs.history))


def run_on(inputs: BaselineInputs, sampler: Sampler) -> BaselineRun:
    """The same, with the sampler of `inputs.history`, for several runs on one history."""
    bins = grid(inputs.span, inputs.event, inputs.resolution)
    days = inputs.method.look_back.days if inputs.method.reads_days else 0
    past = PastDays(sampler, inputs.zone, inputs.event, inputs.export, days)
    found = _ESTIMATES[inputs.method.kind](inputs, past, bins)
    values = found.values if not found.problem else (None,) * len(bins)
    plain = _series(bins, values)
    applied = adjustment(inputs, past, found)
    thin = zip(bins, found.counts, strict=False)
    windows = past_windows(inputs.method, inputs.zone, inputs.event, inputs.span, inputs.notified)
    return BaselineRun(
        method=inputs.method,
        days=found.days,
        adjustment=applied,
        unadjusted=plain,
        series=adjusted(plain, inputs.method.adjustment, applied.value),
        inputs_hash=inputs_hash(inputs, past, windows[: len(found.days)]),
        problem=found.problem,
        fallback=found.fallback,
        moved=moved_in(inputs),
        gaps=tuple(one for one, value in zip(bins, values, strict=True) if value is None),
        thin=tuple(one for one, n in thin if 0 < n < found.wanted),
        controls=found.controls,
    )


Bins = Sequence[Interval]


def _of_days(inputs: BaselineInputs, past: PastDays, bins: Bins) -> Estimate:
    """X_OF_Y, MATCH_DAY."""
    method = inputs.method
    matched = method.kind is BaselineKind.MATCH_DAY
    choosing = matching(inputs, past) if matched else ranking(method)
    if isinstance(choosing, str):
        return Estimate(problem=choosing)
    choice = choose(inputs, past, choosing)
    if choice.problem:
        return Estimate(days=choice.days, problem=choice.problem)
    values, counts = past.mean_of(choice.backs, bins, method.weights)

    def expected(pieces: Bins) -> Values:
        return past.mean_of(choice.backs, pieces, method.weights)[0]

    return Estimate(
        values=values,
        counts=counts,
        wanted=len(choice.backs),
        expected=None if method.adjustment is Adjustment.NONE else expected,
        days=choice.days,
        fallback=choice.fallback,
    )


def _of_controls(inputs: BaselineInputs, past: PastDays, bins: Bins) -> Estimate:
    return of_controls(inputs, bins)


def _of_device(inputs: BaselineInputs, past: PastDays, bins: Bins) -> Estimate:
    """At rest without the event: all that its meter shows is delivery."""
    return Estimate(values=(0.0,) * len(bins))


def _of_level(inputs: BaselineInputs, past: PastDays, bins: Bins) -> Estimate:
    """FIRM_LEVEL, FLAT: one level, which somebody has agreed."""
    level_w = inputs.method.level_w
    if level_w is None:
        return Estimate(problem="the method needs a level: give level_w")
    return Estimate(values=(level_w,) * len(bins))


def _of_nobody(inputs: BaselineInputs, past: PastDays, bins: Bins) -> Estimate:
    return Estimate(problem=_NOBODYS.format(inputs.method.kind.value))


_ESTIMATES: dict[BaselineKind, Callable[[BaselineInputs, PastDays, Bins], Estimate]] = {
    BaselineKind.X_OF_Y: _of_days,
    BaselineKind.MATCH_DAY: _of_days,
    BaselineKind.SAME_DAY: of_own_hours,
    BaselineKind.BEFORE_EVENT: of_own_hours,
    BaselineKind.CONTROL_GROUP: _of_controls,
    BaselineKind.DEVICE: _of_device,
    BaselineKind.FIRM_LEVEL: _of_level,
    BaselineKind.FLAT: _of_level,
    BaselineKind.ASSIGNED: _of_nobody,
    BaselineKind.NONE: _of_nobody,
}


def _back(whole: Interval, back: int, zone: ZoneInfo) -> Interval:
    """The window on a past day: as long as here, and up to the same local time of day.

    They differ when the clocks change in it on one of the two days.
    """
    past = days_back(whole, back, zone)
    end = whole.end or whole.start
    by_wall = days_back(Interval(start=end, end=end), back, zone).start
    return Interval(start=past.start, end=max(past.end or by_wall, by_wall))


def _series(bins: Bins, values: Values) -> StepSeries:
    pairs = zip(bins, values, strict=True)
    return StepSeries.of((interval, value) for interval, value in pairs if value is not None)
