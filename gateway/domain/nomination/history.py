"""What each site offered, hour by hour: the evidence that proposals rest on.

An hour is recorded shortly before it begins, as the book saw it then. A site that could not be
counted on is recorded as well, with nothing and the reason: it could not have delivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.time import Interval
from gateway.domain.book import SiteOffers, least

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What one site offered for one whole hour, W."""

    site_id: str
    start: datetime
    """Of the hour, UTC."""
    down_w: float
    """As likely more as less, >= 0."""
    sure_w: float
    """In nine cases of ten, 0 to `down_w`."""
    expected_w: float
    """Load without any request, import positive."""
    out: str = ""
    """Why nothing could be counted on; empty when it could."""

    @property
    def hour(self) -> Interval:
        """The hour."""
        return Interval.lasting(self.start, HOUR)


Book = Mapping[datetime, Mapping[str, Offered]]
"""By hour and site."""


def whole_hour(instant: datetime) -> datetime:
    """The whole hour (UTC) that an instant lies in."""
    return instant.replace(minute=0, second=0, microsecond=0)


def recorded(start: datetime, offers: Iterable[SiteOffers]) -> tuple[Offered, ...]:
    """What is written down of the hour that begins at `start`, a row for each site."""
    return tuple(_row(start, one) for one in offers)


def by_hour(rows: Iterable[Offered]) -> Book:
    """Rows to look up."""
    found: dict[datetime, dict[str, Offered]] = {}
    for one in rows:
        found.setdefault(one.start, {})[one.site_id] = one
    return found


def _row(start: datetime, one: SiteOffers) -> Offered:
    slot = None if one.out else least(Interval.lasting(start, HOUR), one.slots)
    if slot is None:
        why = one.out or "its offer does not reach so far"
        return Offered(
            site_id=one.site_id, start=start, down_w=0.0, sure_w=0.0, expected_w=0.0, out=why
        )
    return Offered(
        site_id=one.site_id,
        start=start,
        down_w=slot.down_w,
        sure_w=slot.sure_w,
        expected_w=slot.expected_w,
    )
