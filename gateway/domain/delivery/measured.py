"""Delivery per site and over the portfolio, minute by minute, from what was truly measured.

A site that cannot be seen has not delivered nothing: what it last gave is believed for a while and
then fades into what is expected of it. How much of the picture is measured is told beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum

from contracts.reading import Quality, Reading
from contracts.time import Interval

RECENT = 5
"""How many minutes are told of together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """The newest minute in which a site's delivery was measured."""

    at: datetime
    """The end of that minute."""
    delivered_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """How long what a site last gave stands for what it gives."""

    hold: timedelta = timedelta(minutes=2)
    """So long it is believed in full ..."""
    forget: timedelta = timedelta(minutes=5)
    """... and after so long not at all; later than `hold`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDelivery:
    """One site over one minute, W."""

    site_id: str
    asked_w: float
    """Reduction asked, >= 0."""
    delivered_w: float
    """Baseline less load where `trust` is 1; otherwise partly what is expected."""
    trust: float
    """How far `delivered_w` is measured, 0-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioMinute:
    """All sites of an event over one minute."""

    interval: Interval
    target_w: float
    """What the utility asked for."""
    asked_w: float
    """What the sites were asked for together."""
    delivered_w: float
    coverage: float
    """Part of what was asked that is measured, 0-1."""


def mean_load(readings: Iterable[Reading], minute: Interval) -> float | None:
    """Mean of the measured values of a minute, W; None when there is none that counts.

    The data-quality gate: only values a meter has measured count, none that was estimated and none
    from outside the minute.
    """
    good = [
        r.value
        for r in readings
        if r.value is not None and r.quality is Quality.GOOD and r.at in minute
    ]
    return fsum(good) / len(good) if good else None


def site_delivery(
    site_id: str,
    *,
    asked_w: float,
    measured_w: float | None,
    expected_w: float,
    last: LastSeen | None,
    now: datetime,
    memory: Memory,
) -> SiteDelivery:
    """What a site gave in the minute that ends at `now`, as far as it is known.

    `measured_w` is baseline less load, None when either is unknown; `expected_w` what this site
    usually gives when asked so much.
    """
    if measured_w is not None:
        return SiteDelivery(site_id=site_id, asked_w=asked_w, delivered_w=measured_w, trust=1.0)
    trust = 0.0 if last is None else _fading(now - last.at, memory)
    before_w = 0.0 if last is None else last.delivered_w
    believed_w = trust * before_w + (1.0 - trust) * expected_w
    return SiteDelivery(site_id=site_id, asked_w=asked_w, delivered_w=believed_w, trust=trust)


def portfolio_minute(
    sites: Sequence[SiteDelivery], interval: Interval, target_w: float
) -> PortfolioMinute:
    """The sum over sites. Coverage counts each site by what it was asked."""
    asked_w = fsum(s.asked_w for s in sites)
    seen_w = fsum(s.asked_w * s.trust for s in sites)
    return PortfolioMinute(
        interval=interval,
        target_w=target_w,
        asked_w=asked_w,
        delivered_w=fsum(s.delivered_w for s in sites),
        coverage=seen_w / asked_w if asked_w > 0 else 0.0,
    )


def recent_share(minutes: Sequence[PortfolioMinute], count: int = RECENT) -> float | None:
    """Delivered over target of the last minutes together; None: nothing was wanted in them."""
    last = minutes[-count:]
    wanted_w = fsum(m.target_w for m in last)
    return fsum(m.delivered_w for m in last) / wanted_w if wanted_w > 0 else None


def _fading(age: timedelta, memory: Memory) -> float:
    if age <= memory.hold:
        return 1.0
    return max(0.0, (memory.forget - age) / (memory.forget - memory.hold))
