"""Revenue meters' intervals: kept in versions, apart from operational readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.time import Interval
from gateway.domain.metering.checks import Noted, Refused
from gateway.domain.metering.interval import Meter, MeterInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInterval:
    """One version of an interval."""

    told: MeterInterval
    version: int
    """From 1, in order of arrival."""
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of a delivery."""

    stored: int
    """New versions."""
    known: int
    """Intervals that said what was known already."""
    flagged: int
    """Of the stored: intervals that do not count."""
    refused: tuple[Refused, ...]
    noted: tuple[Noted, ...] = ()
    """Of the stored: those that do not count or have a reason, in order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something new about a meter came in."""

    number: int
    site_id: str
    meter: str
    received_at: datetime
    window: Interval
    """From the first to the last of the intervals that are another than before."""
    stored: int


class MeterStore(Protocol):
    """The energy each interval had, as its source told it, and as it was known at any time."""

    async def deliver(
        self,
        site_id: str,
        meter: str,
        rules: Meter,
        intervals: Iterable[MeterInterval],
        received_at: datetime,
    ) -> Delivered:
        """Check and store what a source says of one meter, in one transaction.

        Sent again it stores nothing. Another value than before is a new version; the older ones
        stay. What is refused or flagged is written into the journal of the site.
        """
        ...

    async def intervals(
        self, site_id: str, meter: str, window: Interval, known_at: datetime | None = None
    ) -> Sequence[StoredInterval]:
        """Intervals that start inside a window, in order of time, as known at an instant or now.

        Of the versions received by then the one its source issued last counts; of two issued at
        once the one that arrived last.
        """
        ...

    async def versions(self, site_id: str, meter: str, start: datetime) -> Sequence[StoredInterval]:
        """Everything ever said of the interval with this start, in order of arrival."""
        ...

    async def missing(
        self, site_id: str, meter: str, rules: Meter, window: Interval
    ) -> Sequence[Interval]:
        """The stretches of a closed window without a value that counts."""
        ...

    async def unsettled(self) -> Sequence[Delivery]:
        """Deliveries of which no report has been made again yet, oldest first."""
        ...

    async def settled(self, numbers: Sequence[int], at: datetime) -> None:
        """Reports were made again after these deliveries, as far as anything changed."""
        ...
