"""Where prices come from, and where they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

from contracts.errors import TransientError
from contracts.time import Interval
from gateway.domain.price.merge import Publication
from gateway.domain.price.timeline import PriceTimeline


class BusyError(TransientError):
    """The source answers, but asks for patience: not before `wait_s` seconds are over."""

    def __init__(self, reason: str, wait_s: float) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class PriceSource(Protocol):
    """One market area, node, program or file."""

    @property
    def source_id(self) -> str:
        """Unique among the sources."""
        ...

    @property
    def area(self) -> str:
        """What it names its prices by."""
        ...

    @property
    def zone(self) -> ZoneInfo:
        """In which its days begin."""
        ...

    @property
    def published_at(self) -> time:
        """On its wall clock, when the next day's prices come out; 00:00: they always are."""
        ...

    async def fetch(self, window: Interval) -> Publication | None:
        """What it says about a closed window; None: it has nothing for it yet.

        Raises:
            BusyError: it names the time to ask again.
            TransientError: it cannot be reached, or fails, now.
            ProtocolError: what it answers makes no sense.
            PermanentError: it will not have us: a wrong token, a node it does not know.
        """
        ...


class PriceMemory(Protocol):
    """Prices kept over a restart; each method is one transaction."""

    async def load(self) -> Mapping[str, PriceTimeline]:
        """What is known of every source, by its id."""
        ...

    async def save(self, source_id: str, prices: PriceTimeline, since: datetime) -> None:
        """Replace what is known of one source; durable when it returns.

        `since`: what ended before stays in the history as it was told; the rest of it is replaced,
        too.
        """
        ...


class PriceHistory(Protocol):
    """What sources have said of the past, by their last word on it."""

    async def history(self, source_id: str, window: Interval) -> Sequence[PriceTimeline]:
        """What touches a closed window, cut to it; one timeline an area and currency."""
        ...
