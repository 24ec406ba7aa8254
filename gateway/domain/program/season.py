"""When in the year and on which days a program may call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from contracts.days import EVERY_DAY, HOLIDAY, WEEKDAYS, WEEKENDS, Days, Holidays, MonthDay
from gateway.domain.program.source import Source
from gateway.domain.program.wall import checked_month_day, month_day

_NEW_YEAR: MonthDay = (1, 1)
_LEAP_DAY: MonthDay = (2, 29)


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """From `first` to `last`, both included; it may cross New Year."""

    name: str
    first: MonthDay = _NEW_YEAR
    last: MonthDay = (12, 31)
    source: Source | None = None

    def __post_init__(self) -> None:
        checked_month_day(self.first, "first")
        checked_month_day(self.last, "last")

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return Days(first=self.first, last=self.last).holds(day, day.weekday())

    def around(self, day: date) -> tuple[date, date]:
        """First and last date of the season that a day of it lies in."""
        first = on(self.first, day.year)
        if first > day:
            first = on(self.first, day.year - 1)
        last = on(self.last, first.year)
        return first, last if last >= first else on(self.last, first.year + 1)

    @property
    def words(self) -> str:
        """`summer: 1 May to 30 Sep`."""
        return f"{self.name}: {month_day(self.first)} to {month_day(self.last)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClass:
    """Kinds of days on which the program may call.

    Its calendar of holidays is its own: days that count as off in baselines are another matter.
    """

    kinds: frozenset[int] = EVERY_DAY
    """0 Monday to 6 Sunday, 7 a holiday (`contracts.days`)."""
    holidays: Holidays = field(default_factory=Holidays)
    calendar: str = ""
    """Name of the calendar, for people."""
    source: Source | None = None

    def kind(self, day: date) -> int:
        """The kind of a day by this calendar."""
        return self.holidays.kind(day)

    def holds(self, day: date) -> bool:
        """Whether the program may call on a day."""
        return self.kind(day) in self.kinds

    def business_days_before(self, start: date, count: int) -> date:
        """The day that lies this many business days before another."""
        day = start
        while count > 0:
            day = date.fromordinal(day.toordinal() - 1)
            count -= self.kind(day) in WEEKDAYS
        return day

    @property
    def words(self) -> str:
        """`weekdays that are no holidays (calendar: New York)`."""
        known = {EVERY_DAY: "any day", WEEKDAYS: "weekdays that are no holidays"}
        known |= {WEEKDAYS | {HOLIDAY}: "weekdays, holidays too", WEEKENDS: "weekends and holidays"}
        named = known.get(self.kinds) or ", ".join(_KINDS[kind] for kind in sorted(self.kinds))
        return named + (f" (calendar: {self.calendar})" if self.calendar else "")


def on(value: MonthDay, year: int) -> date:
    """A day of a year; 29 Feb is 28 Feb where there is none."""
    try:
        return date(year, *value)
    except ValueError:
        if value != _LEAP_DAY:
            raise
        return date(year, 2, 28)


_KINDS = (
    *("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"),
    "holidays",
)
