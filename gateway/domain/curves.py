"""Arithmetic on step series: sums, differences, means on a grid, one series laid over another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from contracts.series import StepSeries
from contracts.time import Interval

Number = TypeVar("Number", bound=np.generic)

_FOREVER = datetime.max.replace(tzinfo=UTC)
_MICROS = 1e6
_COVERAGE_DIGITS = 9


@lru_cache(maxsize=256)
def pieces(window: Interval, step: timedelta) -> tuple[Interval, ...]:
    """`window.split(step)`, cut once for all the sites that have it in common.

    Raises:
        ValueError: the window is open-ended, or `step` is not positive.
    """
    return tuple(window.split(step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """Time-weighted mean of a series over an interval; `value` None where nothing is known."""

    value: float | None
    coverage: float
    """Share of the interval for which the series has a value, 0-1."""


class Grid:
    """Closed intervals of positive length, made numbers once for many series.

    With `rows` they are a table of so many rows, filled row by row.
    """

    def __init__(self, intervals: Sequence[Interval], rows: int | None = None) -> None:
        self.left = _micros(i.start for i in intervals)
        self.right = _micros(_closed_end(i) for i in intervals)
        if rows is not None:
            self.left, self.right = (
                edge.reshape(rows, len(intervals) // rows) for edge in (self.left, self.right)
            )

    @property
    def starts_s(self) -> NDArray[np.float64]:
        """Where each begins, s since 1970."""
        return self.left / _MICROS


@lru_cache(maxsize=256)
def grid_of(intervals: tuple[Interval, ...]) -> Grid:
    """The grid of these intervals, made once for all the sites that have them in common."""
    return Grid(intervals)


class Sampler:
    """Means of one series over many intervals, in one pass over the series."""

    def __init__(self, series: StepSeries) -> None:
        steps = series.steps
        self._starts = _rounded([one.interval.start.timestamp() for one in steps])
        self._ends = _rounded([(one.interval.end or _FOREVER).timestamp() for one in steps])
        self._values: NDArray[np.float64] = np.array([one.value for one in steps], dtype="<f8")
        self._origin = int(self._starts[0]) if len(series) else 0
        self._knots = self._since_origin(_interleaved(self._starts, self._ends))
        self._held = (self._ends - self._starts) / _MICROS
        self._seconds = _running(self._held)
        self._integral = _running(self._held * self._values)

    def with_values(self, values: Sequence[float]) -> Sampler:
        """Of a series with the same steps and these values."""
        other = copy(self)
        other._values = np.array(values, dtype="<f8")
        other._integral = _running(self._held * other._values)
        return other

    def means(self, intervals: Sequence[Interval]) -> tuple[Mean, ...]:
        """One mean for each closed interval of positive length."""
        if not intervals or not self._knots.size:
            return tuple(Mean(value=None, coverage=0.0) for _ in intervals)
        share, covered, integral = self._sums(Grid(intervals))
        known = share > 0
        value = np.divide(integral, covered, out=np.zeros_like(integral), where=known)
        return tuple(
            Mean(value=float(v) if k else None, coverage=float(c))
            for v, k, c in zip(value, known, share, strict=True)
        )

    def whole(self, grid: Grid) -> NDArray[np.float64]:
        """The mean over each interval, NaN where the series does not cover all of it."""
        if not grid.left.size or not self._knots.size:
            return np.full(grid.left.shape, np.nan)
        share, covered, integral = self._sums(grid)
        return np.divide(integral, covered, out=np.full_like(integral, np.nan), where=share >= 1)

    def table(self, grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean (NaN where nothing is known) and covered share of each interval of the grid."""
        if not grid.left.size or not self._knots.size:
            return np.full(grid.left.shape, np.nan), np.zeros(grid.left.shape)
        share, covered, integral = self._sums(grid)
        known = np.full_like(integral, np.nan)
        return np.divide(integral, covered, out=known, where=share > 0), share

    def _sums(
        self, grid: Grid
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Of each interval: the share that is covered, the seconds, the integral."""
        left, right = self._since_origin(grid.left), self._since_origin(grid.right)
        covered = self._between(self._seconds, left, right)
        share = np.round(covered / (right - left), _COVERAGE_DIGITS)
        return share, covered, self._between(self._integral, left, right)

    def bytes_in(self, windows: Grid) -> Iterator[bytes]:
        """The steps that touch each closed window, as bytes that are the same on every machine."""
        first = np.searchsorted(self._ends, windows.left, "right")
        last = np.searchsorted(self._starts, windows.right, "left")
        columns = (self._starts, self._ends, self._values)
        for left, right in zip(first.tolist(), last.tolist(), strict=True):
            yield b"".join(column[left:right].tobytes() for column in columns)

    def _since_origin(self, micros: NDArray[np.int64]) -> NDArray[np.float64]:
        return (micros - self._origin) / _MICROS  # small numbers keep every microsecond

    def _between(
        self, running: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return np.interp(right, self._knots, running) - np.interp(left, self._knots, running)


def pointwise(
    combine: Callable[[Sequence[float]], float], parts: Sequence[StepSeries]
) -> StepSeries:
    """`combine` of the values wherever every series has one; a gap in any is a gap."""
    edges = sorted({edge for part in parts for step in part for edge in _edges(step.interval)})
    place = {edge: index for index, edge in enumerate(edges)}
    table = np.full((len(parts), max(0, len(edges) - 1)), np.nan)
    for row, part in zip(table, parts, strict=True):
        for step in part:
            first, last = (place[edge] for edge in _edges(step.interval))
            row[first:last] = step.value
    known = ~np.isnan(table).any(axis=0)
    return StepSeries.of(
        (_interval(edges[k], edges[k + 1]), combine(table[:, k].tolist()))
        for k in np.flatnonzero(known)
    )


def total(parts: Sequence[StepSeries]) -> StepSeries:
    """The sum wherever every series has a value."""
    return pointwise(sum, parts)


def overlay(under: StepSeries, over: StepSeries, since: datetime) -> StepSeries:
    """`under` before an instant, `over` from then on."""
    first = under.steps[0].interval.start if under else since
    before = under.clip(Interval(start=min(first, since), end=since))
    after = over.clip(Interval(start=since, end=None))
    return StepSeries((*before, *after))


def differ(old: StepSeries, new: StepSeries, since: datetime, tolerance: float) -> bool:
    """Whether from an instant on the values differ by more than this, or one begins or ends."""
    ahead = Interval(start=since, end=None)
    before, after = old.clip(ahead), new.clip(ahead)
    edges = {edge for step in (*before, *after) for edge in _edges(step.interval)}
    pairs = ((before.value_at(edge), after.value_at(edge)) for edge in edges)
    return any(a is not b if a is None or b is None else abs(a - b) > tolerance for a, b in pairs)


def joined(series: StepSeries) -> StepSeries:
    """The same values with touching steps of equal value made one."""
    pieces: list[tuple[Interval, float]] = []
    for step in series:
        if pieces and pieces[-1][0].end == step.interval.start and pieces[-1][1] == step.value:
            step_start = pieces.pop()[0].start
            pieces.append((Interval(start=step_start, end=step.interval.end), step.value))
        else:
            pieces.append((step.interval, step.value))
    return StepSeries.of(pieces)


@lru_cache(maxsize=256)
def grid(span: Interval, event: Interval, resolution: timedelta) -> tuple[Interval, ...]:
    """`span` cut so that the event's own intervals start at its start; edge pieces may be short.

    Raises:
        ValueError: `event` is open-ended or not inside `span`.
    """
    end, span_end = _closed_end(event), _closed_end(span)
    if event.start < span.start or end > span_end:
        raise ValueError("the event must lie inside the span")
    before: list[Interval] = []
    edge = event.start
    while edge > span.start:
        start = max(span.start, edge - resolution)
        before.append(Interval(start=start, end=edge))
        edge = start
    after = Interval(start=end, end=span_end).split(resolution)
    return (*reversed(before), *event.split(resolution), *after)


def merged(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    """Closed intervals in order, overlapping and touching ones made one."""
    pieces: list[Interval] = []
    for interval in sorted(intervals, key=lambda i: i.start):
        if pieces and _closed_end(pieces[-1]) >= interval.start:
            last = pieces.pop()
            end = max(_closed_end(last), _closed_end(interval))
            pieces.append(Interval(start=last.start, end=end))
        else:
            pieces.append(interval)
    return tuple(pieces)


def _edges(interval: Interval) -> tuple[datetime, datetime]:
    return interval.start, interval.end or _FOREVER


def _interval(start: datetime, end: datetime) -> Interval:
    return Interval(start=start, end=None if end == _FOREVER else end)


def _closed_end(interval: Interval) -> datetime:
    if interval.end is None:
        raise ValueError(f"open-ended interval from {interval.start.isoformat()}: close it first")
    return interval.end


def _micros(instants: Iterator[datetime]) -> NDArray[np.int64]:
    return _rounded([instant.timestamp() for instant in instants])


def _rounded(seconds: Sequence[float]) -> NDArray[np.int64]:
    return np.rint(np.array(seconds, dtype=np.float64) * _MICROS).astype("<i8")


def _running(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running total before and after each step, interleaved as the knots are."""
    after = np.cumsum(amounts)
    return _interleaved(after - amounts, after)


def _interleaved(first: NDArray[Number], second: NDArray[Number]) -> NDArray[Number]:
    both = np.empty(2 * first.size, dtype=first.dtype)
    both[::2], both[1::2] = first, second
    return both
