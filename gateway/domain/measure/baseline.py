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
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import grid
from gateway.domain.measure.adjustment import (
    adjusted,
    adjustment,
    anchor,
    moved_in,
    none,
    window_before,
)
from gateway.domain.measure.baseline_run import AppliedAdjustment, BaselineInputs, BaselineRun
from gateway.domain.measure.day_choice import choose
from gateway.domain.measure.past_days import PastDays, days_back
from gateway.domain.program import Adjustment, BaselineMethod, DayType
from gateway.domain.program.measuring import Anchor, ExportRule, Fallback
from gateway.domain.words import pct, span

__all__ = [
    "AppliedAdjustment",
    "BaselineInputs",
    "BaselineRun",
    "adjustment_window",
    "describe",
    "history_windows",
    "run_baseline",
]

_LATER = ("fallbacks", "anchor", "excludes_holidays", "excluded_programs")
"""Parameters of a method that came after the first hashes: at their defaults they change none."""


def history_windows(
    method: BaselineMethod,
    zone: ZoneInfo,
    event: Interval,
    span: Interval,
    notified: datetime | None = None,
) -> tuple[Interval, ...]:
    """What a run may read: the adjustment window of the event day, then one window a day back."""
    before = anchor(method, event, zone, notified) or event.start
    whole = Interval(start=min(span.start, before - method.adjust_from), end=span.end)
    past = (days_back(whole, back, zone) for back in range(1, method.look_back.days + 1))
    return (window_before(method, before), *past)


def adjustment_window(
    method: BaselineMethod, event: Interval, zone: ZoneInfo, notified: datetime | None = None
) -> Interval:
    """When the event day's own load is compared; empty when there is no adjustment."""
    before = anchor(method, event, zone, notified)
    if before is None:
        return Interval(start=event.start, end=event.start)
    return window_before(method, before)


def run_baseline(inputs: BaselineInputs) -> BaselineRun:
    """The baseline over `inputs.span`.

    Raises:
        ValueError: `event` is open-ended or not inside `span`.
    """
    method, bins = inputs.method, grid(inputs.span, inputs.event, inputs.resolution)
    past = PastDays(inputs.history, inputs.zone, inputs.event, inputs.export)
    choice = choose(inputs, past)
    enough = not choice.problem
    plain = _series(bins, past.mean_of(choice.backs, bins)) if enough else StepSeries()
    applied = adjustment(inputs, past, choice.backs) if enough else none("there is no baseline")
    return BaselineRun(
        method=method,
        days=choice.days,
        adjustment=applied,
        unadjusted=plain,
        series=adjusted(plain, method.adjustment, applied.value),
        inputs_hash=_hash(inputs, past, looked_at=len(choice.days)),
        problem=choice.problem,
        fallback=choice.fallback,
        moved=moved_in(inputs),
    )


def describe(method: BaselineMethod) -> str:
    """The rule in words with its parameters, for reports."""
    days = "any day" if method.day_type is DayType.ANY else "days of the same type"
    if method.excludes_holidays:
        days += ", no holidays"
    pick = "mean" if method.x_days >= method.y_days else f"mean of the {method.x_days} highest"
    rule = f"{method.name}: {pick} of the last {method.y_days} eligible days ({days}, "
    rule += f"look-back {method.look_back.days} days, data for {pct(method.min_coverage)})"
    if method.excluded_programs:
        rule += f"; without event days of {', '.join(method.excluded_programs)}"
    rule += "".join(_FALLBACKS[one].format(method.min_days) for one in method.fallbacks)
    if method.adjustment is Adjustment.NONE:
        return f"{rule}; no same-day adjustment"
    bounds = f"{method.adjust_low:g} to {method.adjust_high:g}"
    point = "event" if method.anchor is Anchor.START else "notification"
    hours = f"{span(method.adjust_from)} to {span(method.adjust_until)} before the {point}"
    return f"{rule}; {method.adjustment.value} adjustment over {hours}, bounded {bounds}"


_FALLBACKS = {
    Fallback.FEWER_DAYS: "; else fewer, at least {}",
    Fallback.ANY_DAY_TYPE: "; else days of any type, at least {}",
}


def _series(bins: Sequence[Interval], values: Sequence[float | None]) -> StepSeries:
    pairs = zip(bins, values, strict=True)
    return StepSeries.of((interval, value) for interval, value in pairs if value is not None)


# --- reproducibility -----------------------------------------------------------------------------


def _hash(inputs: BaselineInputs, past: PastDays, looked_at: int) -> str:
    head = {
        "method": _parameters(inputs.method),
        "zone": inputs.zone.key,
        "event": [inputs.event.start, inputs.event.end],
        "span": [inputs.span.start, inputs.span.end],
        "resolution": inputs.resolution,
        "other_events": sorted([str(e.start), str(e.end)] for e in inputs.other_events),
        "holidays": sorted(str(day) for day in inputs.holidays),
        **_later(inputs),
    }
    digest = hashlib.sha256(json.dumps(head, default=str, sort_keys=True).encode())
    windows = history_windows(
        inputs.method, inputs.zone, inputs.event, inputs.span, inputs.notified
    )
    for window in windows[: looked_at + 1]:
        digest.update(past.bytes_between(window))
    return digest.hexdigest()


def _parameters(method: BaselineMethod) -> dict[str, object]:
    first = BaselineMethod()
    unchanged = [name for name in _LATER if getattr(method, name) == getattr(first, name)]
    return {name: value for name, value in asdict(method).items() if name not in unchanged}


def _later(inputs: BaselineInputs) -> dict[str, object]:
    """Inputs that came after the first hashes, where they have a say."""
    found: dict[str, object] = {}
    if inputs.method.anchor is Anchor.NOTIFICATION:
        found["notified"] = inputs.notified
    if moved := moved_in(inputs):
        found["moved"] = sorted([str(one.start), str(one.end)] for one in moved)
    if inputs.export is not ExportRule.COUNTED:
        found["export"] = inputs.export
    return found
