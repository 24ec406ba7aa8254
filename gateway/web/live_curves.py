"""The portfolio's load over time from the store, with the events' baseline and target."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Interval
from gateway.domain.curves import Sampler
from gateway.domain.measure.report import Curves
from gateway.ports import TelemetryStore
from gateway.reports.curve import MIN_COVERAGE
from gateway.web.snapshot import Snapshot

PIECES = 480
"""Into how many equal pieces a span is cut."""


async def live_curves(store: TelemetryStore, snapshot: Snapshot, span: Interval) -> Curves:
    """Measured load of the compared sites (a gap where any is missing) and what was asked."""
    past = Interval(start=span.start, end=snapshot.now)
    series = [
        await store.series(site_id, points.PCC_POWER_W, past)
        for site_id in sorted(snapshot.compared)
    ]
    bands = [band for band in snapshot.live.events if not band.cancelled]
    return Curves(
        span=span,
        baseline=layered([band.baseline for band in bands], span, max),
        actual=await asyncio.to_thread(added_up, series, past),  # a day of seconds takes a while
        target=layered([band.target_load for band in bands], span, min),
    )


def added_up(series: Sequence[StepSeries], span: Interval) -> StepSeries:
    """The sum of means over equal pieces of a closed span, where every series is covered."""
    if span.duration is None or not series:
        return StepSeries()
    pieces = tuple(span.split(max(span.duration / PIECES, timedelta(seconds=1))))
    columns = [Sampler(one).means(pieces) for one in series]
    rows = zip(pieces, zip(*columns, strict=True), strict=True)
    return StepSeries.of(
        (piece, sum(mean.value or 0.0 for mean in means))
        for piece, means in rows
        if all(mean.coverage >= MIN_COVERAGE for mean in means)
    )


def layered(
    parts: Sequence[StepSeries], span: Interval, pick: Callable[[Iterable[float]], float]
) -> StepSeries:
    """Several series as one: where more than one has a value, `pick` chooses."""
    clipped = [part.clip(span) for part in parts]
    edges = {
        edge
        for part in clipped
        for step in part
        for edge in (step.interval.start, step.interval.end)
        if edge is not None
    }
    pieces = [Interval(start=start, end=end) for start, end in pairwise(sorted(edges))]
    known = ((piece, [part.value_at(piece.start) for part in clipped]) for piece in pieces)
    found = ((piece, [v for v in values if v is not None]) for piece, values in known)
    return StepSeries.of((piece, pick(values)) for piece, values in found if values)
