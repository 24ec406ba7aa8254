"""The energy prices of a tariff file, in the form a site agent reads; all else in it is left out.

Demand charges, export credits and fixed charges are the site's business: they are no price per kWh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.days import EVERY_DAY, WEEKDAYS, WEEKENDS, Days, Holidays, faults, holiday
from contracts.time import Interval
from gateway.prices.settings import Currency, Zone

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "holiday")
_KINDS = {"all": EVERY_DAY, "weekdays": WEEKDAYS, "weekends": WEEKENDS}
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MonthDay = Annotated[str, Field(pattern=r"^(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class PriceFrom(_Part):
    """A price from a time of day on."""

    at: Annotated[str, Field(pattern=_CLOCK.pattern)]
    per_kwh: Annotated[Decimal, Field(ge=-100, le=100)]
    name: Annotated[str, Field(max_length=60)] = ""
    """Such as `on-peak`; empty: its schedule's."""

    @property
    def minute(self) -> int:
        """Of the day."""
        return 60 * int(self.at[:2]) + int(self.at[3:])


class Schedule(_Part):
    """Prices of some days."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    first: _MonthDay = "01-01"
    last: _MonthDay = "12-31"
    days: Literal["all", "weekdays", "weekends"] | tuple[str, ...] = "all"
    prices: Annotated[tuple[PriceFrom, ...], Field(min_length=1, max_length=48)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        minutes = [one.minute for one in self.prices]
        if minutes[0] != 0 or minutes != sorted(set(minutes)):
            raise ValueError(f"{self.name!r}: the first price is at 00:00, and times ascend")
        if not isinstance(self.days, str) and not set(self.days) <= set(_NAMES):
            raise ValueError(f"{self.name!r}: days are {', '.join(_NAMES)}")
        return self

    def held(self) -> Days:
        """On which days."""
        kinds = self.days
        numbers = _KINDS[kinds] if isinstance(kinds, str) else frozenset(map(_NAMES.index, kinds))
        return Days(first=_month_day(self.first), last=_month_day(self.last), kinds=numbers)


class TariffFile(_Part):
    """Currency, wall clock, and energy prices."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    currency: Currency
    time_zone: Zone
    energy: Annotated[tuple[Schedule, ...], Field(min_length=1, max_length=64)]
    holidays: tuple[str, ...] = ()
    sunday_to_monday: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wrong = faults(((one.name, one.held()) for one in self.energy), complete=True)
        if wrong:
            raise ValueError("; ".join(wrong))
        self.calendar()
        return self

    def calendar(self) -> Holidays:
        """The holidays."""
        rules = tuple(holiday(one) for one in self.holidays)
        return Holidays(rules=rules, sunday_to_monday=self.sunday_to_monday)

    def prices(self, window: Interval) -> Iterator[tuple[Interval, Decimal]]:
        """Price after price inside a closed window."""
        for interval, price in self.periods(self.energy, window):
            yield interval, price.per_kwh

    def periods(
        self, schedules: Sequence[Schedule], window: Interval
    ) -> Iterator[tuple[Interval, PriceFrom]]:
        """What holds when inside a closed window; a price without a name has its schedule's."""
        calendar = self.calendar()
        for day in self.days_of(window):
            kind = calendar.kind(day)
            schedule = next((one for one in schedules if one.held().holds(day, kind)), None)
            if schedule is None:
                continue
            for interval, price in _on(schedule, day, self.time_zone):
                part = interval.intersection(window)
                if part is not None:
                    name = price.name or schedule.name
                    yield part, price.model_copy(update={"name": name})

    def days_of(self, window: Interval) -> Iterator[date]:
        """The local days that a closed window touches."""
        day, end = window.start.astimezone(self.time_zone).date(), window.end or window.start
        while midnight(day, self.time_zone) < end:
            yield day
            day += _DAY


def _on(schedule: Schedule, day: date, zone: ZoneInfo) -> Iterator[tuple[Interval, PriceFrom]]:
    """The prices of one day, for as long as the wall clock shows their hours.

    So an hour that comes twice has its price twice, and one that is left out has none.
    """
    begins, ends = midnight(day, zone), midnight(day + _DAY, zone)
    at = begins
    current = schedule.prices[0]
    for edge in _edges(schedule, begins, ends, zone):
        local = edge.astimezone(zone)
        minute = 60 * local.hour + local.minute
        holds = next(one for one in reversed(schedule.prices) if one.minute <= minute)
        if (holds.per_kwh, holds.name) != (current.per_kwh, current.name) and edge > at:
            yield Interval(start=at, end=edge), current
            at = edge
        current = holds
    yield Interval(start=at, end=ends), current


def _edges(
    schedule: Schedule, begins: datetime, ends: datetime, zone: ZoneInfo
) -> Iterator[datetime]:
    """Where a price may begin: minute by minute on a day on which clocks are set."""
    if ends - begins == _DAY:
        yield from (begins + one.minute * _MINUTE for one in schedule.prices)
        return
    for minute in range(round((ends - begins) / _MINUTE)):
        yield begins + minute * _MINUTE


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Where a local day begins, UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)
