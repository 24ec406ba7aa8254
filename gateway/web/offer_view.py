"""What a site offers in the coming hours, as rows of text in its own local time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from contracts.site_link.messages import FlexibilityOffer, OfferedSlot
from gateway.reports import words

SHOWN = timedelta(hours=12)
STALE = timedelta(hours=1)
"""An offer this old says nothing any more: what it rests on has moved."""
_LEAST_W = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLine:
    """One offered slot."""

    start: str
    expected: str
    down: str
    sure: str
    lasts: str
    up: str
    rebound: str
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """An offer with its age."""

    age: str
    notice: str
    ramp: str
    lines: tuple[OfferLine, ...]


def offer_view(offer: FlexibilityOffer | None, now: datetime, tz: tzinfo) -> OfferView | None:
    """One line an hour of the next twelve, from the slot of now on; None without a fresh offer."""
    if offer is None or now - offer.at > STALE:
        return None
    ahead = [s for s in offer.slots if s.start + timedelta(seconds=offer.step_s) > now]
    shown = [
        slot
        for place, slot in enumerate(ahead)
        if slot.start < now + SHOWN and (place == 0 or slot.start.minute == 0)
    ]
    return OfferView(
        age=words.age((now - offer.at).total_seconds()),
        notice=words.duration(timedelta(seconds=offer.notice_s)),
        ramp=f"{words.power(offer.ramp_w_per_min)} a minute",
        lines=tuple(_line(slot, tz) for slot in shown),
    )


def _line(slot: OfferedSlot, tz: tzinfo) -> OfferLine:
    lowers = slot.down_w >= _LEAST_W
    return OfferLine(
        start=words.clock(slot.start, tz),
        expected=words.signed_power(slot.expected_w),
        down=words.power(slot.down_w),
        sure=words.power(slot.down_sure_w),
        lasts=words.duration(timedelta(seconds=slot.lasts_s)) if lowers else words.NA,
        up=words.power(slot.up_w),
        rebound=_rebound(slot, tz) if lowers else words.NA,
        again=words.clock(slot.again_at, tz) if lowers else words.NA,
    )


def _rebound(slot: OfferedSlot, tz: tzinfo) -> str:
    if slot.rebound_at is None:
        return "none"
    size = f"{words.power(slot.rebound_w)}, {words.energy(slot.rebound_wh)}"
    return f"{size} from {words.clock(slot.rebound_at, tz)}"
