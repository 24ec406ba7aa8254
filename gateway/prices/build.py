"""Settings to price sources."""

from __future__ import annotations

from contracts.time import Clock
from gateway.ports import Ledger, PriceSource
from gateway.prices.entsoe import EntsoeSource
from gateway.prices.events import EventSource
from gateway.prices.files import CsvSource, TariffSource
from gateway.prices.oasis import OasisSource
from gateway.prices.settings import (
    CsvSettings,
    EntsoeSettings,
    EventSettings,
    OasisSettings,
    SourceSettings,
    TariffSettings,
)


def price_source(settings: SourceSettings, ledger: Ledger, clock: Clock) -> PriceSource:
    """The source that these settings describe.

    Raises:
        ConfigError: a file cannot be read.
    """
    match settings:
        case EntsoeSettings():
            return EntsoeSource(settings, clock)
        case OasisSettings():
            return OasisSource(settings, clock)
        case CsvSettings():
            return CsvSource(settings)
        case TariffSettings():
            return TariffSource(settings)
        case EventSettings():
            return EventSource(settings, ledger)
