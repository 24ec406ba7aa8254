"""What does not change between forecasts of one site."""

from __future__ import annotations

from dataclasses import dataclass

from site_agent.domain.device import BatterySpec
from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.clear_sky import Place, PvArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastGround:
    """The site as its forecasts see it."""

    calendar: Calendar
    largest_w: float
    """Most the building may draw, W."""
    place: Place | None
    """None: nobody has told where the site is."""
    arrays: tuple[PvArray, ...] = ()
    batteries: tuple[BatterySpec, ...] = ()
