"""Prices from the price events of a utility, as the ledger holds them.

OpenADR 2.0b price signals and IEEE 2030.5 time tariff intervals arrive as events of kind PRICE.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from zoneinfo import ZoneInfo

import structlog

from contracts.errors import ProtocolError
from contracts.time import Interval
from gateway.domain.event import GridEvent, Opt, SignalKind
from gateway.domain.price.merge import Publication, by_precedence
from gateway.domain.price.timeline import PriceStep, PriceTimeline
from gateway.ports import Ledger, StoredEvent
from gateway.prices.reading import price_of
from gateway.prices.settings import EventSettings

_log = structlog.get_logger(__name__)

_ALWAYS = time(0)


class EventSource:
    """`gateway.ports.PriceSource` of one utility; what is cancelled is withdrawn.

    Of two events about the same time the one of the higher priority holds (1 is the highest, 0
    the lowest), then the one created later.
    """

    def __init__(self, settings: EventSettings, ledger: Ledger) -> None:
        self._settings = settings
        self._ledger = ledger

    @property
    def source_id(self) -> str:
        """Unique among the sources."""
        return self._settings.source_id

    @property
    def area(self) -> str:
        """The program, or the utility."""
        return self._settings.program_id or self._settings.utility_id

    @property
    def zone(self) -> ZoneInfo:
        """As the settings say."""
        return self._settings.time_zone

    @property
    def published_at(self) -> time:
        """An event may come at any time."""
        return _ALWAYS

    async def fetch(self, window: Interval) -> Publication | None:
        """See the port."""
        stored = await self._ledger.events(ending_after=window.start)
        events = sorted((one.event for one in stored if self._counts(one)), key=_rank)
        timelines = [self._timeline(event, window) for event in events]
        prices = by_precedence(self.area, timelines, window)
        if not timelines:
            prices = PriceTimeline(area=self.area, currency=self._settings.currency)
        return Publication(window=window, prices=prices, whole=True)

    def _counts(self, stored: StoredEvent) -> bool:
        event, settings = stored.event, self._settings
        targets = event.targets
        return (
            event.utility_id == settings.utility_id
            and settings.program_id in (None, event.program_id)
            and (not targets or settings.target in targets)
            and not event.cancelled
            and not event.test
            and stored.decision.opt is Opt.IN
        )

    def _timeline(self, event: GridEvent, window: Interval) -> PriceTimeline:
        steps = (
            PriceStep(
                interval=interval,
                per_kwh=per_kwh,
                source_id=self.source_id,
                as_of=event.created_at,
            )
            for interval, per_kwh in _prices(event, window)
        )
        return PriceTimeline.of(self.area, self._settings.currency, steps)


def _rank(event: GridEvent) -> tuple[float, float, str]:
    return event.priority or float("inf"), -event.created_at.timestamp(), event.key


def _prices(event: GridEvent, window: Interval) -> Iterator[tuple[Interval, Decimal]]:
    """Of the first price signal of an event; steps that are no price are left out."""
    signal = next((one for one in event.signals if one.kind is SignalKind.PRICE), None)
    for step in () if signal is None else signal.series.clip(window):
        try:
            yield step.interval, price_of(repr(step.value), "kWh")
        except ProtocolError as error:
            _log.warning("price_event_without_sense", event_key=event.key, why=str(error))
