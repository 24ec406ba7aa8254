"""One vehicle as the settings and the fleet's systems describe it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator

from contracts.config import Settings
from contracts.time import as_utc
from site_agent.config.values import Name, Percent
from site_agent.domain.fleet.agreed import (
    Departure,
    FleetVehicle,
    LeavesAfter,
    LeavesAt,
    LeavesDaily,
    SocReport,
    Target,
    Trip,
)

_DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_TRIPS = 200
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


def _card(value: object) -> object:
    """A bare word is a card of which nothing else is said."""
    if isinstance(value, int | float):
        raise ValueError("put id tags in quotes: YAML reads 0012 as a number")  # noqa: TRY004 (pydantic wants ValueError)
    return {"tag": value} if isinstance(value, str) else value


Zone = Annotated[str, AfterValidator(_zone)]
HolderName = Annotated[str, Field(min_length=1, max_length=60)]
Tag = Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[!-~]+( [!-~]+)*$")]
"""Printable ASCII; 1.6 chargers take at most 20 characters."""
Group = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[!-~]+$")]
ContractId = Annotated[
    str, Field(pattern=r"^[A-Za-z]{2}-?[0-9A-Za-z]{3}-?[Cc]?[0-9A-Za-z]{8,9}(-?[0-9A-Za-z])?$")
]
VehicleAddress = Annotated[str, Field(pattern=r"^[0-9A-Za-z:.-]{12,255}$")]

Instant = Annotated[AwareDatetime, AfterValidator(as_utc)]
"""RFC 3339, with its offset."""
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Energy = Annotated[float, Field(ge=0, le=10_000_000)]
Power = Annotated[float, Field(gt=0, le=10_000_000)]


# --- who is who -----------------------------------------------------------------------------------


class CardSettings(Settings):
    """A card, fob or app account. It is personal data: logs show its last characters only."""

    tag: Tag
    """The id that chargers read from it; upper and lower case are the same."""
    type: Literal["ISO14443", "ISO15693", "KeyCode", "Local", "Central"] = "ISO14443"
    """What it is in the local lists of 2.0.1 chargers; a card shown counts whatever its type."""
    group: Group | None = None
    """Instead of its holder's."""
    valid_until: Annotated[AwareDatetime, AfterValidator(as_utc)] | None = None
    """RFC 3339, with its offset."""
    blocked: bool = False
    """Lost or withdrawn: refused wherever it is shown."""
    evses: tuple[Name, ...] = ()
    """Only at these EVSEs; empty: at all."""


class HolderSettings(Settings):
    """Who may hold cards."""

    id_tags: Annotated[
        tuple[Annotated[CardSettings, BeforeValidator(_card)], ...], Field(max_length=100)
    ] = ()
    """Its cards: `TAG`, or `{tag: TAG, group: ..., valid_until: ..., blocked: ..., evses: ...}`."""
    group: Group | None = None
    """Cards of one group may stop each other's transactions."""


class TripSettings(Settings):
    """One journey with a date."""

    trip_id: HolderName
    departs: Instant
    returns: Instant | None = None
    """None: its return is not expected."""
    required_soc_pct: Percent | None = None
    """When it departs; None: as for every day."""
    required_wh: Energy | None = None
    """Instead: energy to be charged before it."""
    arrival_soc_pct: Percent | None = None
    """Left when it returns."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.returns is not None and self.returns <= self.departs:
            raise ValueError("returns must be later than departs")
        if self.required_soc_pct is not None and self.required_wh is not None:
            raise ValueError("give either required_soc_pct or required_wh")
        return self

    def trip(self) -> Trip:
        """In the domain's words."""
        return Trip(**{name: getattr(self, name) for name in type(self).model_fields})


