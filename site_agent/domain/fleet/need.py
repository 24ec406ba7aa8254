"""What a vehicle at a charger needs, and how little time is left for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleNeed:
    """Energy a plugged-in vehicle needs before it leaves."""

    evse_id: str
    vehicle_id: str
    required_wh: float
    """Still to be charged, W h, >= 0."""
    departure: datetime
    max_power_w: float
    """Most the vehicle and its EVSE can take together."""
    rank: int = 0
    """Lower goes first when not all can be served."""
    known: bool = True
    """False: identity unknown, the site's default policy stands in."""
    wanted_at: datetime | None = None
    """When people will unplug it for another vehicle, by the yard list; None: it may stay."""

    @property
    def due(self) -> datetime:
        """When it must have its energy: its departure, or when its plug is wanted."""
        return self.departure if self.wanted_at is None else min(self.departure, self.wanted_at)

    def laxity(self, now: datetime) -> timedelta:
        """Time until `due` less the time charging at full power would take; negative: late."""
        needed = timedelta(hours=self.required_wh / self.max_power_w)
        return (self.due - now) - needed
