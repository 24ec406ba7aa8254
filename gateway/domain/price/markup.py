"""From a market's price to what a site pays for one more kWh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.domain.price.timeline import PriceTimeline

_PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """`(market + adder_per_kwh) x (1 + tax_pct / 100)`.

    Tax is on the sum, as value added tax is, and so on a negative one too.
    """

    adder_per_kwh: Decimal = Decimal(0)
    """Grid fees, levies and margin, in the currency of the prices."""
    tax_pct: Decimal = Decimal(0)

    def paid(self, market: Decimal) -> Decimal:
        """What a site pays per kWh."""
        return (market + self.adder_per_kwh) * (1 + self.tax_pct / _PERCENT)

    def on(self, prices: PriceTimeline) -> PriceTimeline:
        """Every price with the mark-up on it."""
        steps = (replace(one, per_kwh=self.paid(one.per_kwh)) for one in prices)
        return replace(prices, steps=tuple(steps))
