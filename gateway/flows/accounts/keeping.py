"""Reads what is over before anybody asks, so that an account of a month is there at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.time import Clock, Interval
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.price.market import market_day
from gateway.flows.accounts.reading import STEP, metered_month
from gateway.ports.accounts import SlotReader

EVERY = timedelta(hours=1)
FIRST = timedelta(minutes=5)
"""After a start: sites that waited for us come first."""
BACK = timedelta(days=32)
"""A billing month."""
_DAY = timedelta(days=1)
_log = structlog.get_logger(__name__)


class SlotKeeping:
    """Once an hour, one site after the other."""

    def __init__(
        self, reader: SlotReader, portfolio: Portfolio, sites: Collection[str], clock: Clock
    ) -> None:
        """`reader` keeps what it has read; `sites`: those that have a tariff or an intensity."""
        self._reader = reader
        self._portfolio = portfolio
        self._sites = sites
        self._clock = clock
        self._seen: set[str] = set()
        """Sites of which a whole month has been looked at since the start."""

    async def run(self) -> None:
        """Read until cancelled."""
        await self._clock.sleep(FIRST.total_seconds())
        while True:
            await self.sweep()
            await self._clock.sleep(EVERY.total_seconds())

    async def sweep(self) -> None:
        """Read what is over of every site: at first a month, then yesterday and today."""
        for site in self._portfolio.sites:
            if site.site_id not in self._sites:
                continue
            try:
                await metered_month(self._reader, site.site_id, self._window(site))
                self._seen.add(site.site_id)
            except TransientError as error:
                _log.warning("slots_not_kept", site=site.site_id, why=str(error))

    def _window(self, site: Site) -> Interval:
        now = self._clock.now()
        back = _DAY if site.site_id in self._seen else BACK
        start = _midnight(now - back, site)
        return Interval.lasting(start, (now - start) // STEP * STEP)


def _midnight(at: datetime, site: Site) -> datetime:
    return market_day(at.astimezone(site.time_zone).date(), site.time_zone).start
