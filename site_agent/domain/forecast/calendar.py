"""Local days by kind: what a building or a fleet does today it did on days of the same kind.

A local day has 92, 96 or 100 quarters. They are laid on the 96 quarters of the wall clock: an hour
that comes twice is averaged, one that is skipped is no gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from contracts.days import HOLIDAY, Holidays
from site_agent.domain.horizon import QUARTER, Series

WALL = 96
"""Quarters on the wall clock of a day."""
_SATURDAY, _SUNDAY = 5, 6


class DayType(StrEnum):
    """Kinds of days that resemble each other."""

    WORKDAY = "workday"
    SATURDAY = "Saturday"
    RESTDAY = "Sunday or holiday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The site's local time and its holidays."""

    zone: tzinfo = UTC
    holidays: Holidays = field(default_factory=Holidays)

    def day_type(self, day: date) -> DayType:
        """What kind of day it is."""
        kind = self.holidays.kind(day)
        if kind in (HOLIDAY, _SUNDAY):
            return DayType.RESTDAY
        return DayType.SATURDAY if kind == _SATURDAY else DayType.WORKDAY

    def day_of(self, at: datetime) -> date:
        """The local day an instant lies in."""
        return at.astimezone(self.zone).date()

    def begins(self, day: date) -> datetime:
        """Where a local day begins, UTC."""
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)

    def wall(self, start: datetime, count: int) -> tuple[tuple[date, ...], NDArray[np.intp]]:
        """Local days in `count` quarters from `start` on, and each quarter's place among them.

        A place is `96 * day + quarter of the wall clock`, so it is an index into a flat
        `[day, quarter]` table.
        """
        end = start + count * QUARTER
        days = tuple(self._days(start, end))
        places = [self._places(day) + WALL * i for i, day in enumerate(days)]
        if not places:
            return (), np.empty(0, dtype=np.intp)
        before = (start - self.begins(days[0])) // QUARTER
        return days, np.concatenate(places)[before : before + count]

    def _days(self, start: datetime, end: datetime) -> Iterator[date]:
        day, last = self.day_of(start), self.day_of(end - timedelta(microseconds=1))
        while day <= last:
            yield day
            day += timedelta(days=1)

    def _places(self, day: date) -> NDArray[np.intp]:
        return _places(day, self.zone)


@cache
def _whole() -> NDArray[np.intp]:
    return np.arange(WALL, dtype=np.intp)


def _places(day: date, zone: tzinfo) -> NDArray[np.intp]:
    """The wall-clock quarter of every quarter of a local day."""
    start = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    count = (end - start) // QUARTER
    if count == WALL:
        return _whole()
    local = [(start + i * QUARTER).astimezone(zone) for i in range(count)]
    return np.array([4 * at.hour + at.minute // 15 for at in local], dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTable:
    """Measured quarters as `[local day, quarter of the wall clock]`; NaN: not known."""

    days: tuple[date, ...]
    values: Series
    whole: NDArray[np.bool_]
    """By day: every quarter it has is known."""
    kinds: tuple[DayType, ...]


def day_table(start: datetime, values: Series, calendar: Calendar) -> DayTable:
    """Quarters from `start` on as local days; days that are only partly inside are not whole."""
    days, places = calendar.wall(start, len(values))
    cells = WALL * len(days)
    known = ~np.isnan(values)
    sums = np.bincount(places, np.where(known, values, 0.0), minlength=cells)
    counts = np.bincount(places, known, minlength=cells)
    seen = np.bincount(places[known], minlength=cells)
    expected = [len(_places(day, calendar.zone)) for day in days]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
    return DayTable(
        days=days,
        values=means.reshape(len(days), WALL),
        whole=seen.reshape(len(days), WALL).sum(axis=1) == np.array(expected, dtype=np.intp),
        kinds=tuple(calendar.day_type(day) for day in days),
    )
