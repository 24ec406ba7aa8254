"""All of a tariff file that a bill needs: `gateway.ports.intensity.TermsSource`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from contracts.config import load
from contracts.days import Days
from contracts.time import Interval
from gateway.domain.accounts.market import Dynamic, in_place, market_periods
from gateway.domain.accounts.terms import DemandTerm, PricePeriod, Terms
from gateway.domain.price.timeline import PriceTimeline
from gateway.prices.tariff_file import PriceFrom, Schedule, TariffFile, midnight

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_VERSION_CHARS = 12
_Amount = Annotated[Decimal, Field(ge=0, le=10_000)]
_Clock = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
_FLAT = Schedule(name="-", prices=(PriceFrom(at="00:00", per_kwh=Decimal(0)),))


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class DemandCharge(_Part):
    """A price for the highest average power within some hours."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    per_kw: _Amount
    first: str = _FLAT.first
    last: str = _FLAT.last
    days: Literal["all", "weekdays", "weekends"] | tuple[str, ...] = "all"
    from_: Annotated[_Clock, Field(alias="from")] = "00:00"
    to: _Clock = "24:00"

    def held(self) -> Days:
        """On which days."""
        return _FLAT.model_copy(
            update={"first": self.first, "last": self.last, "days": self.days}
        ).held()


class Export(_Part):
    """What is paid for energy fed in."""

    per_kwh: Decimal | None = None
    share_of_import: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    schedules: tuple[Schedule, ...] = ()


class DynamicPart(_Part):
    """How a market's price becomes the site's."""

    factor: Annotated[Decimal, Field(ge=0, le=10)] = Decimal(1)
    adder_per_kwh: Annotated[Decimal, Field(ge=-100, le=100)] = Decimal(0)

    def dynamic(self) -> Dynamic:
        """In the domain's words."""
        return Dynamic(factor=self.factor, adder_per_kwh=self.adder_per_kwh)


class BillFile(TariffFile):
    """A tariff file with its demand charges, credit for export and fixed charge."""

    source: Annotated[str, Field(max_length=300)] = ""
    demand: Annotated[tuple[DemandCharge, ...], Field(max_length=16)] = ()
    demand_interval_min: Literal[15, 30, 60] = 15
    rolling: bool = False
    export: Export = Export()
    dynamic: DynamicPart | None = None
    billing_day: Annotated[int, Field(ge=1, le=28)] = 1
    customer_per_day: _Amount = Decimal(0)

    def terms(self, window: Interval, market: Sequence[PriceTimeline] | None = None) -> Terms:
        """What it says over a closed window.

        `market`: what the site pays by its price sources, by precedence; None: it follows none.
        """
        own = tuple(_periods(self.periods(self.energy, window)))
        used = [one for one in market or () if one.currency == self.currency]
        imports = own if self.dynamic is None else _by_market(own, used, self.dynamic.dynamic())
        days = sum(1 for _ in self.days_of(window))
        return Terms(
            tariff=self.name,
            source=self.source,
            currency=self.currency,
            imports=imports,
            exports=tuple(self._exports(window, imports)),
            demand=tuple(self._demand(one, window) for one in self.demand),
            demand_interval=timedelta(minutes=self.demand_interval_min),
            rolling=self.rolling,
            fixed=self.customer_per_day * days,
            follows_market=self.dynamic is not None,
            version=self._version(),
            remarks=() if self.dynamic is None else tuple(_market_remarks(self.currency, market)),
        )

    def _version(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:_VERSION_CHARS]

    def _exports(self, window: Interval, imports: tuple[PricePeriod, ...]) -> Iterator[PricePeriod]:
        export = self.export
        if export.schedules:
            yield from _periods(self.periods(export.schedules, window))
        elif export.share_of_import is not None:
            for one in imports:
                price = one.per_kwh * export.share_of_import
                yield PricePeriod(interval=one.interval, per_kwh=price, name=one.name)
        elif export.per_kwh:
            yield PricePeriod(interval=window, per_kwh=export.per_kwh, name="fed in")

    def _demand(self, charge: DemandCharge, window: Interval) -> DemandTerm:
        calendar, held = self.calendar(), charge.held()
        hours: list[Interval] = []
        for day in self.days_of(window):
            if held.holds(day, calendar.kind(day)):
                spans = _hours(charge, day, self.time_zone)
                hours += [part for one in spans if (part := one.intersection(window)) is not None]
        return DemandTerm(name=charge.name, per_kw=charge.per_kw, hours=tuple(_joined(hours)))


