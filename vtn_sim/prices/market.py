"""The prices of the simulated markets: the same for the same day, with a valley at noon."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

_CENT = Decimal("0.01")
_DAY = timedelta(days=1)


def market_days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    """The local days that a span touches."""
    day = start.astimezone(zone).date()
    while midnight(day, zone) < end:
        yield day
        day += _DAY


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Where a local day begins, UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def prices(
    day: date, zone: ZoneInfo, step: timedelta, base: float, swing: float
) -> tuple[tuple[datetime, Decimal], ...]:
    """(start, price per MWh) of every interval of a local day of 23, 24 or 25 hours."""
    at, end = midnight(day, zone), midnight(day + _DAY, zone)
    found = []
    while at < end:
        found.append((at, _price(at.astimezone(zone), day, base, swing)))
        at += step
    return tuple(found)


def _price(local: datetime, day: date, base: float, swing: float) -> Decimal:
    """Dear at 08:00 and 19:00, cheap at night and below everything at 13:00."""
    hour = local.hour + local.minute / 60
    peaks = math.exp(-(((hour - 8) / 2.5) ** 2)) + 1.3 * math.exp(-(((hour - 19) / 2.5) ** 2))
    valley = 1.2 * math.exp(-(((hour - 13) / 2.5) ** 2))
    drift = (day.toordinal() % 7 - 3) * 2.0
    return Decimal(base + drift + swing * (peaks - valley) / 1.3).quantize(_CENT)
