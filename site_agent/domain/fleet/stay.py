"""A vehicle's stay that is known or expected: from when, until when, with how much to charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedStay:
    """A vehicle that is not plugged in yet.

    From the fleet's roster (a dispatcher or a telematics system told so) or from history.
    """

    vehicle_id: str
    """Of the fleet; for one that history expects, any name of its own."""
    arrives: datetime
    departs: datetime
    required_wh: float
    """To be charged during the stay, Wh at the EVSE, >= 0."""
    max_power_w: float
    """Most the vehicle and the EVSE it will stand at can take together."""
    evse_id: str | None = None
    """Where it will stand; None: not known."""
    rank: int = 0
    """As `VehicleNeed.rank`."""
    probability: float = 1.0
    """1 for the roster; less for what history expects."""
