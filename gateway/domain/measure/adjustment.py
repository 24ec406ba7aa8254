"""The same-day adjustment: how the event day's own load outside the event moves the baseline."""

from __future__ import annotations

from math import isnan

from contracts.series import StepSeries
from gateway.domain.measure.baseline_run import (
    AppliedAdjustment,
    BaselineInputs,
    Estimate,
    Values,
)
from gateway.domain.measure.own_day import anchor, free_bins, moved_in, windows_at
from gateway.domain.measure.past_days import DayTable, PastDays, mean
from gateway.domain.program.method import Adjustment, BaselineMethod
from gateway.domain.words import kw, pct


def adjustment(inputs: BaselineInputs, past: PastDays, estimate: Estimate) -> AppliedAdjustment:
    """Ratio or shift between the event day's load and what was expected, outside the event.

    Intervals in which our own instructions moved the load (early curtailment, pre-charge, a return
    in steps) are left out of both.
    """
    if estimate.problem:
        return none("there is no baseline")
    if estimate.expected is None:
        return none("the method has none")
    before = anchor(inputs.method, inputs.event, inputs.zone, inputs.notified)
    if before is None:
        return none("the notification came on an earlier day")
    windows = windows_at(inputs.method, inputs.event, before)
    free = free_bins(inputs, [one for one in windows if one.end != one.start])
    if isinstance(free, str):
        return none(free)
    note = ""
    if moved_in(inputs):
        note = "; hours in which our own instructions moved the load left out"
    return _compared(inputs.method, past.own(free), estimate.expected(free), note)


def adjusted(plain: StepSeries, kind: Adjustment, value: float | None) -> StepSeries:
    """The series moved by an adjustment; as it is without one."""
    if value is None:
        return plain
    if kind is Adjustment.RATIO:
        return plain.map(lambda load_w: load_w * value)
    return plain.map(lambda load_w: load_w + value)


def none(reason: str) -> AppliedAdjustment:
    """No adjustment, and why."""
    return AppliedAdjustment(value=None, capped=False, reason=reason)


def _compared(
    method: BaselineMethod, today: DayTable, before: Values, note: str
) -> AppliedAdjustment:
    loads, shares = today.values[0].tolist(), today.coverage[0].tolist()
    known = [(w, b) for w, b in zip(loads, before, strict=True) if b is not None and not isnan(w)]
    coverage = sum(c for c, b in zip(shares, before, strict=True) if b is not None) / len(shares)
    if coverage < method.min_coverage:
        return none(f"data for only {pct(coverage)} of the adjustment window")
    actual = mean([w for w, _ in known]) or 0.0
    expected = mean([b for _, b in known]) or 0.0
    return _bounded(method, actual, expected, note)


def _bounded(
    method: BaselineMethod, actual_w: float, expected_w: float, note: str
) -> AppliedAdjustment:
    low, high = method.adjust_low, method.adjust_high
    if method.adjustment is Adjustment.RATIO:
        if expected_w <= 0:
            return none("a ratio needs import on the past days before the event")
        wanted = actual_w / expected_w
    else:
        wanted, room = actual_w - expected_w, abs(expected_w)
        low, high = (None if bound is None else (bound - 1.0) * room for bound in (low, high))
    value = wanted if low is None else max(wanted, low)
    value = value if high is None else min(value, high)
    reason = f"{kw(actual_w)} before the event against {kw(expected_w)} on the days used{note}"
    return AppliedAdjustment(value=value, capped=value != wanted, reason=reason)
