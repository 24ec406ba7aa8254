"""What a utility's server lists for one EndDevice: DER programs, their controls and defaults.

The value of a mode is opaque: the rules only ask which control it belongs to, and whether two of
them are equal. `Value` is its type, so that a stored state comes back with the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, IntFlag
from typing import Generic, TypeVar

from contracts.time import Interval, as_utc

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)

MAX_RANDOMIZE = timedelta(hours=1)
MAX_PRIMACY = 255


class ControlStatus(IntEnum):
    """EventStatus.currentStatus (IEEE 2030.5-2018, Annex B; 5 is of the 2023 edition)."""

    SCHEDULED = 0
    ACTIVE = 1
    CANCELLED = 2
    CANCELLED_RANDOMLY = 3
    """Cancelled; who runs it stops after a random delay."""
    SUPERSEDED = 4
    COMPLETED = 5

    @property
    def is_cancelled(self) -> bool:
        """Whether the server has called the control off."""
        return self in (ControlStatus.CANCELLED, ControlStatus.CANCELLED_RANDOMLY)


class ResponseRequired(IntFlag):
    """Which answers the server wants (responseRequired, IEEE 2030.5-2018, 8.8)."""

    NONE = 0
    RECEIVED = 1
    SPECIFIC = 2
    """Start, end and every other change of state."""
    USER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DerProgram:
    """One DERProgram the device is assigned to.

    Raises:
        ValueError: `primacy` is outside 0-255.
    """

    program_id: str
    primacy: int
    """The lower, the stronger."""
    description: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.primacy <= MAX_PRIMACY:
            raise ValueError(f"primacy {self.primacy} of program {self.program_id}: not 0-255")

    def __str__(self) -> str:
        return f"{self.description or self.program_id} (primacy {self.primacy})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DerControl(Generic[Value_co]):
    """One DERControl: values of some modes over a specified time.

    Raises:
        ValueError: `created_at` is naive, or a random bound is beyond one hour.
    """

    mrid: str
    """Written the same way each time: an adapter folds the case of hexadecimal digits."""
    program_id: str
    created_at: datetime
    """Among equals the newer one wins; some servers move it when the status changes."""
    window: Interval
    """The specified time, before any randomisation."""
    modes: Mapping[str, Value_co]
    """Value of each mode it sets, under the mode's name (`opModMaxLimW`)."""
    randomize_start: timedelta = timedelta(0)
    """Bound of the random move of the start; negative means earlier. At most one hour."""
    randomize_duration: timedelta = timedelta(0)
    """Bound of the random change of the duration; negative means shorter. At most one hour."""
    status: ControlStatus = ControlStatus.SCHEDULED
    response_required: ResponseRequired = ResponseRequired.NONE
    reply_to: str | None = None
    """Where Responses go; without it nobody wants any."""
    device_category: int | None = None
    """Bitmap of the kinds of device addressed (DeviceCategoryType); None addresses every kind."""
    ramp: timedelta | None = None
    """Time over which to reach the value (rampTms)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "created_at", as_utc(self.created_at))
        for bound in (self.randomize_start, self.randomize_duration):
            if abs(bound) > MAX_RANDOMIZE:
                raise ValueError(f"control {self.mrid}: random bound {bound} is beyond one hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class DerDefault(Generic[Value_co]):
    """The DefaultDERControl of a program: what holds wherever no control sets the mode.

    Settings that only a default carries (`setGradW`) are modes like any other here.
    """

    program_id: str
    modes: Mapping[str, Value_co]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Generic[Value_co]):
    """Everything the server lists for one EndDevice at this moment, from a complete walk."""

    programs: tuple[DerProgram, ...] = ()
    controls: tuple[DerControl[Value_co], ...] = ()
    defaults: tuple[DerDefault[Value_co], ...] = ()
