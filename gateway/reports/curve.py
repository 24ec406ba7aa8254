"""Step series made small enough to draw, without hiding a gap."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose

from contracts.series import Step, StepSeries
from contracts.time import Interval
from gateway.domain.curves import Sampler

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
    pieces = tuple(window.split((window.end - window.start) / at_most))[:at_most]
    means = Sampler(clipped).means(pieces)
    return StepSeries.of(
        (piece, mean.value)
        for piece, mean in zip(pieces, means, strict=True)
        if mean.value is not None and mean.coverage >= MIN_COVERAGE
    )


def joined(series: StepSeries) -> StepSeries:
    """The same line with as few steps: neighbours of one value are one."""
    steps: list[Step] = []
    for step in series:
        last = steps[-1] if steps else None
        if last and last.interval.end == step.interval.start and isclose(last.value, step.value):
            whole = Interval(start=last.interval.start, end=step.interval.end)
            steps[-1] = Step(interval=whole, value=last.value)
        else:
            steps.append(step)
    return StepSeries(tuple(steps))


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