_NO_MARKET = (
    "the tariff follows a market, but the gateway has no prices for this site (prices.follow in"
    " the settings): the tariff's own prices are used"
)


def _by_market(
    own: tuple[PricePeriod, ...], market: Sequence[PriceTimeline], dynamic: Dynamic
) -> tuple[PricePeriod, ...]:
    """The first source that names a price at an instant holds, the tariff itself comes last."""
    found: list[PricePeriod] = []
    for timeline in market:
        found = in_place(list(market_periods(timeline, dynamic)), found)
    return tuple(in_place(own, found))


def _market_remarks(currency: str, market: Sequence[PriceTimeline] | None) -> Iterator[str]:
    if market is None:
        yield _NO_MARKET
        return
    for other in sorted({one.currency for one in market} - {currency}):
        yield f"prices in {other} are not used: the tariff is in {currency}"


MarketPrices = Callable[[Interval], Awaitable[Sequence[PriceTimeline] | None]]


class FileTerms:
    """A tariff file, read again for every month, so that a new one needs no restart."""

    def __init__(self, file: Path, market: MarketPrices | None = None) -> None:
        """Read the file. `market`: what a site pays by its price sources, for a dynamic tariff.

        Raises:
            ConfigError: it cannot be read, or makes no sense.
        """
        self._file = file
        self._market = market
        self._billing_day = load(file, BillFile).billing_day

    @property
    def billing_day(self) -> int:
        """See the port."""
        return self._billing_day

    async def terms(self, window: Interval) -> Terms:
        """See the port."""
        file = await asyncio.to_thread(load, self._file, BillFile)
        follows = self._market is not None and file.dynamic is not None
        market = await self._market(window) if follows and self._market is not None else None
        return await asyncio.to_thread(file.terms, window, market)


def _periods(found: Iterator[tuple[Interval, PriceFrom]]) -> Iterator[PricePeriod]:
    for interval, price in found:
        yield PricePeriod(interval=interval, per_kwh=price.per_kwh, name=price.name)


def _hours(charge: DemandCharge, day: date, zone: ZoneInfo) -> Iterator[Interval]:
    """The hours of one day, by the wall clock; those over midnight are both ends of the day."""
    begins, ends = midnight(day, zone), midnight(day + _DAY, zone)
    if ends - begins != _DAY:
        yield from _joined(list(_minutes(charge, begins, ends, zone)))
        return
    start, end = _instant(charge.from_, day, zone), _instant(charge.to, day, zone)
    spans = [(start, end)] if charge.from_ < charge.to else [(begins, end), (start, ends)]
    yield from (Interval(start=one, end=other) for one, other in spans if one < other)


def _minutes(
    charge: DemandCharge, begins: datetime, ends: datetime, zone: ZoneInfo
) -> Iterator[Interval]:
    """Of a day on which clocks are set: each minute whose time on the wall lies in the hours.

    So an hour that comes twice counts twice, and one that is left out does not count.
    """
    at = begins
    while at < ends:
        shown = f"{at.astimezone(zone):%H:%M}"
        after, before = charge.from_ <= shown, shown < charge.to
        if (after and before) if charge.from_ < charge.to else (after or before):
            yield Interval.lasting(at, _MINUTE)
        at += _MINUTE


def _instant(clock: str, day: date, zone: ZoneInfo) -> datetime:
    hour, minute = int(clock[:2]), int(clock[3:])
    if hour == 24:  # noqa: PLR2004 (midnight at the day's end)
        return midnight(day + _DAY, zone)
    return datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)


def _joined(hours: list[Interval]) -> Iterator[Interval]:
    """Intervals that touch are one."""
    current: Interval | None = None
    for one in hours:
        if current is not None and current.end == one.start:
            current = Interval(start=current.start, end=one.end)
            continue
        if current is not None:
            yield current
        current = one
    if current is not None:
        yield current
