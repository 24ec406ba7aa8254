"""Settings of a tariff: a YAML file, or part of the site's settings.

`site_agent.config.tariff_files` reads files, and those that come with the agent.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from contracts.config import Settings
from contracts.days import (
    EVERY_DAY,
    WEEKDAYS,
    WEEKENDS,
    Days,
    Holidays,
    MonthDay,
    holiday,
)
from site_agent.config.fleet import Zone
from site_agent.domain.tariff.tariff import (
    DemandCharge,
    Dynamic,
    EnergySchedule,
    Export,
    PriceStep,
    Tariff,
)
from site_agent.domain.tariff.wall_clock import MINUTES

_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_MONTH_DAY = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})")
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "holiday")


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("put dates and clock times in quotes: YAML reads 22:00 as 1320")  # noqa: TRY004 (pydantic wants ValueError)
    return value


def _clock(value: str) -> str:
    if _CLOCK.fullmatch(value) is None or _minute(value) > MINUTES:
        raise ValueError(f"{value!r} is no time of day from 00:00 to 24:00")
    return value


def _month_day(value: str) -> str:
    found = _MONTH_DAY.fullmatch(value)
    if found is None:
        raise ValueError(f"{value!r} is no day: month-day such as 12-25")
    month, day = int(found[2]), int(found[3])
    if not 1 <= month <= len(_MONTH_DAYS) or not 1 <= day <= _MONTH_DAYS[month - 1]:
        raise ValueError(f"{value!r} is no day of a year")
    return value


def _minute(value: str) -> int:
    return 60 * int(value[:2]) + int(value[3:])


def _day(value: str) -> MonthDay:
    found = _MONTH_DAY.fullmatch(value)
    return (int(found[2]), int(found[3])) if found else (1, 1)


def _known_holiday(value: str) -> str:
    holiday(value)
    return value


ClockTime = Annotated[str, BeforeValidator(_text), AfterValidator(_clock)]
DayOfYear = Annotated[str, BeforeValidator(_text), AfterValidator(_month_day)]
HolidayText = Annotated[str, BeforeValidator(_text), AfterValidator(_known_holiday)]
Price = Annotated[float, Field(ge=-100, le=100)]
"""Per kWh, in the tariff's currency."""
Title = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DayKind = Literal[Weekday, "holiday"]
DayKinds = Literal["all", "weekdays", "weekends"] | tuple[DayKind, ...]
_KINDS = {"all": EVERY_DAY, "weekdays": WEEKDAYS, "weekends": WEEKENDS}


class DaysSettings(Settings):
    """Days on which something holds."""

    first: DayOfYear = "01-01"
    """Month and day from which it holds, such as `"06-01"`."""
    last: DayOfYear = "12-31"
    """Last day of it, included; before `first`: over the end of the year."""
    days: DayKinds = "all"
    """`all`, `weekdays` (no holidays), `weekends` (and holidays), or a list of days such as
    `[saturday, holiday]`."""

    def held(self) -> Days:
        """The same in the domain's words."""
        kinds = self.days
        numbers = (
            _KINDS[kinds]
            if isinstance(kinds, str)
            else frozenset(_NAMES.index(kind) for kind in kinds)
        )
        return Days(first=_day(self.first), last=_day(self.last), kinds=numbers)


class PriceSettings(Settings):
    """A price from a time of day on."""

    at: ClockTime
    per_kwh: Price
    name: Title | Literal[""] = ""
    """Such as `on-peak`: the bill sums up by it."""


class EnergySettings(DaysSettings):
    """Energy prices of some days."""

    name: Title
    prices: Annotated[tuple[PriceSettings, ...], Field(min_length=1, max_length=48)]
    """The first at `"00:00"`, in order."""

    @model_validator(mode="after")
    def _in_order(self) -> EnergySettings:
        minutes = [_minute(one.at) for one in self.prices]
        if minutes[0] != 0:
            raise ValueError(f"{self.name!r}: the first price is at 00:00")
        if any(later <= earlier for earlier, later in pairwise(minutes)):
            raise ValueError(f"{self.name!r}: times of prices ascend")
        if minutes[-1] >= MINUTES:
            raise ValueError(f"{self.name!r}: no price begins at 24:00")
        return self

    def schedule(self) -> EnergySchedule:
        """The same in the domain's words."""
        steps = tuple(
            PriceStep(minute=_minute(one.at), per_kwh=one.per_kwh, name=one.name)
            for one in self.prices
        )
        return EnergySchedule(name=self.name, days=self.held(), steps=steps)


