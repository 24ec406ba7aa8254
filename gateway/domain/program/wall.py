"""Local wall-clock time: days, times of day and what they are as instants.

A time of day is minutes after midnight, 0-1440; 1440 is 24:00, the end of the day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.days import MonthDay
from contracts.time import Interval

DAY_MINUTES = 24 * 60
_DAY = timedelta(days=1)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The date on the wall at an instant."""
    return instant.astimezone(zone).date()


def instant_of(day: date, minute: int, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """A time of day as an instant.

    A time that happens twice is the first with `fold` 0 and the second with 1. One that a clock
    change leaves out counts by the offset before the change, with 1 by the one after it (PEP 495):
    02:30 of a missing hour is 03:30 of the new time, or 01:30 of the old.
    """
    day, minute = day + _DAY * (minute // DAY_MINUTES), minute % DAY_MINUTES
    naive = datetime.combine(day, time(minute // 60, minute % 60))
    return naive.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def span_of(first: date, last: date, zone: ZoneInfo) -> Interval:
    """From the midnight that begins `first` to the midnight that ends `last`."""
    return Interval(start=instant_of(first, 0, zone), end=instant_of(last, DAY_MINUTES, zone))


def days_of(interval: Interval, zone: ZoneInfo) -> Iterator[date]:
    """Every local date an interval touches; an open-ended one counts for its first day."""
    first = local_day(interval.start, zone)
    end = interval.end or interval.start
    last = max(first, local_day(end - timedelta(microseconds=1), zone))
    for offset in range((last - first).days + 1):
        yield first + offset * _DAY


def clock(minute: int) -> str:
    """`07:30`, `24:00`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def month_day(value: MonthDay) -> str:
    """`1 May`."""
    return f"{value[1]} {_MONTHS[value[0] - 1]}"


def month_name(month: int) -> str:
    """`May`."""
    return _MONTHS[month - 1]


def checked_minute(minute: int, what: str) -> int:
    """The minute, if it is a time of day.

    Raises:
        ValueError: it is none.
    """
    if not 0 <= minute <= DAY_MINUTES:
        raise ValueError(f"{what}: a time of day lies between 00:00 and 24:00")
    return minute


def checked_month_day(value: MonthDay, what: str) -> MonthDay:
    """Month and day, if a year has such a day.

    Raises:
        ValueError: none has.
    """
    month, day = value
    if not (1 <= month <= len(_MONTHS) and 1 <= day <= _LONGEST_MONTHS[month - 1]):
        raise ValueError(f"{what}: there is no day {month:02d}-{day:02d} in a year")
    return value


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
