"""Market prices from the gateway: kept over a restart, the newest count, until their time ends."""

from __future__ import annotations

from datetime import datetime

import structlog

from contracts.errors import ProtocolError
from contracts.series import StepSeries
from contracts.site_link.codec import decode, encode
from contracts.site_link.prices import Prices, PricesAck
from contracts.time import Clock, Interval
from site_agent.domain.tariff.tariff import Tariff
from site_agent.ports import KeyValues, Wake

log = structlog.get_logger(__name__)

PRICES_KEY = "orders/prices"


class MarketPrices:
    """`site_agent.ports.PriceHandler`, and what the planner asks. Call `load` first."""

    def __init__(self, tariff: Tariff | None, memory: KeyValues, clock: Clock) -> None:
        """Only a site whose tariff says how a market's price becomes its own takes any."""
        self._tariff = tariff
        self._memory = memory
        self._clock = clock
        self._wake: Wake = lambda: None
        self._held: Prices | None = None
        self._series = StepSeries()

    async def load(self) -> None:
        """Take up the prices from before a restart."""
        kept = await self._memory.get(PRICES_KEY)
        try:
            message = decode(kept.encode()) if kept else None
            if isinstance(message, Prices) and not self._against(message):
                self._hold(message)
        except (ProtocolError, ValueError) as error:
            log.warning("the prices from before cannot be read", why=str(error))

    def on_change(self, wake: Wake) -> None:
        """Call `wake` when other prices hold than before."""
        self._wake = wake

    def prices_id(self) -> str | None:
        """The prices held, empty: none; None: this site takes no prices."""
        if self._tariff is None or self._tariff.dynamic is None:
            return None
        return self._held.prices_id if self._held is not None and self._fresh() else ""

    async def receive(self, prices: Prices) -> PricesAck:
        """Store them before answering, or say why not.

        Raises:
            TransientError: they could not be stored now.
        """
        reason = self._against(prices)
        if reason:
            log.warning("prices refused", prices=prices.prices_id, why=reason)
            return PricesAck(prices_id=prices.prices_id, stored=False, reason=reason)
        if prices != self._held:
            await self._memory.put(PRICES_KEY, encode(prices).decode())
            self._hold(prices)
            log.info("prices stored", prices=prices.prices_id, until=prices.expires_at.isoformat())
            self._wake()
        return PricesAck(prices_id=prices.prices_id, stored=True)

    def series(self) -> StepSeries | None:
        """Prices per kWh while they hold; None: the tariff's own hold."""
        return self._series if self._fresh() else None

    def id_of(self, series: StepSeries | None) -> str:
        """Which prices this is, as `series` gave it; empty: none that are held."""
        return self._held.prices_id if self._held is not None and series is self._series else ""

    def _fresh(self) -> bool:
        return (
            self._held is not None
            and bool(self._held.steps)
            and self._clock.now() < self._held.expires_at
        )

    def _hold(self, prices: Prices) -> None:
        self._held, self._series = prices, _series(prices)

    def _against(self, prices: Prices) -> str:
        """Why these are not taken; empty: they are."""
        tariff, held = self._tariff, self._held
        if tariff is None or tariff.dynamic is None:
            return "this site's tariff has no market prices: give it `dynamic`"
        if prices.steps and prices.currency != tariff.currency:
            return f"prices in {prices.currency}, but the tariff is in {tariff.currency}"
        if held is not None and self._fresh() and prices.issued_at < held.issued_at:
            return f"newer ones are held, issued at {_minute(held.issued_at)}"
        try:
            _series(prices)
        except ValueError as error:
            return f"the prices contradict themselves: {error}"
        return ""


def _series(prices: Prices) -> StepSeries:
    return StepSeries.of(
        (Interval(start=one.start, end=one.end), one.per_kwh) for one in prices.steps
    )


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
