"""Vehicles that are not plugged in yet: when they come, until when, with how much to charge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from site_agent.domain.fleet.agreed import (
    FleetVehicle,
    LeavesAfter,
    Target,
    Trip,
    leaving,
    next_daily,
)
from site_agent.domain.fleet.stay import ExpectedStay

LATE = timedelta(hours=2)
"""A vehicle that has not come so long after it was expected is not expected any more."""
SOC_SAYS = timedelta(hours=1)
"""A state of charge told this long ago still says something about a vehicle under way."""
_SAME = timedelta(minutes=30)
"""Two words for an arrival this close to each other mean the same one."""


def expected_stays(
    vehicle: FleetVehicle, after: datetime, now: datetime, until: datetime, evse_w: float
) -> Iterator[ExpectedStay]:
    """Its stays that begin after `after` (the end of its last or present one) and by `until`.

    One that is late counts as coming now, until it is later than `LATE`. `evse_w`: rating of the
    EVSE it will stand at.
    """
    for arrives, trip in _arrivals(vehicle, max(after, now - LATE), until):
        comes = max(arrives, now)
        departs, target = leaving(vehicle, comes, comes)
        yield ExpectedStay(
            vehicle_id=vehicle.vehicle_id,
            arrives=comes,
            departs=departs,
            required_wh=_to_charge_wh(vehicle, target, trip, now),
            max_power_w=vehicle.power_w(evse_w, dc=False),
            evse_id=vehicle.bay,
            rank=vehicle.rank,
        )


def _arrivals(
    vehicle: FleetVehicle, after: datetime, until: datetime
) -> Iterator[tuple[datetime, Trip | None]]:
    """What was told of one arrival by several is one; the most certain word counts."""
    told: list[tuple[datetime, Trip | None]] = []
    if vehicle.arrives is not None:
        told.append((vehicle.arrives, None))
    told += [(trip.returns, trip) for trip in vehicle.trips if trip.returns is not None]
    at = None if vehicle.arrives_daily is None else next_daily(vehicle.arrives_daily, after)
    while vehicle.arrives_daily is not None and at is not None and at <= until:
        told.append((at, None))
        at = next_daily(vehicle.arrives_daily, at)
    ahead = [one for one in told if after < one[0] <= until]
    kept: list[tuple[datetime, Trip | None]] = []
    for at, trip in ahead:  # in the order of how certain they are
        if all(_apart(vehicle, at, other) for other, _ in kept):
            kept.append((at, trip))
    yield from sorted(kept, key=lambda one: one[0])


def _apart(vehicle: FleetVehicle, one: datetime, other: datetime) -> bool:
    """Whether these are two arrivals: the vehicle leaves in between."""
    if abs(one - other) < _SAME:
        return False
    if isinstance(vehicle.departure, LeavesAfter) and not vehicle.trips:
        return True
    first, second = sorted((one, other))
    departs, _ = leaving(vehicle, first, first)
    return departs < second


def _to_charge_wh(vehicle: FleetVehicle, target: Target, trip: Trip | None, now: datetime) -> float:
    """A vehicle under way comes with no more than it has told, nor with more than is assumed."""
    if target.soc_pct is None or target.capacity_wh is None:
        return max(0.0, target.energy_wh or 0.0)
    told = None if trip is None else trip.arrival_soc_pct
    comes_pct = target.arrival_soc_pct if told is None else told
    if vehicle.soc is not None and now - vehicle.soc.at <= SOC_SAYS:
        comes_pct = min(comes_pct, vehicle.soc.pct)
    return max(0.0, (target.soc_pct - comes_pct) / 100.0 * target.capacity_wh)
