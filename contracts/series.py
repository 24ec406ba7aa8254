"""Step series: a value that holds over `[start, end)`, then the next one, with gaps allowed.

Schedules, limits, baselines and metered intervals are all step series.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from contracts.time import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One value and the half-open interval over which it holds."""

    interval: Interval
    value: float


@dataclass(frozen=True, slots=True)
class StepSeries:
    """Steps in time order that never overlap; between steps there may be gaps (no value).

    Raises:
        ValueError: steps overlap, are out of order, or an open-ended step is not the last.
    """

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            end = before.interval.end
            if end is None or end > after.interval.start:
                raise ValueError(f"steps overlap at {after.interval.start.isoformat()}")

    @classmethod
    def of(cls, steps: Iterable[tuple[Interval, float]]) -> StepSeries:
        """From `(interval, value)` pairs in any order; empty intervals are dropped."""
        kept = [Step(interval=i, value=v) for i, v in steps if i.end is None or i.end > i.start]
        return cls(tuple(sorted(kept, key=lambda step: step.interval.start)))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def value_at(self, instant: datetime) -> float | None:
        """The value in force at an instant, or None in a gap."""
        for step in self.steps:
            if instant in step.interval:
                return step.value
        return None

    def map(self, change: Callable[[float], float]) -> StepSeries:
        """The same steps with every value changed."""
        return StepSeries(tuple(Step(interval=s.interval, value=change(s.value)) for s in self))

    def clip(self, window: Interval) -> StepSeries:
        """The part of the series inside a window."""
        first = max(0, bisect_right(self.steps, window.start, key=_start) - 1)
        ends = len(self.steps)
        if window.end is not None:
            ends = bisect_left(self.steps, window.end, key=_start)
        pieces = (_cut(step, window) for step in self.steps[first:ends])
        return StepSeries(tuple(piece for piece in pieces if piece is not None))

    def covered_seconds(self, window: Interval) -> float:
        """Seconds of a closed window over which the series has a value."""
        return sum(_seconds(step.interval) for step in self.clip(window))

    def mean(self, window: Interval) -> float | None:
        """Time-weighted mean over the covered part of a closed window, or None if none of it is."""
        parts = [(step.value, _seconds(step.interval)) for step in self.clip(window)]
        total = sum(seconds for _, seconds in parts)
        return sum(value * seconds for value, seconds in parts) / total if total > 0 else None

    def integral_h(self, window: Interval) -> float:
        """Integral over a closed window in value-hours (W gives Wh); gaps count as nothing."""
        return sum(step.value * _seconds(step.interval) for step in self.clip(window)) / 3600.0


def _start(step: Step) -> datetime:
    return step.interval.start


def _cut(step: Step, window: Interval) -> Step | None:
    """The step inside the window; nearly always that is all of it."""
    span, end = step.interval, window.end
    whole = end is None or (span.end is not None and span.end <= end)
    if whole and span.start >= window.start and span.start != span.end:
        return step
    inside = span.intersection(window)
    return None if inside is None else Step(interval=inside, value=step.value)


def _seconds(interval: Interval) -> float:
    duration = interval.duration
    if duration is None:
        raise ValueError("an open-ended step has no length: clip to a closed window")
    return duration.total_seconds()
