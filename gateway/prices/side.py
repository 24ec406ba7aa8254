"""The whole of prices in one gateway, put together from its settings."""

from __future__ import annotations

from collections.abc import Coroutine

from contracts.time import Clock
from gateway.flows.prices.desk import PriceDesk
from gateway.flows.prices.past import PastPrices
from gateway.flows.prices.sites import Follow, SitePrices
from gateway.flows.prices.watch import PriceWatch
from gateway.ports import Ledger, PriceMemory, SiteLink
from gateway.ports.prices import PriceHistory
from gateway.prices.build import price_source
from gateway.prices.settings import PriceSettings


class PriceSide:
    """Sources, sites, and what may be asked about them. Call `restore` before anything else."""

    def __init__(
        self,
        settings: PriceSettings,
        memory: PriceMemory,
        ledger: Ledger,
        link: SiteLink,
        clock: Clock,
        history: PriceHistory,
    ) -> None:
        """Make the sources.

        Raises:
            ConfigError: a tariff file cannot be read.
        """
        sources = [price_source(one, ledger, clock) for one in settings.sources]
        follows = [
            Follow(site_id=site_id, sources=one.sources, markup=one.markup())
            for one in settings.follow
            for site_id in one.sites
        ]
        self._watch = PriceWatch(sources, memory, clock, settings.poll)
        self.sites = SitePrices(follows, self._watch, link, ledger, clock)
        self.desk = PriceDesk(self._watch, self.sites, ledger, clock)
        self.past = PastPrices(follows, history)

    async def restore(self) -> None:
        """Take up the prices from before a restart."""
        await self._watch.restore()

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What runs beside everything else."""
        return [self._watch.run(), self.sites.run()]
