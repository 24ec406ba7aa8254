"""Prices for tests: hours from midnight UTC of one day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.price.merge import Publication
from gateway.domain.price.timeline import PriceStep, PriceTimeline, Quality

T0 = datetime(2026, 11, 27, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours(first: float, last: float) -> Interval:
    return Interval(start=T0 + first * HOUR, end=T0 + last * HOUR)


def step(
    first: float,
    last: float,
    per_kwh: str,
    *,
    source_id: str = "nl",
    as_of: datetime = T0,
    quality: Quality = Quality.PUBLISHED,
) -> PriceStep:
    return PriceStep(
        interval=hours(first, last),
        per_kwh=Decimal(per_kwh),
        source_id=source_id,
        as_of=as_of,
        quality=quality,
    )


def timeline(*steps: PriceStep, area: str = "NL", currency: str = "EUR") -> PriceTimeline:
    return PriceTimeline.of(area, currency, steps)


def publication(window: Interval, *steps: PriceStep) -> Publication:
    return Publication(window=window, prices=timeline(*steps))
