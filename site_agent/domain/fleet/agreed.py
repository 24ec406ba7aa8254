"""The fleet as the site knows it: who leaves when, with how much energy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from math import ceil

from contracts.time import as_utc
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed

_DAY = timedelta(days=1)
_MOST_DAYS = 28
GRACE = timedelta(hours=2)
"""A vehicle still plugged in this long after its departure is no longer expected to leave then."""
SOC_MAX_AGE = timedelta(minutes=15)
"""A state of charge this old still says enough about what is missing."""
BEFORE_ARRIVAL = timedelta(hours=1)
"""A state of charge that telematics told longer before the plug-in may be from before a drive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavesAt:
    """One known instant."""

    instant: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavesDaily:
    """Every day, or on some weekdays, at a local wall-clock time."""

    at: time
    zone: tzinfo
    days: frozenset[int] | None = None
    """Weekdays (0: Monday), not empty; None: all."""

    def on(self, day: date) -> bool:
        """Whether it holds on this day."""
        return self.days is None or day.weekday() in self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavesAfter:
    """So long after it was plugged in."""

    stay: timedelta


Departure = LeavesAt | LeavesDaily | LeavesAfter


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Energy at departure: a state of charge of a battery, else Wh per stay."""

    soc_pct: float | None = None
    capacity_wh: float | None = None
    energy_wh: float | None = None
    arrival_soc_pct: float = 20.0
    """Assumed where neither charger nor vehicle tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One journey with a date. Where it says nothing of its own, the vehicle's target holds."""

    trip_id: str
    departs: datetime
    returns: datetime | None = None
    """None: not known, so its return is not expected."""
    required_soc_pct: float | None = None
    """When it departs, 0 to 100 %."""
    required_wh: float | None = None
    """Instead: energy to be charged in the stay before it, Wh."""
    arrival_soc_pct: float | None = None
    """Left in the battery when it returns, 0 to 100 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocReport:
    """A state of charge that the fleet's system has told."""

    pct: float
    at: datetime
    """When it was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetVehicle:
    """What is agreed about one vehicle, or (as the default policy) about a stranger."""

    vehicle_id: str
    departure: Departure
    target: Target
    max_power_w: float | None = None
    """Most it can take; None: as much as its EVSE."""
    max_dc_power_w: float | None = None
    """The same from a DC charger; None: `max_power_w`."""
    rank: int = 0
    trips: tuple[Trip, ...] = ()
    arrives: datetime | None = None
    """When it is expected next, as somebody has told."""
    arrives_daily: LeavesDaily | None = None
    """When it is expected as a rule."""
    soc: SocReport | None = None
    bay: str | None = None
    """The EVSE that is its place."""

    def power_w(self, evse_w: float, *, dc: bool) -> float:
        """Most that it and an EVSE of this rating can take together, W."""
        own_w = self.max_power_w
        if dc and self.max_dc_power_w is not None:
            own_w = self.max_dc_power_w
        return evse_w if own_w is None else min(evse_w, own_w)


def need_of(
    vehicle: FleetVehicle,
    charger: ChargerState,
    arrived_at: datetime,
    now: datetime,
    *,
    known: bool = True,
    before_report_wh: float = 0.0,
) -> VehicleNeed:
    """What this vehicle, plugged in at this charger since `arrived_at`, still needs.

    `before_report_wh`: of what it has charged here, what was charged when `vehicle.soc` was told.
    """
    spec = charger.spec
    evse_w = spec.max_current_a * spec.voltage_v * len(spec.phases)
    departure, target = leaving(vehicle, arrived_at, now)
    floor = _Floor(report=vehicle.soc, arrived_at=arrived_at, before_wh=before_report_wh)
    return VehicleNeed(
        evse_id=spec.evse_id,
        vehicle_id=vehicle.vehicle_id,
        required_wh=_missing_wh(target, charger, floor, now),
        departure=departure,
        max_power_w=vehicle.power_w(evse_w, dc=spec.dc),
        rank=vehicle.rank,
        known=known,
    )


def leaving(vehicle: FleetVehicle, arrived_at: datetime, now: datetime) -> tuple[datetime, Target]:
    """When it leaves next, and with what.

    A dated trip replaces the daily departure of its day, and a stay that is only counted from the
    plug-in if it begins within a day; else whichever comes first counts.
    """
    after = max(arrived_at, now - GRACE)
    ahead = [trip for trip in vehicle.trips if trip.departs > after]
    trip = min(ahead, key=lambda one: one.departs, default=None)
    planned = _planned(vehicle, arrived_at, now)
    if trip is None:
        return planned, vehicle.target
    stays = isinstance(vehicle.departure, LeavesAfter) and trip.departs - now < _DAY
    if stays or trip.departs <= planned:
        return trip.departs, target_of(trip, vehicle.target)
    return planned, vehicle.target


def target_of(trip: Trip, usual: Target) -> Target:
    """What it must have for a trip."""
    if trip.required_wh is not None:
        return replace(usual, soc_pct=None, energy_wh=trip.required_wh)
    if trip.required_soc_pct is not None and usual.capacity_wh is not None:
        return replace(usual, soc_pct=trip.required_soc_pct, energy_wh=None)
    return usual


def _planned(vehicle: FleetVehicle, arrived_at: datetime, now: datetime) -> datetime:
    plan = vehicle.departure
    if isinstance(plan, LeavesDaily):
        dates = {trip.departs.astimezone(plan.zone).date() for trip in vehicle.trips}
        return next_daily(plan, max(arrived_at, now - GRACE), dates)
    return next_departure(plan, arrived_at, now)


def next_departure(departure: Departure, arrived_at: datetime, now: datetime) -> datetime:
    """When it leaves. A vehicle that is late stays late for `GRACE`; then its next day counts.

    A vehicle that outstays a single instant or stay by more is taken to leave at the same time on
    a later day, so that it neither outranks the others for ever nor is forgotten.
    """
    match departure:
        case LeavesAt(instant=instant):
            leaves = as_utc(instant)
        case LeavesAfter(stay=stay):
            leaves = arrived_at + stay
        case LeavesDaily():
            leaves = next_daily(departure, max(arrived_at, now - GRACE))
    overstayed = max(timedelta(0), now - GRACE - leaves)
    return leaves + ceil(overstayed / _DAY) * _DAY


def next_daily(plan: LeavesDaily, after: datetime, without: Collection[date] = ()) -> datetime:
    """The first one later than `after`; `without`: local dates on which something else holds.

    Where every day is one of these (a trip on each), the first regular day counts all the same.
    """
    today = after.astimezone(plan.zone).date()
    found: list[datetime] = []
    for ahead in range(_MOST_DAYS):
        day = today + timedelta(days=ahead)
        leaves = as_utc(datetime.combine(day, plan.at, tzinfo=plan.zone))
        if leaves > after and plan.on(day):
            if day not in without:
                return leaves
            found.append(leaves)
    return found[0] if found else after + _MOST_DAYS * _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Floor:
    """What telematics say of the battery, and from when."""

    report: SocReport | None
    arrived_at: datetime
    before_wh: float


def _missing_wh(target: Target, charger: ChargerState, floor: _Floor, now: datetime) -> float:
    charged_wh = charger.energy_wh.value or 0.0
    if target.soc_pct is None or target.capacity_wh is None:
        return max(0.0, (target.energy_wh or 0.0) - charged_wh)
    soc = charger.soc_pct.fresh(now, SOC_MAX_AGE)
    if soc is None:
        soc = _reckoned_pct(target, target.capacity_wh, floor, charged_wh)
    return max(0.0, (target.soc_pct - soc) / 100.0 * target.capacity_wh)


def _reckoned_pct(target: Target, capacity_wh: float, floor: _Floor, charged_wh: float) -> float:
    """State of charge where the charger does not tell: the last one told, and what came since.

    A report from long before the plug-in may be from before a drive: what is assumed counts.
    """
    report = floor.report
    if report is None or report.at < floor.arrived_at - BEFORE_ARRIVAL:
        return target.arrival_soc_pct + 100.0 * charged_wh / capacity_wh
    before_wh = floor.before_wh if report.at > floor.arrived_at else 0.0
    return report.pct + 100.0 * max(0.0, charged_wh - before_wh) / capacity_wh
