"""What was still there to give during an event, and how fast it came.

Availability as capacity programs use it: the share of the time in which the committed amount was
there, delivered or still held ready. Response: from when the event began until a tenth and nine
tenths of what was asked had been reached, and the ramp between the two (the 10-90 % rise time of
control engineering).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import fsum

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Sampler, pointwise
from gateway.domain.measure.performance import IntervalPerformance, Performance

FIRST, FULL = 0.1, 0.9
"""Shares of what was asked that count as a first and as the full response."""
_TOLERANCE = 0.005
"""What is this near to the commitment is there: meters are no better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Over one event; None where it is not known."""

    still_w: float | None = None
    """What could still have been given beyond what was, mean, W >= 0."""
    there_share: float | None = None
    """Share of the known time in which the committed amount was delivered or held ready, 0-1."""
    known_share: float = 0.0
    """Share of the event for which that is known, 0-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """How fast load followed, by its measurement; None where that point was not reached."""

    first_s: float | None = None
    """Seconds from when the event began until a tenth of what was asked was there."""
    full_s: float | None = None
    """The same for nine tenths."""
    ramp_w_per_min: float | None = None
    """Between the two, W a minute; None also where both came with one measurement."""


def availability(performance: Performance, still: StepSeries, committed_w: float) -> Availability:
    """Of one site, by what it told that it could still lower its import.

    Without a commitment only `still_w` is told.
    """
    means = Sampler(still).means([slot.interval for slot in performance.during])
    rows = [
        (slot, mean.value)
        for slot, mean in zip(performance.during, means, strict=True)
        if mean.value is not None and slot.delivered_w is not None
    ]
    return _over(performance.during, rows, committed_w)


def _over(
    during: Sequence[IntervalPerformance],
    rows: Sequence[tuple[IntervalPerformance, float]],
    committed_w: float,
) -> Availability:
    known_s = fsum(_seconds(slot.interval) for slot, _ in rows)
    whole_s = fsum(_seconds(slot.interval) for slot in during)
    if known_s <= 0:
        return Availability()
    there_s = fsum(
        _seconds(slot.interval)
        for slot, still_w in rows
        if (slot.delivered_w or 0.0) + still_w >= (1 - _TOLERANCE) * committed_w
    )
    return Availability(
        still_w=fsum(_seconds(slot.interval) * max(0.0, w) for slot, w in rows) / known_s,
        there_share=there_s / known_s if committed_w > 0 else None,
        known_share=known_s / whole_s,
    )


def availability_of_all(
    whole: Performance,
    still: Sequence[StepSeries],
    committed_w: float,
) -> Availability:
    """Of the portfolio: sites that told nothing in an interval hold nothing ready there."""
    bins = [slot.interval for slot in whole.during]
    columns = [[mean.value for mean in Sampler(one).means(bins)] for one in still]
    rows = []
    for k, slot in enumerate(whole.during):
        known = [column[k] for column in columns if column[k] is not None]
        if known and slot.delivered_w is not None:
            rows.append((slot, fsum(w for w in known if w is not None)))
    return _over(whole.during, rows, committed_w)


def response(
    event: Interval, baseline: StepSeries, actual: StepSeries, asked: StepSeries
) -> Response:
    """From the measured steps; counted from the first instant at which anything was asked."""
    wanted = [step for step in asked.clip(event) if step.value > 0]
    if not wanted:
        return Response()
    start = wanted[0].interval.start
    window = Interval(start=start, end=event.end)
    parts = (baseline.clip(window), actual.clip(window), asked.clip(window))
    reached = pointwise(_reached, parts)
    first, full = (_since(reached, start, share) for share in (FIRST, FULL))
    return Response(first_s=first, full_s=full, ramp_w_per_min=_ramp(wanted[0].value, first, full))


def _reached(values: Sequence[float]) -> float:
    base_w, drawn_w, asked_w = values
    return (base_w - drawn_w) / asked_w if asked_w > 0 else 0.0


def _since(reached: StepSeries, start: datetime, share: float) -> float | None:
    for step in reached:
        if step.value >= share:
            return max(0.0, (step.interval.start - start).total_seconds())
    return None


def _ramp(asked_w: float, first: float | None, full: float | None) -> float | None:
    if first is None or full is None or full <= first:
        return None
    return (FULL - FIRST) * asked_w / (full - first) * 60.0


def _seconds(interval: Interval) -> float:
    return interval.duration.total_seconds() if interval.duration else 0.0
