"""A site's history seen day by day at the same local time of day, over clock changes too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from functools import lru_cache
from math import fsum
from zoneinfo import ZoneInfo

import numpy as np

from contracts.time import Interval
from gateway.domain.curves import Grid, Sampler, grid_of
from gateway.domain.measure.metering import Numbers, metered_table
from gateway.domain.program.measuring import ExportRule

HALF = 0.5
"""An interval of a past day counts when at least half of it was measured."""
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class DayTable:
    """Intervals of the event day (columns) on each day (rows: how many days back; 0: itself)."""

    values: Numbers
    """Mean load, W; NaN: nothing known."""
    coverage: Numbers
    """Share that was measured, 0-1."""


class PastDays:
    """Means of past days, named by how many days they lie before the event's local day."""

    def __init__(
        self,
        history: Sampler,
        zone: ZoneInfo,
        event: Interval,
        export: ExportRule = ExportRule.COUNTED,
        days: int = 0,
    ) -> None:
        """`days`: how far back tables reach."""
        self.zone = zone
        self._export = export
        self._days = days
        self.event_day = event.start.astimezone(zone).date()
        self._sampler = history

    def day(self, back: int) -> date:
        """The local date of the day this far back."""
        return self.event_day - timedelta(days=back)

    def table(self, bins: Sequence[Interval]) -> DayTable:
        """Means on every day over intervals given on the event day."""
        return self._table(bins, self._days)

    def own(self, bins: Sequence[Interval]) -> DayTable:
        """The same of the event day alone: one row."""
        return self._table(bins, 0)

    def mean_of(
        self, days: Sequence[int], bins: Sequence[Interval], weights: Sequence[float] = ()
    ) -> tuple[tuple[float | None, ...], tuple[int, ...]]:
        """Per interval, the mean over those of the days that were measured then, and their number.

        `weights` go with `days`; none: all alike. An interval that no day knows stays unknown.
        """
        table, rows = self.table(bins), list(days)
        known = table.coverage[rows] >= HALF
        share = np.asarray(weights[: len(rows)] or [1.0] * len(rows))[:, np.newaxis] * known
        whole, part = share.sum(axis=0), np.where(known, table.values[rows], 0.0) * share
        total = part.sum(axis=0)
        values = tuple(float(t / w) if w > 0 else None for t, w in zip(total, whole, strict=True))
        return values, tuple(int(n) for n in known.sum(axis=0))

    def bytes_in(self, windows: Sequence[Interval]) -> Iterator[bytes]:
        """The history inside each window, for hashing."""
        return self._sampler.bytes_in(grid_of(tuple(windows)))

    def _table(self, bins: Sequence[Interval], days: int) -> DayTable:
        values, coverage = self._sampler.table(_grid(tuple(bins), days, self.zone))
        return DayTable(*metered_table(values, coverage, self._export))


@lru_cache(maxsize=64)
def _grid(bins: tuple[Interval, ...], days: int, zone: ZoneInfo) -> Grid:
    """The same for every site of an event, so made once."""
    past = [days_back(one, back, zone) for back in range(days + 1) for one in bins]
    return Grid(past, rows=days + 1)


def days_back(interval: Interval, days: int, zone: ZoneInfo) -> Interval:
    """The same local time of day on an earlier day, and as long as the original.

    A local time that a clock change leaves out counts by the offset of the original's `fold` (PEP
    495); of a local time that happens twice, the same one of the two as in the original.
    """
    local = interval.start.astimezone(zone)
    naive = local.replace(tzinfo=None) - timedelta(days=days)
    start = naive.replace(tzinfo=zone, fold=local.fold).astimezone(UTC)
    end = None if interval.end is None else start + (interval.end - interval.start)
    return Interval(start=start, end=end)


def local_days(event: Interval, zone: ZoneInfo) -> frozenset[date]:
    """Every local date an event touches; an open-ended event counts for its first day."""
    first = event.start.astimezone(zone).date()
    last_instant = (event.end or event.start) - timedelta(microseconds=1)
    count = (last_instant.astimezone(zone).date() - first).days
    return frozenset(first + timedelta(days=n) for n in range(max(0, count) + 1))


def is_off(day: date, holidays: frozenset[date]) -> bool:
    """Whether a day is a weekend day or a holiday."""
    return day.weekday() >= _SATURDAY or day in holidays


def mean(values: Sequence[float]) -> float | None:
    """Plain mean, exact in its sum; None of nothing."""
    return fsum(values) / len(values) if values else None
