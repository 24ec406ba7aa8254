"""The yard list of a running site: who plugs in where and when, where vehicles outnumber plugs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from math import inf

import structlog

from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.domain.fleet.agreed import FleetVehicle
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.horizon import Horizon
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.yard.model import Plug, YardList, YardMove, YardPolicy, YardVehicle
from site_agent.domain.yard.planning import yard_list
from site_agent.flows.control.control_loop import Cycle

log = structlog.get_logger(__name__)

AHEAD = timedelta(hours=16)
"""How far ahead arrivals count: to the next morning."""
EVERY = timedelta(minutes=5)
"""It is made anew so often, and at once when somebody comes, goes, or is told to."""
_LOOK_S = 5.0

Vehicles = Callable[[], Mapping[str, FleetVehicle]]
Expected = Callable[[datetime], Sequence[ExpectedStay]]


class YardLists:
    """Makes the list beside the control loop, in a thread."""

    def __init__(self, vehicles: Vehicles, expected: Expected, clock: Clock, zone: tzinfo) -> None:
        self._vehicles = vehicles
        self._expected = expected
        self._clock = clock
        self._policy = YardPolicy(zone=zone)
        self._cycle: Cycle | None = None
        self._wanted = asyncio.Event()
        self._made_of: object = None
        self.latest: YardList | None = None
        """The newest list; None: every vehicle has a plug, or nothing is known yet."""

    @property
    def moves(self) -> Sequence[YardMove]:
        """What people should still do, by time."""
        return () if self.latest is None else self.latest.moves

    def wanted_at(self, need: VehicleNeed) -> datetime | None:
        """When the plug of this vehicle is wanted for another; None: it is not."""
        stay = None if self.latest is None else self.latest.stay_of(named(need))
        here = stay is not None and stay.swapped and stay.evse_id == need.evse_id
        return stay.until if stay is not None and here else None

    def heard(self, cycle: Cycle) -> None:
        """A cycle has been decided."""
        self._cycle = cycle

    def wake(self) -> None:
        """The roster has changed: make it anew at once."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep the list until cancelled."""
        while True:
            cycle, wanted = self._cycle, self._wanted.is_set()
            self._wanted.clear()
            if cycle is not None and (self._differs(cycle) or wanted):
                self.latest = await self._make(cycle)
            await first_of(self._clock.sleep(_LOOK_S), self._wanted.wait())

    def _differs(self, cycle: Cycle) -> bool:
        """Whether somebody came or left, a charger fell silent, or the list is old."""
        here = tuple((need.evse_id, need.vehicle_id) for need in cycle.snapshot.needs)
        online = tuple(one.online for one in cycle.snapshot.chargers)
        made_of = (here, online, cycle.snapshot.at.timestamp() // EVERY.total_seconds())
        differs, self._made_of = made_of != self._made_of, made_of
        return differs

    async def _make(self, cycle: Cycle) -> YardList | None:
        snapshot, now = cycle.snapshot, cycle.snapshot.at
        found, plugs = tuple(self._all(snapshot)), plugs_of(snapshot)
        if len(found) <= len(plugs):
            return None
        horizon = Horizon.around(now, timedelta(hours=24))
        building_w = cycle.decision.building_w
        rest_w = snapshot.model.max_building_w if building_w is None else max(0.0, building_w)
        left_w = horizon.filled(max(0.0, cycle.decision.envelope.import_w.value - rest_w))
        return await asyncio.to_thread(yard_list, found, plugs, horizon, left_w, now, self._policy)

    def _all(self, snapshot: SiteSnapshot) -> Iterator[YardVehicle]:
        fleet, now = self._vehicles(), snapshot.at
        here = {need.vehicle_id for need in snapshot.needs}
        for need in snapshot.needs:
            yield _standing(need, fleet.get(need.vehicle_id), now)
        for stay in self._expected(now):
            certain = stay.probability >= 1 and stay.arrives < now + AHEAD
            if certain and stay.vehicle_id not in here:
                here.add(stay.vehicle_id)  # its next stay alone
                yield _coming(stay, fleet.get(stay.vehicle_id))


def plugs_of(snapshot: SiteSnapshot) -> list[Plug]:
    """The EVSEs that answer."""
    return [
        Plug(
            evse_id=one.spec.evse_id,
            power_w=one.spec.max_current_a * one.spec.voltage_v * len(one.spec.phases),
            dc=one.spec.dc,
        )
        for one in snapshot.chargers
        if one.online
    ]


def named(need: VehicleNeed) -> str:
    """The vehicle as the list calls it."""
    return need.vehicle_id if need.known else f"{need.vehicle_id} at {need.evse_id}"


def _standing(need: VehicleNeed, vehicle: FleetVehicle | None, now: datetime) -> YardVehicle:
    ac_w, dc_w = _powers(vehicle, need.max_power_w)
    return YardVehicle(
        vehicle_id=named(need),
        arrives=now,
        departs=need.departure,
        required_wh=need.required_wh,
        ac_w=ac_w,
        dc_w=dc_w,
        rank=need.rank,
        at=need.evse_id,
    )


def _coming(stay: ExpectedStay, vehicle: FleetVehicle | None) -> YardVehicle:
    ac_w, dc_w = _powers(vehicle, stay.max_power_w)
    return YardVehicle(
        vehicle_id=stay.vehicle_id,
        arrives=stay.arrives,
        departs=stay.departs,
        required_wh=stay.required_wh,
        ac_w=ac_w,
        dc_w=dc_w,
        rank=stay.rank,
    )


def _powers(vehicle: FleetVehicle | None, known_w: float) -> tuple[float, float]:
    """What it takes at AC and at DC plugs, W."""
    if vehicle is None:
        return known_w, known_w
    ac_w, dc_w = (vehicle.power_w(inf, dc=dc) for dc in (False, True))
    return ac_w, dc_w
