"""The fleet as the site knows it: who leaves when, with how much energy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from math import ceil

from contracts.time import as_utc
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed

_DAY = timedelta(days=1)
GRACE = timedelta(hours=2)
"""A vehicle still plugged in this long after its departure is no longer expected to leave then."""
SOC_MAX_AGE = timedelta(minutes=15)
"""A state of charge this old still says enough about what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavesAt:
    """One known instant."""

    instant: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavesDaily:
    """Every day at a local wall-clock time."""

    at: time
    zone: tzinfo


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
class FleetVehicle:
    """What is agreed about one vehicle, or (as the default policy) about a stranger."""

    vehicle_id: str
    departure: Departure
    target: Target
    max_power_w: float | None = None
    """Most it can take; None: as much as its EVSE."""
    rank: int = 0


def need_of(
    vehicle: FleetVehicle,
    charger: ChargerState,
    arrived_at: datetime,
    now: datetime,
    *,
    known: bool = True,
) -> VehicleNeed:
    """What this vehicle, plugged in at this charger since `arrived_at`, still needs."""
    spec = charger.spec
    evse_w = spec.max_current_a * spec.voltage_v * len(spec.phases)
    return VehicleNeed(
        evse_id=spec.evse_id,
        vehicle_id=vehicle.vehicle_id,
        required_wh=_missing_wh(vehicle.target, charger, now),
        departure=next_departure(vehicle.departure, arrived_at, now),
        max_power_w=min(evse_w, vehicle.max_power_w or evse_w),
        rank=vehicle.rank,
        known=known,
    )


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
        case LeavesDaily(at=at, zone=zone):
            leaves = _next_daily(at, zone, max(arrived_at, now - GRACE))
    overstayed = max(timedelta(0), now - GRACE - leaves)
    return leaves + ceil(overstayed / _DAY) * _DAY


def _next_daily(at: time, zone: tzinfo, after: datetime) -> datetime:
    local = after.astimezone(zone)
    leaves = datetime.combine(local.date(), at, tzinfo=zone)
    if as_utc(leaves) <= after:
        leaves = datetime.combine(local.date() + timedelta(days=1), at, tzinfo=zone)
    return as_utc(leaves)


def _missing_wh(target: Target, charger: ChargerState, now: datetime) -> float:
    charged_wh = charger.energy_wh.value or 0.0
    if target.soc_pct is None or target.capacity_wh is None:
        return max(0.0, (target.energy_wh or 0.0) - charged_wh)
    soc = charger.soc_pct.fresh(now, SOC_MAX_AGE)
    if soc is None:
        soc = target.arrival_soc_pct + 100.0 * charged_wh / target.capacity_wh
    return max(0.0, (target.soc_pct - soc) / 100.0 * target.capacity_wh)
