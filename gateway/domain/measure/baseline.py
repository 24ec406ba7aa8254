"""X-of-Y baselines: the load a site would have had without the event, from its own past days.

The mean of X out of the last Y eligible days at the same local time of day, then shifted or
scaled to the event day's own load before the event. The same inputs always give the same run.
The shape of the rule follows North American practice (CAISO 10-in-10, NYISO and ISO-NE "X of Y"
with a same-day adjustment); it is not certified against any tariff.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from math import fsum
from zoneinfo import ZoneInfo

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Mean, grid
from gateway.domain.measure.past_days import PastDays, days_back, is_off, local_days, mean
from gateway.domain.measure.report import BaselineDay
from gateway.domain.program import Adjustment, BaselineMethod, DayType
from gateway.domain.words import kw, pct, span


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineInputs:
    """Everything a run depends on; nothing else may influence it."""

    method: BaselineMethod
    zone: ZoneInfo
    """Past days are matched by local time of day in this zone."""
    event: Interval
    span: Interval
    """The event and what is to be shown before and after it."""
    resolution: timedelta
    history: StepSeries
    """Measured import, W; must hold at least `history_windows`, more does no harm."""
    other_events: tuple[Interval, ...] = ()
    """Every other event of the site: its days are not ordinary days."""
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedAdjustment:
    """What the same-day adjustment did."""

    value: float | None
    """Ratio, or shift in W; None when there was none."""
    capped: bool
    reason: str
    """Why there was none, or between which means it was formed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRun:
    """One immutable result; `series` is empty when there were too few days (see `problem`)."""

    method: BaselineMethod
    days: tuple[BaselineDay, ...]
    """Every day looked at, newest first."""
    adjustment: AppliedAdjustment
    unadjusted: StepSeries
    series: StepSeries
    inputs_hash: str
    """SHA-256 over the parameters and over the history of every day looked at."""
    problem: str = ""

    @property
    def days_used(self) -> tuple[date, ...]:
        """Days the mean was taken over."""
        return tuple(day.day for day in self.days if day.used)

    @property
    def days_rejected(self) -> tuple[BaselineDay, ...]:
        """Days looked at and not used, each with its reason."""
        return tuple(day for day in self.days if not day.used)


def history_windows(
    method: BaselineMethod, zone: ZoneInfo, event: Interval, span: Interval
) -> tuple[Interval, ...]:
    """What a run may read: the adjustment window of the event day, then one window a day back."""
    whole = Interval(start=min(span.start, event.start - method.adjust_from), end=span.end)
    past = (days_back(whole, back, zone) for back in range(1, method.look_back.days + 1))
    return (adjustment_window(method, event), *past)


def adjustment_window(method: BaselineMethod, event: Interval) -> Interval:
    """When the event day's own load is compared; empty when the method has no adjustment."""
    start, end = event.start - method.adjust_from, event.start - method.adjust_until
    if method.adjustment is Adjustment.NONE or end <= start:
        return Interval(start=event.start, end=event.start)
    return Interval(start=start, end=end)


def run_baseline(inputs: BaselineInputs) -> BaselineRun:
    """The baseline over `inputs.span`.

    Raises:
        ValueError: `event` is open-ended or not inside `span`.
    """
    method, bins = inputs.method, grid(inputs.span, inputs.event, inputs.resolution)
    past = PastDays(inputs.history, inputs.zone, inputs.event)
    chosen, days = _choose(inputs, past)
    enough = len(chosen) >= max(1, method.min_days)
    plain = _series(bins, past.mean_of(chosen, bins)) if enough else StepSeries()
    applied = _adjustment(inputs, past, chosen) if enough else _none("there is no baseline")
    return BaselineRun(
        method=method,
        days=days,
        adjustment=applied,
        unadjusted=plain,
        series=_adjusted(plain, method.adjustment, applied.value),
        inputs_hash=_hash(inputs, past, looked_at=len(days)),
        problem="" if enough else f"{len(chosen)} usable days, at least {method.min_days} needed",
    )


def describe(method: BaselineMethod) -> str:
    """The rule in words with its parameters, for reports."""
    days = "any day" if method.day_type is DayType.ANY else "days of the same type"
    pick = "mean" if method.x_days >= method.y_days else f"mean of the {method.x_days} highest"
    rule = f"{method.name}: {pick} of the last {method.y_days} eligible days ({days}, "
    rule += f"look-back {method.look_back.days} days, data for {pct(method.min_coverage)})"
    if method.adjustment is Adjustment.NONE:
        return f"{rule}; no same-day adjustment"
    bounds = f"{method.adjust_low:g} to {method.adjust_high:g}"
    hours = f"{span(method.adjust_from)} to {span(method.adjust_until)} before the event"
    return f"{rule}; {method.adjustment.value} adjustment over {hours}, bounded {bounds}"


# --- which days ----------------------------------------------------------------------------------


