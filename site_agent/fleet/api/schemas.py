"""What the API says, as JSON. SI units are in the names; instants are RFC 3339, UTC."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from site_agent.config.fleet_vehicle import TripSettings, VehicleFacts


class Answer(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


class Told(Answer):
    """Who told a datum, and when (a state of charge: when it was measured)."""

    source: str
    """settings, api, csv, geotab or samsara."""
    at: datetime | None = None
    """None: it is in the settings."""


class Vehicle(VehicleFacts):
    """A vehicle's data; what is not known is left out."""

    vehicle_id: str
    in_settings: bool
    """It is in the site's settings file, so it cannot be deleted here."""
    told: dict[str, Told]
    """Where every datum is from."""


class VehiclePage(Answer):
    """Some vehicles, by id."""

    vehicles: tuple[Vehicle, ...]
    next_after: str | None = None
    """The next page's `after`; None: this is the last."""


class Changed(Answer):
    """What a change of several vehicles has done."""

    changed: tuple[str, ...]
    """Vehicles whose data are other than before."""
    unchanged: tuple[str, ...]
    dry_run: bool = False
    """True: nothing was stored."""


class TripPage(Answer):
    """A vehicle's trips, by departure."""

    trips: tuple[TripSettings, ...]


class Session(Answer):
    """One charging session."""

    session_id: int
    """Never given twice on this site."""
    evse_id: str
    vehicle_id: str | None
    """By the card it was started with, as the cards are now; None: not known."""
    started_at: datetime
    ended_at: datetime | None
    """None: it runs, or its end has not been told yet."""
    reason: str | None
    """Of its end, as the charger says."""
    energy_wh: float | None
    """While it runs: so far; None: no register was told."""
    energy_quality: str
    """good: from the registers at start and end; estimated: `remarks` say why; offline: none."""
    remarks: tuple[str, ...]


class SessionPage(Answer):
    """Some sessions, the oldest first."""

    sessions: tuple[Session, ...]
    next_after: int | None = None
    """The next page's `after`; None: this is the last."""


class Prospect(Answer):
    """Whether one vehicle will have its energy when it leaves."""

    vehicle_id: str
    known: bool
    """False: nobody knows it, so the site's policy for strangers stands in."""
    evse_id: str | None
    """None: it is expected, and nobody knows where it will stand."""
    here: bool
    """False: it is expected."""
    soc_pct: float | None
    required_wh: float
    """Still to be charged."""
    departure: datetime
    rank: int
    outlook: str
    """ready, on track, at risk or will miss."""
    reason: str
    ready_at: datetime | None
    """When it will have its energy as things are; None: not within the hours looked at."""
    missing_wh: float
    """What it will lack when it leaves."""
    helps: str
    """What somebody can still do about it."""


class Readiness(Answer):
    """Every vehicle that is here or expected."""

    at: datetime
    """When it was judged."""
    vehicles: tuple[Prospect, ...]


class Stay(Answer):
    """A stay that is expected."""

    vehicle_id: str
    evse_id: str | None
    arrives: datetime
    departs: datetime
    required_wh: float
    """To be charged during it."""
    max_power_w: float
    rank: int


class Stays(Answer):
    """Stays expected within the next 36 h."""

    at: datetime
    stays: tuple[Stay, ...]


Instant = AwareDatetime
