"""Settings of the response to the grid's frequency."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.config import Settings
from site_agent.config.values import Name, Positive
from site_agent.domain.grid.droop import DroopPolicy


class DroopSettings(Settings):
    """Power against frequency: batteries first, then chargers, inside every limit."""

    power_w: Positive
    """What the site gives or takes at full response."""
    sensor: Name | None = None
    """Of `sensors`, with a point `frequency`; without it the meter's frequency counts."""
    nominal_hz: Literal[50, 60] = 50
    dead_band_hz: Annotated[float, Field(ge=0, le=1)] = 0.036
    """To either side, nothing happens."""
    slope: Annotated[float, Field(ge=0.001, le=0.2)] = 0.05
    """Change of frequency per change of power, both per unit: full response at `slope` x
    `nominal_hz` beyond the dead band."""
    chargers: bool = True
    """Whether vehicles with time to spare give way, down to their least current."""

    @property
    def policy(self) -> DroopPolicy:
        """The same in the domain's words."""
        return DroopPolicy(
            power_w=self.power_w,
            nominal_hz=float(self.nominal_hz),
            dead_band_hz=self.dead_band_hz,
            slope=self.slope,
            chargers=self.chargers,
        )
