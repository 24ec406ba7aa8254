"""The flexibility book from the newest offers of the sites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from contracts.device_class import DeviceClass
from contracts.site_link.messages import FlexibilityOffer, OfferedSlot
from contracts.site_link.parts import OfferedPart
from contracts.time import Interval
from gateway.domain.book import BookedSlot, Page, SiteOffers, page
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.words import span
from gateway.flows.dispatch.splitting import timed
from gateway.flows.sites.live import LiveSite
from gateway.ports import Ledger

STALE = timedelta(hours=1)
"""An offer older than this says nothing of the hours ahead."""
_HOUR = timedelta(hours=1)


async def book(
    portfolio: Portfolio,
    ledger: Ledger,
    live: Iterable[LiveSite],
    now: datetime,
    *,
    hours: int = 24,
    device_class: DeviceClass | None = None,
) -> Sequence[Page]:
    """A page for each program and for each network group of its sites, by whole hours from now.

    `device_class`: what these devices alone offer.

    Raises:
        TransientError: the offers cannot be read.
    """
    offers = await site_offers(portfolio, ledger, live, now, device_class)
    first = now.replace(minute=0, second=0, microsecond=0) + _HOUR
    ahead = [Interval.lasting(first + n * _HOUR, _HOUR) for n in range(hours)]
    return list(_pages(portfolio, offers, ahead, now))


async def site_offers(
    portfolio: Portfolio,
    ledger: Ledger,
    live: Iterable[LiveSite],
    now: datetime,
    device_class: DeviceClass | None = None,
) -> Mapping[str, SiteOffers]:
    """What each site offers in the hours ahead, or why it is counted out.

    Raises:
        TransientError: the offers cannot be read.
    """
    online = {one.site.site_id: one.online for one in live}
    return {
        site.site_id: _offers(
            site, await ledger.offer(site.site_id), online[site.site_id], now, device_class
        )
        for site in portfolio.sites
    }


def _pages(
    portfolio: Portfolio, offers: Mapping[str, SiteOffers], ahead: Sequence[Interval], now: datetime
) -> Iterator[Page]:
    for program_id in dict.fromkeys(one.program_id for one in portfolio.programs):
        enrolled = portfolio.enrolled(program_id, now)
        sites = [
            _of_network(offers[site_id], enrolled[site_id].network)
            for site_id in sorted(enrolled)
            if site_id in offers
        ]
        groups = sorted({group for one in sites for group in one.groups})
        for group in ("", *groups):
            yield page(program_id, group, sites, ahead, now)


def _of_network(one: SiteOffers, network: str) -> SiteOffers:
    """In the network of its enrolment as well as in its own groups."""
    return replace(one, groups=one.groups | {network}) if network else one


def _offers(
    site: Site,
    newest: FlexibilityOffer | None,
    online: bool,
    now: datetime,
    device_class: DeviceClass | None,
) -> SiteOffers:
    out = _why_out(newest, online, now)
    if newest is not None and not out and not any(_told(newest, device_class)):
        out = f"it tells no {device_class} offer"
    if newest is None or out:
        return SiteOffers(site_id=site.site_id, groups=site.groups, out=out)
    return SiteOffers(
        site_id=site.site_id,
        groups=site.groups,
        told_at=newest.at,
        data_age=timedelta(seconds=newest.data_age_s),
        slots=tuple(_slots(newest, device_class)),
    )


def _why_out(newest: FlexibilityOffer | None, online: bool, now: datetime) -> str:
    if not online:
        return "it is offline"
    if newest is None:
        return "it has told no offer"
    old = now - newest.at
    return f"its newest offer is {span(old)} old" if old > STALE else ""


def _told(told: FlexibilityOffer, device_class: DeviceClass | None) -> Iterator[bool]:
    """Slot by slot, whether it says anything of these devices."""
    for one in told.slots:
        yield device_class is None or any(p.device_class == device_class for p in one.parts)


def _slots(told: FlexibilityOffer, device_class: DeviceClass | None) -> Iterator[BookedSlot]:
    for interval, one in timed(told):
        if device_class is None:
            yield _booked(interval, one, one.lasts_s, one.up_w)
            continue
        for part in one.parts:
            if part.device_class == device_class:
                up_w = max(part.up_w, part.curtail_w)
                yield _booked(interval, part, one.lasts_s, up_w)


def _booked(
    interval: Interval, one: OfferedSlot | OfferedPart, lasts_s: float, up_w: float
) -> BookedSlot:
    return BookedSlot(
        interval=interval,
        down_w=one.down_w,
        sure_w=min(one.down_sure_w, one.down_w),
        up_w=up_w,
        energy_wh=one.down_w * lasts_s / _HOUR.total_seconds(),
        expected_w=one.expected_w,
    )
