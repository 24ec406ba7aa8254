"""Stays that are expected, reckoned now and then for each vehicle: hundreds may be asked for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from site_agent.domain.fleet.agreed import FleetVehicle, leaving
from site_agent.domain.fleet.expected import LATE, expected_stays
from site_agent.domain.fleet.stay import ExpectedStay

AHEAD = timedelta(hours=36)
"""How far stays are expected: as far as a plan looks."""
_GOOD_FOR = timedelta(seconds=60)
_SPREAD_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where a vehicle is, as far as the chargers show."""

    here: bool = False
    since: datetime | None = None
    """Since when it is here, or has left; None: not known."""


@dataclass(frozen=True, slots=True)
class _Reckoned:
    vehicle: FleetVehicle
    where: Whereabouts
    evse_w: float
    until: datetime
    stays: tuple[ExpectedStay, ...]


class Expecting:
    """Remembers what was reckoned for one to two minutes, as long as nothing has changed."""

    def __init__(self) -> None:
        self._reckoned: dict[str, _Reckoned] = {}

    def stays(
        self, vehicle: FleetVehicle, where: Whereabouts, evse_w: float, now: datetime
    ) -> Iterator[ExpectedStay]:
        """A vehicle's stays within `AHEAD`; of one that is here: after it has left."""
        name = vehicle.vehicle_id
        held = self._reckoned.get(name)
        if held is None or not _holds(held, vehicle, where, evse_w, now):
            spread = timedelta(seconds=zlib.crc32(name.encode()) % _SPREAD_S)
            found = tuple(_stays(vehicle, where, evse_w, now))
            until = now + _GOOD_FOR + spread
            held = self._reckoned[name] = _Reckoned(vehicle, where, evse_w, until, found)
        for stay in held.stays:
            yield stay if stay.arrives >= now else replace(stay, arrives=now)


def _holds(
    held: _Reckoned, vehicle: FleetVehicle, where: Whereabouts, evse_w: float, now: datetime
) -> bool:
    same = held.vehicle is vehicle and held.where == where and held.evse_w == evse_w
    return same and held.until - _GOOD_FOR - timedelta(seconds=_SPREAD_S) <= now < held.until


def _stays(
    vehicle: FleetVehicle, where: Whereabouts, evse_w: float, now: datetime
) -> Iterator[ExpectedStay]:
    if where.here:
        after = max(now, leaving(vehicle, where.since or now, now)[0])
    else:
        after = max(where.since or now - LATE, now - LATE)
    return expected_stays(vehicle, after, now, now + AHEAD, evse_w)
