"""What a file of meter data is read by, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.errors import PermanentError
from contracts.reading import Quality
from gateway.domain.metering.interval import MeterInterval
from gateway.domain.metering.issuing import Told
from gateway.domain.metering.site_meter import SiteMeter

MAX_BYTES = 16 << 20
"""A year of quarter-hours is 2 MB of CSV, 4 of JSON, 12 of Green Button."""
MOST_INTERVALS = 50_000
"""A year has 35,136 quarter-hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A row that says nothing that could be kept."""

    row: int
    """From 1, without the header."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """The intervals of a file, and its rows that could not be read."""

    told: tuple[Told, ...]
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """By what it is read."""

    meter: SiteMeter
    zone: ZoneInfo
    """Of times without an offset."""
    arrived: datetime
    issued_at: datetime | None = None
    """When its source made it; None: it does not say."""

    def told(
        self,
        start: datetime,
        energy_wh: float | None,
        *,
        length: timedelta | None = None,
        quality: Quality = Quality.GOOD,
        reason: str = "",
        issued_at: datetime | None = None,
    ) -> Told:
        """One interval; `issued_at` where the row says it."""
        issued = issued_at or self.issued_at
        interval = MeterInterval(
            start=start,
            length=length or self.meter.rules.length,
            energy_wh=energy_wh,
            quality=quality,
            issued_at=issued or self.arrived,
            reason=reason,
        )
        return Told(interval=interval, dated=issued is not None)


Reader = Callable[[bytes, Reading], ReadFile]
_WORDS: Mapping[str, Quality] = {
    **{one.value: one for one in Quality},
    "": Quality.GOOD,
    "measured": Quality.GOOD,
    "actual": Quality.GOOD,
    "valid": Quality.GOOD,
    "missing": Quality.OFFLINE,
}


def quality_of(word: str) -> Quality:
    """A quality by the word for it.

    Raises:
        ValueError: it is none.
    """
    found = _WORDS.get(word.strip().lower())
    if found is None:
        known = ", ".join(sorted(one for one in _WORDS if one))
        raise ValueError(f"quality {word[:40]!r} is none of: {known}")
    return found


def bounded(count: int) -> None:
    """Refuse a file of more intervals than one delivery may have.

    Raises:
        PermanentError: there are too many.
    """
    if count > MOST_INTERVALS:
        raise PermanentError(
            f"more than {MOST_INTERVALS} intervals: deliver it in parts, such as by month"
        )