def _choose(
    inputs: BaselineInputs, past: PastDays
) -> tuple[tuple[int, ...], tuple[BaselineDay, ...]]:
    """How many days back the used days lie, and the verdict on every day looked at."""
    method = inputs.method
    bins = tuple(inputs.event.split(inputs.resolution))
    unusual = frozenset[date]().union(*(local_days(e, inputs.zone) for e in inputs.other_events))
    loads: dict[int, float] = {}
    verdicts: dict[int, str] = {}
    for back in range(1, method.look_back.days + 1):
        means = past.means(bins, back)
        verdicts[back] = _why_not(inputs, past, back, unusual, means)
        if not verdicts[back]:
            loads[back] = mean([m.value for m in means if m.value is not None]) or 0.0
        if len(loads) == method.y_days:
            break
    ranked = sorted(loads, key=lambda back: (-loads[back], back))
    for back in ranked[method.x_days :]:
        verdicts[back] = f"not among the {method.x_days} highest of {len(loads)}"
    days = (BaselineDay(day=past.day(b), used=not r, reason=r) for b, r in verdicts.items())
    return tuple(sorted(ranked[: method.x_days])), tuple(days)


def _why_not(
    inputs: BaselineInputs,
    past: PastDays,
    back: int,
    unusual: frozenset[date],
    means: Sequence[Mean],
) -> str:
    """Why a day may not stand for the event day; empty when it may."""
    day, method = past.day(back), inputs.method
    if day in unusual:
        return "day of another event"
    same_type = is_off(day, inputs.holidays) == is_off(past.event_day, inputs.holidays)
    if method.day_type is DayType.SAME and not same_type:
        return "holiday" if day in inputs.holidays else "other type of day"
    coverage = fsum(m.coverage for m in means) / len(means)
    if coverage == 0:
        return "no data"
    if coverage < method.min_coverage:
        return f"data for only {pct(coverage)} of the event's hours"
    return ""


# --- same-day adjustment -------------------------------------------------------------------------


def _adjustment(inputs: BaselineInputs, past: PastDays, chosen: Sequence[int]) -> AppliedAdjustment:
    window = adjustment_window(inputs.method, inputs.event)
    bins = tuple(window.split(inputs.resolution))
    if not bins:
        return _none("the method has none")
    if any(event.overlaps(window) for event in inputs.other_events):
        return _none("another event lies in the adjustment window")
    today, before = past.means(bins, 0), past.mean_of(chosen, bins)
    known = [(m.value, b) for m, b in zip(today, before, strict=True) if None not in (m.value, b)]
    coverage = fsum(m.coverage for m, b in zip(today, before, strict=True) if b is not None)
    if coverage / len(bins) < inputs.method.min_coverage:
        return _none(f"data for only {pct(coverage / len(bins))} of the adjustment window")
    actual = mean([m for m, _ in known if m is not None]) or 0.0
    expected = mean([b for _, b in known if b is not None]) or 0.0
    return _bounded(inputs.method, actual, expected)


def _bounded(method: BaselineMethod, actual_w: float, expected_w: float) -> AppliedAdjustment:
    if method.adjustment is Adjustment.RATIO:
        if expected_w <= 0:
            return _none("a ratio needs import on the past days before the event")
        wanted, low, high = actual_w / expected_w, method.adjust_low, method.adjust_high
    else:
        wanted, room = actual_w - expected_w, abs(expected_w)
        low, high = (method.adjust_low - 1.0) * room, (method.adjust_high - 1.0) * room
    value = min(max(wanted, low), high)
    reason = f"{kw(actual_w)} before the event against {kw(expected_w)} on the days used"
    return AppliedAdjustment(value=value, capped=value != wanted, reason=reason)


def _adjusted(plain: StepSeries, kind: Adjustment, value: float | None) -> StepSeries:
    if value is None:
        return plain
    if kind is Adjustment.RATIO:
        return plain.map(lambda load_w: load_w * value)
    return plain.map(lambda load_w: load_w + value)


def _none(reason: str) -> AppliedAdjustment:
    return AppliedAdjustment(value=None, capped=False, reason=reason)


def _series(bins: Sequence[Interval], values: Sequence[float | None]) -> StepSeries:
    pairs = zip(bins, values, strict=True)
    return StepSeries.of((interval, value) for interval, value in pairs if value is not None)


# --- reproducibility -----------------------------------------------------------------------------


def _hash(inputs: BaselineInputs, past: PastDays, looked_at: int) -> str:
    head = {
        "method": asdict(inputs.method),
        "zone": inputs.zone.key,
        "event": [inputs.event.start, inputs.event.end],
        "span": [inputs.span.start, inputs.span.end],
        "resolution": inputs.resolution,
        "other_events": sorted([str(e.start), str(e.end)] for e in inputs.other_events),
        "holidays": sorted(str(day) for day in inputs.holidays),
    }
    digest = hashlib.sha256(json.dumps(head, default=str, sort_keys=True).encode())
    windows = history_windows(inputs.method, inputs.zone, inputs.event, inputs.span)
    for window in windows[: looked_at + 1]:
        digest.update(past.bytes_between(window))
    return digest.hexdigest()
