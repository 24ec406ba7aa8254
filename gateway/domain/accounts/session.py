"""A charging session that is over, as its site has told it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.reading import Quality
from contracts.time import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingSession:
    """One transaction at one EVSE; times are as the charger told them."""

    session_id: str
    """Unique at its site."""
    evse_id: str
    vehicle_id: str
    """Of the fleet; empty: nobody knows."""
    started_at: datetime
    ended_at: datetime
    register_wh: float | None
    """Energy by the charger's register; None: none was told."""
    quality: Quality
    """Of that energy."""
    remarks: str = ""

    @property
    def window(self) -> Interval:
        """From its start to its end."""
        return Interval(start=self.started_at, end=self.ended_at)
