"""The same-day adjustment: how the event day's own load before the event moves the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import fsum
from zoneinfo import ZoneInfo

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Mean
from gateway.domain.measure.baseline_run import AppliedAdjustment, BaselineInputs
from gateway.domain.measure.past_days import PastDays, mean
from gateway.domain.program import Adjustment, BaselineMethod
from gateway.domain.program.measuring import Anchor
from gateway.domain.program.wall import local_day
from gateway.domain.words import kw, pct


def anchor(
    method: BaselineMethod, event: Interval, zone: ZoneInfo, notified: datetime | None
) -> datetime | None:
    """The instant the adjustment window lies before.

    None: the notification came on an earlier local day, which no past day could be compared with.
    """
    if method.anchor is Anchor.START or notified is None or notified >= event.start:
        return event.start
    same_day = local_day(notified, zone) == local_day(event.start, zone)
    return notified if same_day else None


def window_before(method: BaselineMethod, before: datetime) -> Interval:
    """When the event day's own load is compared; empty when the method has no adjustment."""
    start, end = before - method.adjust_from, before - method.adjust_until
    if method.adjustment is Adjustment.NONE or end <= start:
        return Interval(start=before, end=before)
    return Interval(start=start, end=end)


def moved_in(inputs: BaselineInputs) -> tuple[Interval, ...]:
    """Parts of the adjustment window in which our own instructions had moved the load."""
    before = anchor(inputs.method, inputs.event, inputs.zone, inputs.notified)
    if before is None:
        return ()
    window = window_before(inputs.method, before)
    parts = (one.intersection(window) for one in inputs.moved)
    return tuple(part for part in parts if part is not None)


def adjustment(inputs: BaselineInputs, past: PastDays, chosen: Sequence[int]) -> AppliedAdjustment:
    """Ratio or shift between the event day's load and the chosen days', before the event.

    Intervals in which our own instructions moved the load (early curtailment, pre-charge, a return
    in steps) are left out of both.
    """
    before = anchor(inputs.method, inputs.event, inputs.zone, inputs.notified)
    if before is None:
        return none("the notification came on an earlier day")
    window = window_before(inputs.method, before)
    bins, ours = tuple(window.split(inputs.resolution)), moved_in(inputs)
    if not bins:
        return none("the method has none")
    if any(event.overlaps(window) for event in inputs.other_events):
        return none("another event lies in the adjustment window")
    free = tuple(one for one in bins if not any(moved.overlaps(one) for moved in ours))
    if not free:
        return none("our own instructions moved the load in all of the adjustment window")
    note = "; hours in which our own instructions moved the load left out" if ours else ""
    return _compared(inputs.method, past.means(free, 0), past.mean_of(chosen, free), note)


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
    method: BaselineMethod, today: Sequence[Mean], before: Sequence[float | None], note: str
) -> AppliedAdjustment:
    known = [(m.value, b) for m, b in zip(today, before, strict=True) if None not in (m.value, b)]
    coverage = fsum(m.coverage for m, b in zip(today, before, strict=True) if b is not None)
    if coverage / len(today) < method.min_coverage:
        return none(f"data for only {pct(coverage / len(today))} of the adjustment window")
    actual = mean([m for m, _ in known if m is not None]) or 0.0
    expected = mean([b for _, b in known if b is not None]) or 0.0
    return _bounded(method, actual, expected, note)


def _bounded(
    method: BaselineMethod, actual_w: float, expected_w: float, note: str
) -> AppliedAdjustment:
    if method.adjustment is Adjustment.RATIO:
        if expected_w <= 0:
            return none("a ratio needs import on the past days before the event")
        wanted, low, high = actual_w / expected_w, method.adjust_low, method.adjust_high
    else:
        wanted, room = actual_w - expected_w, abs(expected_w)
        low, high = (method.adjust_low - 1.0) * room, (method.adjust_high - 1.0) * room
    value = min(max(wanted, low), high)
    reason = f"{kw(actual_w)} before the event against {kw(expected_w)} on the days used{note}"
    return AppliedAdjustment(value=value, capped=value != wanted, reason=reason)
