"""What a site offers for the hours ahead, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.device_class import DeviceClass


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPart:
    """What one class of devices gives of a slot's offer, W, magnitudes but `expected_w`."""

    device_class: DeviceClass
    expected_w: float
    """What the class is expected to draw without any request, generation negative."""
    down_w: float = 0.0
    down_sure_w: float = 0.0
    up_w: float = 0.0
    curtail_w: float = 0.0
    """Generation that could be stopped: in none of the slot's figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedSlot:
    """What can be asked of the site from `start` on. Powers are magnitudes, W.

    `down_w` is a promise: with the import held at what is expected less `down_w` in every slot of
    `lasts`, each vehicle that would have been ready is ready. Each slot's offer stands alone: once
    one is taken up, the others are as the next offer says.
    """

    start: datetime
    expected_w: float
    """Import (or, negative, export) expected without any request."""
    down_w: float
    """By how much the import can be lowered, as likely more as less."""
    down_sure_w: float
    """The same in nine cases of ten."""
    lasts: timedelta
    """How long `down_w` can be held."""
    up_w: float
    """By how much it can be raised for an hour: batteries, which can be told to charge."""
    rebound_w: float
    """Most that is drawn beyond what would have been, after `down_w`."""
    rebound_wh: float
    """Energy drawn later instead."""
    rebound_at: datetime | None
    """When that begins; None: nothing is made up for."""
    again_at: datetime | None
    """When what was put off is made up for, so that the same can be asked again; None: not within
    the hours looked at."""
    parts: tuple[OfferedPart, ...] = ()
    """The same by class of devices, for those that the site has; they add up to no more."""

    @property
    def energy_wh(self) -> float:
        """Not drawn while `down_w` is held, Wh."""
        return self.down_w * (self.lasts / timedelta(hours=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a site can do in the hours ahead, as of `at`."""

    at: datetime
    step: timedelta
    """Length of a slot; the first may have begun before `at`."""
    slots: tuple[OfferedSlot, ...]
    notice: timedelta
    """How long before it should be effective a request must be with the site."""
    ramp_w_per_min: float
    """How fast the import falls once the site has the request."""
    data_age: timedelta
    """Age of the oldest reading it rests on."""
    proved: float
    """How much of what vehicles could put off now by their energy alone can be promised, 0 to 1."""
