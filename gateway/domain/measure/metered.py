"""Means over consecutive intervals, in one pass over a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from contracts.series import StepSeries
from contracts.time import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalMean:
    """What a series amounts to over one interval."""

    value: float | None
    """Time-weighted mean over the covered part; None when nothing is covered."""
    coverage: float
    """Part of the interval over which the series has a value, 0 to 1."""


def interval_means(series: StepSeries, pieces: Sequence[Interval]) -> list[IntervalMean]:
    """The mean over each of these closed intervals, which are in order and do not overlap.

    Linear in steps and intervals together.

    Raises:
        ValueError: an interval is open-ended.
    """
    found: list[IntervalMean] = []
    steps, first = series.steps, 0
    for piece in pieces:
        if piece.end is None:
            raise ValueError("only closed intervals have a mean")
        while first < len(steps) and _over(steps[first].interval, piece):
            first += 1
        at, weighted, covered = first, 0.0, 0.0
        while at < len(steps) and steps[at].interval.start < piece.end:
            common = steps[at].interval.intersection(piece)
            seconds = 0.0 if common is None else _seconds(common.duration)
            weighted += steps[at].value * seconds
            covered += seconds
            at += 1
        mean = weighted / covered if covered else None
        length = _seconds(piece.duration)
        found.append(IntervalMean(value=mean, coverage=covered / length if length else 0.0))
    return found


def _over(step: Interval, piece: Interval) -> bool:
    return step.end is not None and step.end <= piece.start


def _seconds(duration: timedelta | None) -> float:
    return 0.0 if duration is None else duration.total_seconds()
