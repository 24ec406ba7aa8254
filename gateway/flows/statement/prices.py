"""Keeps the market's prices over each event before their source forgets them.

Settlement is weeks after an event and prices are kept for days: what held over an event is told as
a determinant, with its source. A later word of the source on the same hours is another one; what a
person told is never replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from contracts.errors import GridyardError
from contracts.time import Clock
from gateway.domain.event import Opt
from gateway.domain.price.timeline import PriceTimeline, Quality
from gateway.domain.settle.determinant import Determinant, What, newest
from gateway.flows.statement.statements import Statements
from gateway.ports import Ledger, StoredEvent

_log = structlog.get_logger(__name__)
_KEPT_BY_SOURCES = timedelta(days=8)
WHO = "gateway: prices of a source"


class PriceCapture:
    """Call it as often as one likes."""

    def __init__(
        self,
        sources: Mapping[str, str],
        prices: Callable[[str], PriceTimeline | None],
        statements: Statements,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        """`sources`: by program the id of its source; `prices`: what is known of a source."""
        self._sources = sources
        self._prices = prices
        self._statements = statements
        self._ledger = ledger
        self._clock = clock

    async def __call__(self) -> None:
        """Keep what is known over the events that have ended in the last days."""
        if not self._sources:
            return
        now = self._clock.now()
        for stored in await self._ledger.events(ending_after=now - _KEPT_BY_SOURCES):
            event = stored.event
            source = self._sources.get(event.program_id)
            over = event.window.end is not None and event.window.end <= now
            if source is None or not over or event.cancelled or stored.decision.opt is not Opt.IN:
                continue
            try:
                await self._keep(stored, source)
            except GridyardError as error:
                _log.warning("prices_not_kept", event_key=event.key, why=str(error))

    async def _keep(self, stored: StoredEvent, source: str) -> None:
        event, known = stored.event, self._prices(source)
        firm = None if known is None else _firm(known.clip(event.window))
        if firm is None or not firm.steps:
            return
        told = newest(await self._statements.told(event.program_id))
        before = told.get((What.MARKET_PRICE, event.key))
        if before is not None and (before.told_by != WHO or before.prices == firm):
            return
        await self._statements.tell(
            [
                Determinant(
                    program_id=event.program_id,
                    what=What.MARKET_PRICE,
                    subject=event.key,
                    source=f"price source {source}, {firm.area}",
                    told_by=WHO,
                    told_at=self._clock.now(),
                    prices=firm,
                )
            ]
        )


def _firm(prices: PriceTimeline) -> PriceTimeline:
    """Without forecasts, which settle nothing."""
    kept = tuple(one for one in prices.steps if one.quality is not Quality.FORECAST)
    return replace(prices, steps=kept)
