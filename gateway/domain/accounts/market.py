"""A market's prices in place of a tariff's own, and which ones they were."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.accounts.terms import PricePeriod
from gateway.domain.price.timeline import PriceTimeline, Quality

_VERSION_CHARS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """How a market's price becomes the site's: `factor` x market + `adder_per_kwh`.

    As the site's agent plans by it (the tariff file's `dynamic`).
    """

    factor: Decimal = Decimal(1)
    adder_per_kwh: Decimal = Decimal(0)

    def paid(self, market: Decimal) -> Decimal:
        """Per kWh."""
        return self.factor * market + self.adder_per_kwh


def market_periods(prices: PriceTimeline, dynamic: Dynamic) -> Iterator[PricePeriod]:
    """What the market's prices make the site pay, each with who said it and when.

    A price that its source withdrew, or called a forecast, has a line of its own.
    """
    for one in prices:
        firm = one.quality is Quality.PUBLISHED
        yield PricePeriod(
            interval=one.interval,
            per_kwh=dynamic.paid(one.per_kwh),
            name="market" if firm else f"market, {one.quality}",
            source=f"price source {one.source_id}, {prices.area}",
            as_of=one.as_of,
        )


def in_place(schedule: Sequence[PricePeriod], market: Sequence[PricePeriod]) -> list[PricePeriod]:
    """The market's prices, and the tariff's own where it has none; both in order, disjoint."""
    known = [(one.interval.start, one.interval.end or one.interval.start) for one in market]
    ends = [end for _, end in known]
    found = [*market]
    for own in schedule:
        first = bisect_right(ends, own.interval.start)
        found += (replace(own, interval=gap) for gap in _gaps(own.interval, known[first:]))
    return sorted(found, key=lambda one: one.interval.start)


def _gaps(window: Interval, known: Iterable[tuple[datetime, datetime]]) -> Iterator[Interval]:
    """Where nothing of what is known, in order, lies in a closed window."""
    at, end = window.start, window.end or window.start
    for start, until in known:
        if start >= end:
            break
        if start > at:
            yield Interval(start=at, end=start)
        at = max(at, until)
    if at < end:
        yield Interval(start=at, end=end)


def version_of(periods: Iterable[PricePeriod]) -> str:
    """Short, of the prices themselves and when each was said: others have another."""
    digest = hashlib.sha256()
    for one in periods:
        told = "" if one.as_of is None else one.as_of.isoformat()
        digest.update(f"{one.interval.start} {one.interval.end} {one.per_kwh} {told}\n".encode())
    return digest.hexdigest()[:_VERSION_CHARS]
