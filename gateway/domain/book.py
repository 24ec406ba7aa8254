"""The flexibility book: what all sites offer together, by program, network group and hour.

Sums are made of what sites have told. The middle is the sum of the medians. The floor is the sum of
what each site gives in nine cases of ten: as if all sites fell short together. Were they
independent the floor of many would lie nearer to the middle, but depots share weather, holidays and
traffic, so independence is not assumed (aggregation note section 3 rates delivery per site).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.time import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedSlot:
    """What one site offers over an interval, W and Wh >= 0."""

    interval: Interval
    down_w: float
    """As likely more as less."""
    sure_w: float
    """In nine cases of ten."""
    up_w: float
    energy_wh: float
    """What it can put off: `down_w` for as long as it lasts."""
    expected_w: float = 0.0
    """Power at the PCC expected without any request, import positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOffers:
    """One site's slots, or why it is counted out."""

    site_id: str
    groups: frozenset[str] = frozenset()
    told_at: datetime | None = None
    data_age: timedelta = timedelta(0)
    """Of the oldest reading behind the offer, when it was told."""
    slots: tuple[BookedSlot, ...] = ()
    out: str = ""
    """Why nothing of it is counted; empty when it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """All sites of a page over one interval."""

    interval: Interval
    sites: int
    down_w: float
    sure_w: float
    up_w: float
    energy_wh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A program, or one network group of it."""

    program_id: str
    group: str
    """Empty: all of the program."""
    lines: tuple[Line, ...]
    out: tuple[tuple[str, str], ...]
    """`(site, why)` of those that are counted out."""
    oldest: timedelta | None
    """Age of the oldest reading behind it; None: there is none."""


def page(
    program_id: str,
    group: str,
    sites: Sequence[SiteOffers],
    hours: Sequence[Interval],
    now: datetime,
) -> Page:
    """Those of these sites that are in the group (empty: all), summed up in each interval.

    In an interval a site is counted with the least it offers in it, and only if its slots cover it.
    """
    members = [one for one in sites if not group or group in one.groups]
    counted = [one for one in members if not one.out]
    ages = [now - one.told_at + one.data_age for one in counted if one.told_at is not None]
    return Page(
        program_id=program_id,
        group=group,
        lines=tuple(_line(hour, counted) for hour in hours),
        out=tuple((one.site_id, one.out) for one in members if one.out),
        oldest=max(ages, default=None),
    )


def _line(hour: Interval, sites: Iterable[SiteOffers]) -> Line:
    found = [offered for one in sites if (offered := least(hour, one.slots)) is not None]
    return Line(
        interval=hour,
        sites=len(found),
        down_w=sum(one.down_w for one in found),
        sure_w=sum(one.sure_w for one in found),
        up_w=sum(one.up_w for one in found),
        energy_wh=sum(one.energy_wh for one in found),
    )


def least(hour: Interval, slots: Sequence[BookedSlot]) -> BookedSlot | None:
    """The least that a site offers in an interval; None: its slots do not cover it.

    The load expected is the mean.
    """
    inside = list(_inside(hour, slots))
    if not inside or sum(map(_length, inside), timedelta(0)) != hour.duration:
        return None
    mean_w = sum(slot.expected_w * (_length((p, slot)) / hour.duration) for p, slot in inside)
    return BookedSlot(
        interval=hour,
        down_w=min(slot.down_w for _, slot in inside),
        sure_w=min(slot.sure_w for _, slot in inside),
        up_w=min(slot.up_w for _, slot in inside),
        energy_wh=min(slot.energy_wh for _, slot in inside),
        expected_w=mean_w,
    )


def _length(inside: tuple[Interval, BookedSlot]) -> timedelta:
    return inside[0].duration or timedelta(0)


def _inside(hour: Interval, slots: Iterable[BookedSlot]) -> Iterator[tuple[Interval, BookedSlot]]:
    for slot in slots:
        piece = slot.interval.intersection(hour)
        if piece is not None:
            yield piece, slot
