"""What a tariff says for one month: prices by the interval, demand charges, the fixed charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from contracts.time import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePeriod:
    """One price over a closed interval."""

    interval: Interval
    per_kwh: Decimal
    name: str
    """Such as `on-peak`: lines of a bill sum up by it."""
    source: str = ""
    """Who named a market's price; empty: the tariff."""
    as_of: datetime | None = None
    """When it was said, of a market's price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandTerm:
    """A price for the highest average power within some hours."""

    name: str
    per_kw: Decimal
    hours: tuple[Interval, ...]
    """When it counts, in order, disjoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A tariff over one month; prices are of its currency, before any tax it does not name."""

    tariff: str
    source: str
    currency: str
    """ISO 4217."""
    version: str = ""
    """Of what the tariff says: another one has another."""
    imports: tuple[PricePeriod, ...]
    """In order, disjoint; time without a price has none."""
    follows_market: bool = False
    """A market's price replaces the tariff's own, where one is known."""
    exports: tuple[PricePeriod, ...] = ()
    demand: tuple[DemandTerm, ...] = ()
    demand_interval: timedelta = timedelta(minutes=15)
    rolling: bool = False
    """True: demand is averaged over any such time; False: over those the clock marks."""
    fixed: Decimal = Decimal(0)
    """For the whole month."""
    remarks: tuple[str, ...] = ()
    """What of the tariff is not applied, in words."""
