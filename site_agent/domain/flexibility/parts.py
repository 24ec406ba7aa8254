"""A slot's offer by class of devices: who moves, and by how much, when it is taken up."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.device_class import DeviceClass
from site_agent.domain.device import Lapse
from site_agent.domain.flexibility.offer import OfferedPart
from site_agent.domain.site import SiteSnapshot


@dataclass(frozen=True, slots=True)
class Given:
    """What a slot gives in all, and what of it batteries give, W >= 0."""

    whole_w: float
    stored_w: float

    @property
    def waiting_w(self) -> float:
        """What vehicles do without."""
        return max(0.0, self.whole_w - self.stored_w)


def parts(
    snapshot: SiteSnapshot,
    *,
    down: Given,
    sure: Given,
    up_w: float,
    charging_w: float,
    pv_w: float,
) -> tuple[OfferedPart, ...]:
    """For each class that the site has; the parts of `down`, `sure` and `up_w` add up to these.

    `charging_w`: what vehicles are expected to draw; `pv_w`: what PV is expected to make. Of that
    only what inverters make that take limits, and drop them by themselves, can be curtailed.
    What is sure of a class is never more than what is likely of it.
    """
    found = []
    if snapshot.chargers:
        found.append(
            OfferedPart(
                device_class=DeviceClass.EVSE,
                expected_w=charging_w,
                down_w=down.waiting_w,
                down_sure_w=min(sure.waiting_w, down.waiting_w),
            )
        )
    if snapshot.batteries:
        found.append(
            OfferedPart(
                device_class=DeviceClass.STORAGE,
                expected_w=0.0,
                down_w=down.stored_w,
                down_sure_w=min(sure.stored_w, down.stored_w),
                up_w=up_w,
            )
        )
    if snapshot.pv:
        found.append(
            OfferedPart(
                device_class=DeviceClass.PV,
                expected_w=-pv_w,
                curtail_w=pv_w * _curtailable_share(snapshot),
            )
        )
    return tuple(found)


def _curtailable_share(snapshot: SiteSnapshot) -> float:
    """By rating."""
    rated_w = sum(one.spec.rated_w for one in snapshot.pv)
    able = (
        one.spec.rated_w
        for one in snapshot.pv
        if one.online and one.takes_limits and one.obeys and one.spec.lapse is Lapse.DEVICE
    )
    return sum(able) / rated_w if rated_w > 0 else 0.0