class VehicleData(HolderSettings):
    """What may be said of a vehicle; nothing of it has to be."""

    vin: Annotated[str, Field(pattern=r"^[A-HJ-NPR-Za-hj-npr-z0-9]{17}$")] | None = None
    """ISO 3779; for chargers that tell it."""
    emaids: Annotated[tuple[ContractId, ...], Field(max_length=20)] = ()
    """Contracts in its ISO 15118 certificates, with or without hyphens and check digit."""
    evccids: Annotated[tuple[VehicleAddress, ...], Field(max_length=20)] = ()
    """What it calls itself on the cable: a MAC address (autocharge), or an ISO 15118-20 EVCCID."""
    departure: Annotated[str | datetime | None, BeforeValidator(_no_number)] = None
    """"HH:MM" every day on the local clock, or one instant (RFC 3339, with its offset)."""
    days: Annotated[tuple[Day, ...], Field(max_length=7)] = ()
    """Weekdays on which "HH:MM" of `departure` and `arrival` hold; empty: every day."""
    in_hours: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Instead of `departure`: so long after it is plugged in."""
    arrival: Annotated[str | None, BeforeValidator(_no_number)] = None
    """"HH:MM" when it is expected back; None: not known."""
    time_zone: Zone | None = None
    """Of "HH:MM"; None: the site's."""
    trips: Annotated[tuple[TripSettings, ...], Field(max_length=MOST_TRIPS)] = ()
    """Journeys with a date; one replaces the daily departure of its day."""
    required_soc_pct: Percent | None = None
    """When it departs."""
    required_wh: Energy | None = None
    """Instead of `required_soc_pct`: energy per stay."""
    capacity_wh: Annotated[float, Field(gt=0, le=10_000_000)] | None = None
    arrival_soc_pct: Percent = 20.0
    """Assumed where nobody tells its state of charge."""
    max_power_w: Power | None = None
    max_dc_power_w: Power | None = None
    """From a DC charger; None: `max_power_w`."""
    rank: Annotated[int, Field(ge=0, le=1000)] = 0
    """Lower goes first when not all can be served."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.departure is not None and self.in_hours is not None:
            raise ValueError("give either departure or in_hours")
        if self.required_soc_pct is not None and self.required_wh is not None:
            raise ValueError("give either required_soc_pct or required_wh")
        if self.required_soc_pct is not None and self.capacity_wh is None:
            raise ValueError("required_soc_pct needs capacity_wh")
        if len({trip.trip_id for trip in self.trips}) < len(self.trips):
            raise ValueError("two trips have the same trip_id")
        self.leaves("UTC")
        self.comes("UTC")
        return self

    def leaves(self, site_zone: str) -> Departure | None:
        """Its departure in the domain's words.

        Raises:
            ValueError: neither a clock time nor an instant with an offset.
        """
        if self.in_hours is not None:
            return LeavesAfter(stay=timedelta(hours=self.in_hours))
        if self.departure is None:
            return None
        text = str(self.departure)
        if _CLOCK_TIME.fullmatch(text):
            return self._daily(text, site_zone)
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f'departure {text!r}: "HH:MM" in quotes, or RFC 3339') from error
        if instant.tzinfo is None:
            raise ValueError(f"departure {text!r} has no offset: whose clock is that?")
        return LeavesAt(instant=instant)

    def comes(self, site_zone: str) -> LeavesDaily | None:
        """Its usual arrival; raises as `leaves`."""
        if self.arrival is None:
            return None
        if not _CLOCK_TIME.fullmatch(self.arrival):
            raise ValueError(f'arrival {self.arrival!r}: "HH:MM" in quotes')
        return self._daily(self.arrival, site_zone)

    def _daily(self, text: str, site_zone: str) -> LeavesDaily:
        days = frozenset(_DAYS.index(day) for day in self.days)
        at = time.fromisoformat(text)
        return LeavesDaily(at=at, zone=ZoneInfo(self.time_zone or site_zone), days=days or None)

    def agreed(self, vehicle_id: str, site_zone: str, default: FleetVehicle) -> FleetVehicle:
        """The vehicle in the domain's words; `default` says what is left open."""
        energy_wh = self.required_wh
        if energy_wh is None and self.required_soc_pct is None:
            energy_wh = default.target.energy_wh
        return FleetVehicle(
            vehicle_id=vehicle_id,
            departure=self.leaves(site_zone) or default.departure,
            target=Target(
                soc_pct=self.required_soc_pct,
                capacity_wh=self.capacity_wh,
                energy_wh=energy_wh,
                arrival_soc_pct=self.arrival_soc_pct,
            ),
            max_power_w=self.max_power_w,
            max_dc_power_w=self.max_dc_power_w,
            rank=self.rank,
            trips=tuple(trip.trip() for trip in self.trips),
            arrives_daily=self.comes(site_zone),
        )


class VehicleSettings(VehicleData):
    """One vehicle of the fleet."""

    vehicle_id: HolderName

    @model_validator(mode="after")
    def _says_when_and_how_much(self) -> Self:
        if self.departure is None and self.in_hours is None:
            raise ValueError("give either departure or in_hours")
        if self.required_soc_pct is None and self.required_wh is None:
            raise ValueError("give either required_soc_pct or required_wh")
        return self

    def vehicle(self, site_zone: str) -> FleetVehicle:
        """The vehicle in the domain's words."""
        nothing = FleetVehicle(
            vehicle_id="", departure=LeavesAfter(stay=timedelta(0)), target=Target()
        )
        return self.agreed(self.vehicle_id, site_zone, nothing)


class VehicleFacts(VehicleData):
    """What a fleet's system may tell of a vehicle while the agent runs."""

    bay: Name | None = None
    """The EVSE that is its place."""
    soc_pct: Percent | None = None
    """State of charge, as measured in the vehicle."""
    arrives: Instant | None = None
    """When it is expected next (an ETA)."""

    def live(
        self, vehicle_id: str, site_zone: str, default: FleetVehicle, soc_at: datetime | None
    ) -> FleetVehicle:
        """As `agreed`, with what is only true now; `soc_at`: when `soc_pct` was measured."""
        soc = None
        if self.soc_pct is not None and soc_at is not None:
            soc = SocReport(pct=self.soc_pct, at=soc_at)
        found = self.agreed(vehicle_id, site_zone, default)
        return replace(found, arrives=self.arrives, soc=soc, bay=self.bay)
