"""The local period that a day belongs to, for counting."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta

from contracts.days import MonthDay
from gateway.domain.program.quota import Per
from gateway.domain.program.rules import Rules
from gateway.domain.program.season import on

_DAY = timedelta(days=1)


def period_of(per: Per, day: date, rules: Rules) -> tuple[date, date] | None:
    """First and last date of the period; None: a season is asked for and the day lies in none."""
    match per:
        case Per.DAY:
            return day, day
        case Per.WEEK:
            monday = day - day.weekday() * _DAY
            return monday, monday + 6 * _DAY
        case Per.MONTH:
            last = monthrange(day.year, day.month)[1]
            return day.replace(day=1), day.replace(day=last)
        case Per.SEASON:
            return next((one.around(day) for one in rules.seasons if one.holds(day)), None)
        case Per.YEAR:
            return _between([rules.year_starts], day)
        case Per.TERM:
            return _between(rules.terms, day)


def _between(starts: Sequence[MonthDay], day: date) -> tuple[date, date]:
    """From the last of these days of the year to the day before the next."""
    years = (day.year - 1, day.year, day.year + 1)
    days = sorted(on(start, year) for year in years for start in starts)
    first = max(one for one in days if one <= day)
    return first, min(one for one in days if one > day) - _DAY
