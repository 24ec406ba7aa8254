"""What a yard list is made of: plugs, vehicles, stays at plugs, and moves for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Plug:
    """One EVSE as the yard sees it."""

    evse_id: str
    power_w: float
    """Most it can give, W, > 0."""
    dc: bool = False
    bay: str = ""
    """Where it stands, as people call it; empty: like the EVSE."""

    @property
    def place(self) -> str:
        """What people call it."""
        return self.bay or self.evse_id


@dataclass(frozen=True, slots=True, kw_only=True)
class YardVehicle:
    """One vehicle that is in the yard, or expected there."""

    vehicle_id: str
    arrives: datetime
    """When it came or is expected; the past for one that is here."""
    departs: datetime
    required_wh: float
    """Still to be charged, Wh at the EVSE, >= 0."""
    ac_w: float
    """Most it takes at an AC plug, W; 0: it does not fit one."""
    dc_w: float = 0.0
    """The same at a DC plug."""
    rank: int = 0
    """Lower goes first when not all can be served."""
    at: str | None = None
    """EVSE it is plugged in at; None: at none."""
    only: str | None = None
    """Its own EVSE, where it has one: no other will do."""

    def takes_w(self, plug: Plug) -> float:
        """Most power it gets at this plug, W; 0: it does not fit."""
        if self.only not in (None, plug.evse_id):
            return 0.0
        return min(plug.power_w, self.dc_w if plug.dc else self.ac_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class YardPolicy:
    """How people work."""

    swap: timedelta = timedelta(minutes=10)
    """From a vehicle's unplugging to the next one's plugging in."""
    slack: timedelta = timedelta(minutes=20)
    """How late people may be without a vehicle missing its departure."""
    zone: tzinfo = UTC
    """The clock people read: words tell times on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YardStay:
    """One vehicle at one plug during `[since, until)`."""

    vehicle_id: str
    evse_id: str
    since: datetime
    until: datetime
    """When it should have its energy: its departure, or when the plug is wanted for another."""
    swapped: bool = False
    """Whether another vehicle gets the plug then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YardMove:
    """One thing for people to do."""

    vehicle_id: str
    from_evse: str | None
    """None: from its parking place, or from the road."""
    to_evse: str | None
    """None: to a parking place."""
    at: datetime
    """When it should be done; a vehicle that is charged may be moved earlier."""
    by: datetime
    """Done later than this, a vehicle leaves without its energy."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YardList:
    """Stays and moves in order of time, and who will not have its energy."""

    made_at: datetime
    stays: tuple[YardStay, ...] = ()
    moves: tuple[YardMove, ...] = ()
    short_wh: Mapping[str, float] = field(default_factory=dict)
    """By `vehicle_id`: what will be missing at departure, Wh; only those that miss any."""
    without: tuple[str, ...] = ()
    """Vehicles for which there is no plug."""

    def stay_of(self, vehicle_id: str) -> YardStay | None:
        """The stay of a vehicle; None: no plug for it, or it needs none."""
        return next((one for one in self.stays if one.vehicle_id == vehicle_id), None)
