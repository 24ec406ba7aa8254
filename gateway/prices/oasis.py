"""Day-ahead prices of CAISO from OASIS: report PRC_LMP of market run DAM.

Source: Interface Specification for OASIS (version 5): SingleZip answers with one zipped file, CSV
for `resultformat=6`, XML otherwise and for every error.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, time
from zoneinfo import ZoneInfo

from contracts.time import Clock, Interval
from gateway.domain.price.merge import Publication
from gateway.prices.oasis_report import Asked, publication
from gateway.prices.settings import OasisSettings
from gateway.prices.web import PriceWeb


class OasisSource:
    """`gateway.ports.PriceSource` of one node."""

    def __init__(self, settings: OasisSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._web = PriceWeb(str(settings.url))

    @property
    def source_id(self) -> str:
        """Unique among the sources."""
        return self._settings.source_id

    @property
    def area(self) -> str:
        """The node."""
        return self._settings.node

    @property
    def zone(self) -> ZoneInfo:
        """Of the market's days."""
        return self._settings.time_zone

    @property
    def published_at(self) -> time:
        """When the next day's prices come out."""
        return self._settings.published_at

    async def fetch(self, window: Interval) -> Publication | None:
        """See the port. OASIS does not say when it published: as of when we asked."""
        now = self._clock.now()
        query = {
            "queryname": "PRC_LMP",
            "version": "12",
            "resultformat": "6",
            "market_run_id": "DAM",
            "node": self.area,
            "startdatetime": _minute(window.start),
            "enddatetime": _minute(window.end or window.start),
        }
        body = await self._web.get(query, now)
        asked = Asked(source_id=self.source_id, node=self.area, as_of=now)
        return await asyncio.to_thread(publication, body, asked, window)


def _minute(at: datetime) -> str:
    return f"{at:%Y%m%dT%H:%M}-0000"
