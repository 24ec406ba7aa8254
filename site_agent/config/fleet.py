"""Settings of the fleet: who drives when, and what a stranger gets."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from contracts.config import Settings
from site_agent.config.devices import Percent, Positive
from site_agent.domain.fleet import (
    Departure,
    FleetVehicle,
    LeavesAfter,
    LeavesAt,
    LeavesDaily,
    Target,
)

_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{value!r} is no time zone (such as Europe/Berlin)") from error
    return value


def _no_number(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError("put clock times in quotes: YAML reads 22:00 as the number 1320")  # noqa: TRY004 (pydantic wants ValueError)
    return value


Zone = Annotated[str, AfterValidator(_zone)]


class VehicleSettings(Settings):
    """One vehicle of the fleet."""

    vehicle_id: Annotated[str, Field(min_length=1, max_length=60)]
    id_tags: tuple[Annotated[str, Field(min_length=1, max_length=36)], ...]
    departure: Annotated[str | datetime | None, BeforeValidator(_no_number)] = None
    """"HH:MM" every day on the local clock, or one instant (RFC 3339, with its offset)."""
    in_hours: Positive | None = None
    """Instead of `departure`: so long after it is plugged in."""
    time_zone: Zone | None = None
    """Of "HH:MM"; None: the site's."""
    required_soc_pct: Percent | None = None
    required_wh: Annotated[float, Field(ge=0)] | None = None
    """Instead of `required_soc_pct`: energy per stay."""
    capacity_wh: Positive | None = None
    arrival_soc_pct: Percent = 20.0
    """Assumed where nobody tells its state of charge."""
    max_power_w: Positive | None = None
    rank: Annotated[int, Field(ge=0, le=1000)] = 0
    """Lower goes first when not all can be served."""

    @model_validator(mode="after")
    def _says_when_and_how_much(self) -> VehicleSettings:
        if (self.departure is None) == (self.in_hours is None):
            raise ValueError("give either departure or in_hours")
        if (self.required_soc_pct is None) == (self.required_wh is None):
            raise ValueError("give either required_soc_pct or required_wh")
        if self.required_soc_pct is not None and self.capacity_wh is None:
            raise ValueError("required_soc_pct needs capacity_wh")
        self.leaves("UTC")
        return self

    def leaves(self, site_zone: str) -> Departure:
        """Its departure in the domain's words.

        Raises:
            ValueError: neither a clock time nor an instant with an offset.
        """
        if self.in_hours is not None:
            return LeavesAfter(stay=timedelta(hours=self.in_hours))
        text = str(self.departure)
        if clock := _CLOCK_TIME.fullmatch(text):
            at = time(int(clock[1]), int(clock[2]))
            return LeavesDaily(at=at, zone=ZoneInfo(self.time_zone or site_zone))
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f'departure {text!r}: "HH:MM" in quotes, or RFC 3339') from error
        if instant.tzinfo is None:
            raise ValueError(f"departure {text!r} has no offset: whose clock is that?")
        return LeavesAt(instant=instant)

    def vehicle(self, site_zone: str) -> FleetVehicle:
        """The vehicle in the domain's words."""
        return FleetVehicle(
            vehicle_id=self.vehicle_id,
            departure=self.leaves(site_zone),
            target=Target(
                soc_pct=self.required_soc_pct,
                capacity_wh=self.capacity_wh,
                energy_wh=self.required_wh,
                arrival_soc_pct=self.arrival_soc_pct,
            ),
            max_power_w=self.max_power_w,
            rank=self.rank,
        )


class StrangerSettings(Settings):
    """What a vehicle gets that the fleet table does not know."""

    admit: bool = True
    """Whether its card may start a transaction."""
    stay_h: Positive = 8.0
    required_wh: Annotated[float, Field(ge=0)] = 20_000.0
    rank: Annotated[int, Field(ge=0, le=1000)] = 100

    def vehicle(self) -> FleetVehicle:
        """What stands in for a vehicle nobody knows."""
        return FleetVehicle(
            vehicle_id="unknown",
            departure=LeavesAfter(stay=timedelta(hours=self.stay_h)),
            target=Target(energy_wh=self.required_wh),
            rank=self.rank,
        )
