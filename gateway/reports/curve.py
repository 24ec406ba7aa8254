"""Step series made small enough to draw, without hiding a gap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from contracts.series import Step, StepSeries
from contracts.time import Interval

MIN_COVERAGE = 0.5
"""A piece of the time axis less covered than this is drawn as a gap."""


def thinned(series: StepSeries, window: Interval, at_most: int) -> StepSeries:
    """The series inside a closed window, with at most `at_most` steps.

    Unchanged where it is already short enough; else time-weighted means over equal pieces of the
    window, and no value where a piece is covered by less than half.

    Raises:
        ValueError: the window is open-ended.
    """
    clipped = series.clip(window)
    if window.end is None:
        raise ValueError("an open-ended window cannot be drawn")
    if len(clipped) <= at_most or window.end == window.start:
        return clipped
    piece_s = (window.end - window.start).total_seconds() / at_most
    covered_s, weighted = [0.0] * at_most, [0.0] * at_most
    for index, seconds, value in _pieces(clipped, window, piece_s, at_most):
        covered_s[index] += seconds
        weighted[index] += seconds * value
    edges = [window.start + timedelta(seconds=piece_s * i) for i in range(at_most)] + [window.end]
    return StepSeries.of(
        (Interval(start=edges[i], end=edges[i + 1]), weighted[i] / covered_s[i])
        for i in range(at_most)
        if covered_s[i] >= MIN_COVERAGE * piece_s
    )


def _pieces(
    series: StepSeries, window: Interval, piece_s: float, count: int
) -> Iterator[tuple[int, float, float]]:
    """`(piece, seconds of it, value)` for every step, cut at the borders of the pieces."""
    for step in series:
        start, end = _seconds_into(step, window)
        index = min(int(start / piece_s), count - 1)
        while start < end and index < count:
            border = end if index == count - 1 else min(end, (index + 1) * piece_s)
            yield index, border - start, step.value
            start, index = border, index + 1


def _seconds_into(step: Step, window: Interval) -> tuple[float, float]:
    end = step.interval.end
    if end is None:
        raise ValueError("clip to a closed window first")
    start_s = (step.interval.start - window.start).total_seconds()
    return start_s, (end - window.start).total_seconds()


def runs(series: StepSeries) -> list[list[Step]]:
    """The steps in groups without a gap inside."""
    groups: list[list[Step]] = []
    for step in series:
        if groups and groups[-1][-1].interval.end == step.interval.start:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def paired(a: StepSeries, b: StepSeries) -> Iterator[tuple[Interval, float, float]]:
    """Both values over every interval on which both series have one, in order."""
    left, right = list(a), list(b)
    i = j = 0
    while i < len(left) and j < len(right):
        both = left[i].interval.intersection(right[j].interval)
        if both is not None:
            yield both, left[i].value, right[j].value
        if _ends_first(left[i].interval, right[j].interval):
            i += 1
        else:
            j += 1


def _ends_first(a: Interval, b: Interval) -> bool:
    return a.end is not None and (b.end is None or a.end <= b.end)
