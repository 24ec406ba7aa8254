"""What one class of devices gives of a site's offer (`messages.OfferedSlot`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

MAX_OFFERED_PARTS = 8

_Power = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPart:
    """W; what all classes give adds up to no more than their slot."""

    device_class: Annotated[str, Field(min_length=1, max_length=120)]
    """A `contracts.device_class.DeviceClass`; whoever does not know one leaves it out."""
    expected_w: Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)] = 0.0
    """What the class is expected to draw without any request, generation negative."""
    down_w: _Power = 0.0
    down_sure_w: _Power = 0.0
    up_w: _Power = 0.0
    curtail_w: _Power = 0.0
    """Generation that could be stopped; it is in no sum of the slot."""
