"""Market days, and what a price in a market's unit is per kWh."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from contracts.time import Interval

KWH_IN: Mapping[str, int] = {"MWH": 1000, "KWH": 1}
"""Of the units markets quote in."""


def per_kwh(amount: Decimal, unit: str) -> Decimal:
    """A price of so much per `unit` (`MWh` or `kWh`), exactly, per kWh.

    Raises:
        ValueError: another unit, or no finite price.
    """
    size = KWH_IN.get(unit.upper())
    if size is None:
        raise ValueError(f"prices per {unit!r} are not known: only per MWh and per kWh")
    if not amount.is_finite():
        raise ValueError(f"{amount} is no price")
    return amount / size


def market_day(day: date, zone: ZoneInfo) -> Interval:
    """A local day, of 23, 24 or 25 hours."""
    first, last = (
        datetime.combine(one, time(), tzinfo=zone).astimezone(UTC)
        for one in (day, day + timedelta(days=1))
    )
    return Interval(start=first, end=last)


def days_known(now: datetime, zone: ZoneInfo, published_at: time) -> tuple[Interval, ...]:
    """The market days whose prices should be known: today, and tomorrow once it is published.

    `published_at`: on the market's wall clock, when the prices of the next day come out.
    """
    here = now.astimezone(zone)
    days = (market_day(here.date(), zone), market_day(here.date() + timedelta(days=1), zone))
    return days if here.time() >= published_at else days[:1]


def next_publication(now: datetime, zone: ZoneInfo, published_at: time) -> datetime:
    """The next instant, after now, at which `days_known` becomes more or other days."""
    here = now.astimezone(zone)
    moments = [
        datetime.combine(here.date() + timedelta(days=ahead), at, tzinfo=zone).astimezone(UTC)
        for ahead in (0, 1)
        for at in (time(), published_at)
    ]
    return min(at for at in moments if at > now)
