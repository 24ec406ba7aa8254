"""A vehicle's trips as data: what is told anew replaces its like, what is long over goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from site_agent.config.fleet_vehicle import TripSettings
from site_agent.flows.fleet.roster import Entry

Trips = list[dict[str, Any]]
OVER = timedelta(days=2)
"""A trip that ended so long ago is forgotten as others are told."""


def trips_of(entry: Entry | None) -> Trips:
    """Its trips as they are held."""
    held = None if entry is None else entry.values.get("trips")
    return list(held) if isinstance(held, list) else []


def merged_trips(entry: Entry | None, told: Iterable[dict[str, Any]], now: datetime) -> Trips:
    """All its trips, with those that are told in place of those of the same id."""
    new = list(told)
    names = {one["trip_id"] for one in new}
    kept = [one for one in trips_of(entry) if one["trip_id"] not in names and not over(one, now)]
    return [*kept, *new]


def over(one: dict[str, Any], now: datetime) -> bool:
    """Whether it was over long ago."""
    trip = TripSettings.model_validate(one).trip()
    return (trip.returns or trip.departs) < now - OVER
