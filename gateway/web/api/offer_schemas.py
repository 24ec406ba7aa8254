"""What the API says of a site's offer of flexibility."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from contracts.site_link.messages import FlexibilityOffer, OfferedSlot
from gateway.web.api.schemas import Schema


class OfferedPartOut(Schema):
    """What one class of devices gives of a slot."""

    device_class: str
    expected_w: Annotated[float, Field(description="What it draws, generation negative.")]
    down_w: float
    down_sure_w: float
    up_w: float
    curtail_w: Annotated[float, Field(description="Generation that could be stopped.")]


class OfferedSlotOut(Schema):
    """What can be asked of the site from `start` on, each slot by itself; W and Wh."""

    start: AwareDatetime
    expected_w: Annotated[float, Field(description="Load without a request, import positive.")]
    down_w: Annotated[float, Field(description="By how much it can be lowered, >= 0.")]
    down_sure_w: Annotated[float, Field(description="The same in nine cases of ten.")]
    lasts_s: Annotated[float, Field(description="How long `down_w` can be held.")]
    energy_wh: Annotated[float, Field(description="Not drawn in that time.")]
    up_w: Annotated[float, Field(description="By how much it can be raised for an hour, >= 0.")]
    rebound_w: Annotated[float, Field(description="Most that is drawn in addition afterwards.")]
    rebound_wh: float
    rebound_at: AwareDatetime | None
    again_at: Annotated[AwareDatetime | None, Field(description="When it could be asked again.")]
    parts: Annotated[list[OfferedPartOut], Field(description="By class of devices, if told.")]


class OfferOut(Schema):
    """The newest offer of a site."""

    site_id: str
    simulated: bool
    at: AwareDatetime
    step_s: float
    notice_s: Annotated[float, Field(description="How long ahead a request must be there.")]
    ramp_w_per_min: float
    data_age_s: Annotated[float, Field(description="Age of the oldest reading when it was made.")]
    slots: list[OfferedSlotOut]


def offer_out(site_id: str, offer: FlexibilityOffer, *, simulated: bool) -> OfferOut:
    """An offer as the API says it."""
    return OfferOut(
        site_id=site_id,
        simulated=simulated,
        at=offer.at,
        step_s=offer.step_s,
        notice_s=offer.notice_s,
        ramp_w_per_min=offer.ramp_w_per_min,
        data_age_s=offer.data_age_s,
        slots=[_slot(slot) for slot in offer.slots],
    )


def _slot(slot: OfferedSlot) -> OfferedSlotOut:
    return OfferedSlotOut(
        start=slot.start,
        expected_w=slot.expected_w,
        down_w=slot.down_w,
        down_sure_w=slot.down_sure_w,
        lasts_s=slot.lasts_s,
        energy_wh=slot.down_w * slot.lasts_s / 3600.0,
        up_w=slot.up_w,
        rebound_w=slot.rebound_w,
        rebound_wh=slot.rebound_wh,
        rebound_at=slot.rebound_at,
        again_at=slot.again_at,
        parts=[
            OfferedPartOut(
                device_class=part.device_class,
                expected_w=part.expected_w,
                down_w=part.down_w,
                down_sure_w=part.down_sure_w,
                up_w=part.up_w,
                curtail_w=part.curtail_w,
            )
            for part in slot.parts
        ],
    )