class DemandSettings(DaysSettings):
    """A price for a month's highest average power."""

    name: Title
    per_kw: Annotated[float, Field(ge=0, le=10_000)]
    """For each kW of it and billing month."""
    from_: Annotated[ClockTime, Field(alias="from")] = "00:00"
    """Hours in which it counts: from here ..."""
    to: ClockTime = "24:00"
    """... to here; before `from`: over midnight."""

    def charge(self) -> DemandCharge:
        """The same in the domain's words."""
        return DemandCharge(
            name=self.name,
            per_kw=self.per_kw,
            days=self.held(),
            from_minute=_minute(self.from_),
            to_minute=_minute(self.to),
        )


class ExportSettings(Settings):
    """What is paid for energy fed in; one of these."""

    per_kwh: Price | None = None
    share_of_import: Annotated[float, Field(ge=0, le=1)] | None = None
    """Of the price of energy drawn at the same time; 1 is net metering."""
    schedules: Annotated[tuple[EnergySettings, ...], Field(max_length=64)] = ()

    @model_validator(mode="after")
    def _one(self) -> ExportSettings:
        given = (self.per_kwh is not None, self.share_of_import is not None, bool(self.schedules))
        if sum(given) > 1:
            raise ValueError("per_kwh, share_of_import or schedules: only one of them")
        return self

    def export(self) -> Export:
        """The same in the domain's words."""
        return Export(
            schedules=tuple(one.schedule() for one in self.schedules),
            share_of_import=self.share_of_import,
            per_kwh=self.per_kwh or 0.0,
        )


class DynamicSettings(Settings):
    """How a market's price becomes yours, where the gateway sends market prices."""

    factor: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Such as 1.19 for a tax of 19 %."""
    adder_per_kwh: Price = 0.0
    """Network, levies and margin."""


class TariffSettings(Settings):
    """What electricity costs."""

    name: Title
    source: Annotated[str, Field(max_length=300)] = ""
    """Where the prices are from, and since when they hold."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """ISO 4217, such as EUR."""
    time_zone: Zone
    """On whose clock its hours are."""
    energy: Annotated[tuple[EnergySettings, ...], Field(min_length=1, max_length=64)]
    """Exactly one of them holds on every day of the year."""
    demand: Annotated[tuple[DemandSettings, ...], Field(max_length=16)] = ()
    demand_interval_min: Literal[15, 30, 60] = 15
    """Demand is an average over so long."""
    rolling: bool = False
    """True: over any such time; false: over those that the clock marks."""
    export: ExportSettings = ExportSettings()
    dynamic: DynamicSettings | None = None
    """Where a market price is known, it replaces the energy prices."""
    holidays: Annotated[tuple[HolidayText, ...], Field(max_length=60)] = ()
    """`"12-25"` (every year), `"2026-06-04"`, `easter-2` (Good Friday), or `11 thu 4` (the fourth
    Thursday of November)."""
    sunday_to_monday: bool = False
    """A holiday on a Sunday counts on the Monday after it."""
    billing_day: Annotated[int, Field(ge=1, le=28)] = 1
    """Day of the month on which a billing month begins."""
    customer_per_day: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    """The fixed charge."""

    @model_validator(mode="after")
    def _complete(self) -> TariffSettings:
        for names in ([one.name for one in self.energy], [one.name for one in self.demand]):
            if len(set(names)) < len(names):
                raise ValueError("two schedules or charges have the same name")
        self.tariff()
        return self

    def tariff(self) -> Tariff:
        """The same in the domain's words."""
        return Tariff(
            name=self.name,
            currency=self.currency,
            zone=ZoneInfo(self.time_zone),
            energy=tuple(one.schedule() for one in self.energy),
            demand=tuple(one.charge() for one in self.demand),
            demand_interval=timedelta(minutes=self.demand_interval_min),
            rolling=self.rolling,
            export=self.export.export(),
            dynamic=None if self.dynamic is None else _dynamic(self.dynamic),
            holidays=Holidays(
                rules=tuple(holiday(one) for one in self.holidays),
                sunday_to_monday=self.sunday_to_monday,
            ),
            billing_day=self.billing_day,
            customer_per_day=self.customer_per_day,
        )


def _dynamic(one: DynamicSettings) -> Dynamic:
    return Dynamic(factor=one.factor, adder_per_kwh=one.adder_per_kwh)
