"""Which days something holds on: seasons, days of the week, holidays."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

HOLIDAY = 7
"""Kind of a day beside Monday (0) to Sunday (6): a holiday is no weekday any more."""
WEEKDAYS = frozenset(range(5))
WEEKENDS = frozenset({5, 6, HOLIDAY})
"""Utilities bill holidays as Sundays, unless their tariff says otherwise."""
EVERY_DAY = WEEKDAYS | WEEKENDS
_SUNDAY = 6
_LEAP_YEAR = 2024
"""Any: faults are looked for on all its days."""

_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
_EASTER = re.compile(r"easter(?:([+-]\d{1,3}))?")
_NTH = re.compile(r"(\d{2}) (mon|tue|wed|thu|fri|sat|sun) (-?[1-5])")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

MonthDay = tuple[int, int]
"""Month and day of the month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """From `first` to `last` of a year, both included, on these kinds of day.

    A season may go over the end of the year: `first` (11, 1), `last` (4, 30).
    """

    first: MonthDay = (1, 1)
    last: MonthDay = (12, 31)
    kinds: frozenset[int] = EVERY_DAY

    def holds(self, day: date, kind: int) -> bool:
        """Whether it holds on a day of this kind (`Holidays.kind`)."""
        here = (day.month, day.day)
        if self.first <= self.last:
            season = self.first <= here <= self.last
        else:
            season = here >= self.first or here <= self.last
        return season and kind in self.kinds


# --- holidays -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDate:
    """Once (`year` given) or every year on this day."""

    month: int
    day: int
    year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NthWeekday:
    """The nth such day of a month, counted from its end when negative: -1 is the last."""

    month: int
    weekday: int
    nth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FromEaster:
    """So many days after Easter Sunday: -2 is Good Friday, 1 Easter Monday."""

    days: int


Holiday = OnDate | NthWeekday | FromEaster


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays:
    """The holidays of a tariff or a program."""

    rules: tuple[Holiday, ...] = ()
    sunday_to_monday: bool = False
    """A holiday on a Sunday is kept on the Monday after it."""

    def kind(self, day: date) -> int:
        """0 Monday to 6 Sunday, or `HOLIDAY`."""
        if self._falls_on(day):
            return HOLIDAY
        before = day - timedelta(days=1)
        moved = self.sunday_to_monday and before.weekday() == _SUNDAY and self._falls_on(before)
        return HOLIDAY if moved else day.weekday()

    def _falls_on(self, day: date) -> bool:
        return any(_is(rule, day) for rule in self.rules)


def _is(rule: Holiday, day: date) -> bool:
    match rule:
        case OnDate():
            return (rule.month, rule.day) == (day.month, day.day) and rule.year in (None, day.year)
        case NthWeekday():
            return day.month == rule.month and day == _nth(rule, day.year)
        case FromEaster():
            return day == easter(day.year) + timedelta(days=rule.days)


def _nth(rule: NthWeekday, year: int) -> date | None:
    first_weekday, length = monthrange(year, rule.month)
    first = 1 + (rule.weekday - first_weekday) % 7
    days = list(range(first, length + 1, 7))
    index = rule.nth - 1 if rule.nth > 0 else rule.nth
    return date(year, rule.month, days[index]) if -len(days) <= index < len(days) else None


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    century = year // 100
    moon = year % 19
    shift = (century - century // 4 - (8 * century + 13) // 25 + 19 * moon + 15) % 30
    full = shift - (shift // 28) * (1 - (29 // (shift + 1)) * ((21 - moon) // 11))
    sunday = full - (year + year // 4 + full + 2 - century + century // 4) % 7
    month = 3 + (sunday + 40) // 44
    return date(year, month, sunday + 28 - 31 * (month // 4))


def holiday(text: str) -> Holiday:
    """A holiday as people write it.

    `2026-12-24` once, `12-25` every year, `easter+1` (Easter Monday; `easter-2` Good Friday),
    `11 thu 4` the fourth Thursday of November, `05 mon -1` the last Monday of May.

    Raises:
        ValueError: none of these.
    """
    if found := _DATE.fullmatch(text):
        year, month, day = found.groups()
        if 1 <= int(month) <= len(_LONGEST) and 1 <= int(day) <= _LONGEST[int(month) - 1]:
            return OnDate(month=int(month), day=int(day), year=None if year is None else int(year))
    if found := _EASTER.fullmatch(text):
        return FromEaster(days=int(found.group(1) or 0))
    if (found := _NTH.fullmatch(text)) and 1 <= int(found.group(1)) <= len(_LONGEST):
        month, weekday, nth = found.groups()
        return NthWeekday(month=int(month), weekday=_DAY_NAMES.index(weekday), nth=int(nth))
    raise ValueError(
        f"{text!r} is no holiday: write 2026-12-24, 12-25, easter+1 or '11 thu 4' (the fourth "
        "Thursday of November)"
    )


# --- faults ---------------------------------------------------------------------------------------


def faults(named: Iterable[tuple[str, Days]], *, complete: bool) -> list[str]:
    """Sentences on days on which two of these hold, and (`complete`) on which none does."""
    known = list(named)
    found: dict[tuple[str, ...], str] = {}
    for offset in range(366):
        day = date(_LEAP_YEAR, 1, 1) + timedelta(days=offset)
        for kind in range(HOLIDAY + 1):
            names = tuple(name for name, days in known if days.holds(day, kind))
            if len(names) > 1 or (complete and not names):
                found.setdefault(names, f"{_KINDS[kind]} {day:%m-%d}")
    return [_sentence(names, where) for names, where in found.items()]


def _sentence(names: tuple[str, ...], where: str) -> str:
    if not names:
        return f"no schedule holds on {where}: every day needs one"
    several = " and ".join(repr(name) for name in names)
    return f"{several} all hold on {where}: set their days or seasons apart"


_KINDS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "a holiday on",
)
