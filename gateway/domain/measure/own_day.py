"""The event's own day: when its load is compared, or stands for the event's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from contracts.time import Interval
from gateway.domain.curves import pieces
from gateway.domain.measure.baseline_run import BaselineInputs, Estimate
from gateway.domain.measure.past_days import HALF, PastDays
from gateway.domain.program.method import Adjustment, Anchor, BaselineKind, BaselineMethod
from gateway.domain.program.wall import local_day
from gateway.domain.words import pct

_DAY = timedelta(days=1)
_HOURS = (BaselineKind.SAME_DAY, BaselineKind.BEFORE_EVENT)


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


def windows_at(method: BaselineMethod, event: Interval, before: datetime) -> tuple[Interval, ...]:
    """The hours before `before` and those after the event; the first may be empty.

    SAME_DAY after PJM's 3+2 (read in public text): an event 12-17 h takes 8-11 h and 18-20 h.
    """
    start, end = before - method.adjust_from, before - method.adjust_until
    if not _compares(method) or end <= start:
        start = end = before
    first = Interval(start=start, end=end)
    if event.end is None or not _compares(method) or method.after_until <= method.after_from:
        return (first,)
    after = Interval(start=event.end + method.after_from, end=event.end + method.after_until)
    return (first, after)


def day_around(event: Interval, buffer: timedelta, zone: ZoneInfo) -> tuple[Interval, ...]:
    """What a day is matched by: the event's local day without the event and a buffer either side.

    PJM's match day leaves out the hour before and after (read in public text).
    """
    end = event.end or event.start
    first = event.start.astimezone(zone).date()
    last = (end - timedelta(microseconds=1)).astimezone(zone).date() if end > event.start else first
    begins, ends = (
        datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + _DAY)
    )
    parts = ((begins, event.start - buffer), (end + buffer, ends))
    return tuple(Interval(start=a, end=b) for a, b in parts if b > a)


@lru_cache(maxsize=64)
def own_windows(
    method: BaselineMethod, event: Interval, zone: ZoneInfo, notified: datetime | None = None
) -> tuple[Interval, ...]:
    """Everything of the event's own day that a run looks at; the first may be empty."""
    before = anchor(method, event, zone, notified) or event.start
    windows = windows_at(method, event, before)
    if method.kind is BaselineKind.MATCH_DAY:
        return (*windows, *day_around(event, method.buffer, zone))
    return windows


def moved_in(inputs: BaselineInputs) -> tuple[Interval, ...]:
    """Parts of the compared hours in which our own instructions had moved the load."""
    before = anchor(inputs.method, inputs.event, inputs.zone, inputs.notified)
    if before is None:
        return ()
    windows = windows_at(inputs.method, inputs.event, before)
    parts = (one.intersection(window) for window in windows for one in inputs.moved)
    return tuple(part for part in parts if part is not None)


def free_bins(inputs: BaselineInputs, windows: Sequence[Interval]) -> tuple[Interval, ...] | str:
    """The windows in intervals, without those we moved the load in; or why there are none."""
    bins = tuple(one for window in windows for one in pieces(window, inputs.resolution))
    if not bins:
        return "the method has none"
    if any(event.overlaps(window) for event in inputs.other_events for window in windows):
        return "another event lies in the adjustment window"
    ours = moved_in(inputs)
    free = tuple(one for one in bins if not any(moved.overlaps(one) for moved in ours))
    return free or "our own instructions moved the load in all of the adjustment window"


def of_own_hours(inputs: BaselineInputs, past: PastDays, bins: Sequence[Interval]) -> Estimate:
    """SAME_DAY, BEFORE_EVENT: one level, the mean over the hours of the event's own day."""
    before = anchor(inputs.method, inputs.event, inputs.zone, inputs.notified)
    if before is None:
        return Estimate(problem="the notification came on an earlier day")
    found = free_bins(inputs, windows_at(inputs.method, inputs.event, before))
    if isinstance(found, str):
        said = found.replace("the adjustment window", "the hours that stand for the event's")
        return Estimate(problem=said)
    table = past.own(found)
    length = np.array([(one.end or one.start).timestamp() - one.start.timestamp() for one in found])
    coverage = float(table.coverage[0] @ length / length.sum())
    if coverage < inputs.method.min_coverage:
        hours = "the hours that stand for the event's"
        return Estimate(problem=f"data for only {pct(coverage)} of {hours}")
    weight = np.where(table.coverage[0] >= HALF, length, 0.0)
    level = float(np.nansum(table.values[0] * weight) / weight.sum())
    return Estimate(values=(level,) * len(bins))


def _compares(method: BaselineMethod) -> bool:
    return method.kind in _HOURS or method.adjustment is not Adjustment.NONE
