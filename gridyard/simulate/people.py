"""Who plugs in where: people with a yard list, or people who go by what they see.

Both take the same time for a swap and come late just as often; they differ in what they know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from gridyard.simulate.equipment import Outlet
from gridyard.simulate.measure import Left, Stayed
from gridyard.simulate.night import Night, Visit
from gridyard.simulate.scenario import YardSettings
from gridyard.simulate.world import World
from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.yard.model import Plug, YardList, YardPolicy, YardVehicle
from site_agent.domain.yard.planning import yard_list

_FULL_PCT = 99.8
_NEARLY_WH = 30.0
"""A vehicle that misses less than this is charged: people do not wait for the last watt hour."""
_RELIST = timedelta(minutes=15)
_STEP = timedelta(minutes=15)


@dataclass(slots=True)
class Guest:
    """A vehicle in the yard."""

    visit: Visit
    soc_pct: float
    evse_id: str | None = None
    since: datetime | None = None
    begun_wh: float = 0.0
    plugs: int = 0
    moving: bool = False
    """People are about to plug it in, at `bound_for`."""
    bound_for: str | None = None

    @property
    def missing_wh(self) -> float:
        """What it still needs while parked, Wh."""
        return self.visit.missing_wh(self.soc_pct)


At = Callable[[float, Callable[[], None]], None]
"""Do something so many seconds from now."""


class People(Protocol):
    """Decides which vehicle goes where."""

    def sent_to(self, yard: Yard, guest: Guest) -> str | None:
        """The free EVSE for a vehicle that has just come or waits; None: it waits."""
        ...

    def next_at(self, yard: Yard, outlet: Outlet) -> Guest | None:
        """Who gets the plug of the vehicle there now; None: it stays."""
        ...

    def until(self, yard: Yard, guest: Guest) -> datetime:
        """When the vehicle should be charged."""
        ...


@dataclass
class Yard:
    """The vehicles that are here, and the people who move them."""

    world: World
    night: Night
    settings: YardSettings
    people: People
    later: At
    here: dict[str, Guest] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    stays: list[Stayed] = field(default_factory=list)
    swaps: int = 0
    version: int = 0
    """Counts whatever changes who is where."""

    @property
    def now(self) -> datetime:
        """The instant."""
        return self.world.now

    @property
    def waiting(self) -> list[Guest]:
        """Vehicles without a plug that nobody is moving, in order of arrival."""
        return [one for one in self.here.values() if one.evse_id is None and not one.moving]

    def arrive(self, visit: Visit) -> None:
        """A vehicle comes."""
        self.version += 1
        self.here[visit.visit_id] = Guest(visit=visit, soc_pct=visit.vehicle.soc_pct)
        self.look()

    def leave(self, visit: Visit) -> None:
        """It leaves, charged or not."""
        guest = self.here.pop(visit.visit_id, None)
        self.version += 1
        if guest is None:
            return
        if guest.evse_id is not None:
            self._unplug(guest)
        self.left.append(
            Left(
                vehicle_id=visit.visit_id,
                departs=visit.departs,
                required_soc_pct=visit.required_soc_pct,
                soc_pct=guest.soc_pct,
                missing_wh=guest.missing_wh,
                arrived_soc_pct=visit.vehicle.soc_pct,
                plugs=guest.plugs,
            )
        )
        self.look()

    def look(self) -> None:
        """People look round: who waits gets a free plug; who is charged gives its plug away."""
        for guest in self.waiting:
            evse_id = self.people.sent_to(self, guest)
            if evse_id is not None:
                self._send(guest, evse_id, self.settings.walk_min * 60.0)
        for outlet in self.world.outlets.values():
            if outlet.visit is not None and not outlet.reserved and self.charged(outlet):
                following = self.people.next_at(self, outlet)
                if following is not None:
                    self._swap(outlet, following)

    def charged(self, outlet: Outlet) -> bool:
        """Whether people see (or are told) that the vehicle there is done."""
        return outlet.missing_wh <= _NEARLY_WH

    def _send(self, guest: Guest, evse_id: str, after_s: float) -> None:
        guest.moving, guest.bound_for = True, evse_id
        self.world.outlets[evse_id].reserved = True
        self.later(after_s, lambda: self._plug_in(guest, evse_id))

    def _plug_in(self, guest: Guest, evse_id: str) -> None:
        outlet = self.world.outlets[evse_id]
        guest.moving = outlet.reserved = False
        guest.bound_for = None
        if guest.visit.visit_id not in self.here or outlet.visit is not None:
            return  # gone meanwhile
        self.world.plug_in(guest.visit, evse_id, guest.soc_pct)
        guest.evse_id, guest.since = evse_id, self.now
        guest.plugs += 1

    def _swap(self, outlet: Outlet, following: Guest) -> None:
        """Late or not, one goes out, and after a while the other is in."""
        late_s = self.night.late_s[self.swaps % len(self.night.late_s)]
        self.swaps += 1
        outlet.reserved, following.moving = True, True
        following.bound_for = outlet.spec.evse_id
        leaving = outlet.visit
        self.later(late_s, lambda: self._take_out(outlet, leaving))
        self.later(
            late_s + self.settings.swap_min * 60.0,
            lambda: self._plug_in(following, outlet.spec.evse_id),
        )

    def _take_out(self, outlet: Outlet, leaving: Visit | None) -> None:
        guest = None if leaving is None else self.here.get(leaving.visit_id)
        if guest is not None and guest.evse_id == outlet.spec.evse_id:
            self._unplug(guest)

    def _unplug(self, guest: Guest) -> None:
        evse_id, guest.evse_id = guest.evse_id or "", None
        outlet = self.world.outlets[evse_id]
        energy_wh = outlet.evse.register_wh - outlet.begun_wh
        guest.soc_pct = self.world.unplug(evse_id)
        self.version += 1
        self.stays.append(
            Stayed(
                vehicle_id=guest.visit.visit_id,
                evse_id=evse_id,
                since=guest.since or self.now,
                until=self.now,
                energy_wh=energy_wh,
            )
        )


class ByTurns:
    """First come, first plugged in; a full vehicle makes room for whoever waits longest."""

    def sent_to(self, yard: Yard, guest: Guest) -> str | None:
        """Any free plug it fits."""
        fixed = guest.visit.evse_id
        for outlet in yard.world.outlets.values():
            name = outlet.spec.evse_id
            free = outlet.visit is None and not outlet.reserved and fixed in (None, name)
            if free and guest.plugs == 0 and _takes_w(guest.visit, outlet) > 0:
                return name
        return None

    def next_at(self, yard: Yard, outlet: Outlet) -> Guest | None:
        """The one that waits longest, once the vehicle is full."""
        if outlet.soc_pct < _FULL_PCT:
            return None
        waiting = [one for one in yard.waiting if one.plugs == 0 and one.visit.evse_id is None]
        return next((one for one in waiting if _takes_w(one.visit, outlet) > 0), None)

    def until(self, yard: Yard, guest: Guest) -> datetime:
        """Its departure."""
        return guest.visit.departs


class ByList:
    """By the yard list, made anew whenever something differs from it."""

    def __init__(self, visits: Sequence[Visit], room_w: Callable[[], float], zone: tzinfo) -> None:
        self._visits = visits
        self._room_w = room_w
        self._zone = zone
        self.list = YardList(made_at=datetime.min.replace(tzinfo=UTC))
        self.lists: list[YardList] = []
        self._of = -1
        self._made: datetime | None = None

    def sent_to(self, yard: Yard, guest: Guest) -> str | None:
        """Where the list has it, if that plug is free and nobody else's turn."""
        stay = self._current(yard).stay_of(guest.visit.visit_id)
        if stay is None:
            return None
        outlet = yard.world.outlets[stay.evse_id]
        turn = self._turn(yard, stay.evse_id)
        free = outlet.visit is None and not outlet.reserved
        return stay.evse_id if free and turn is guest else None

    def next_at(self, yard: Yard, outlet: Outlet) -> Guest | None:
        """Who comes next in the list, once here."""
        guest = self._turn(yard, outlet.spec.evse_id)
        return None if guest is None or guest.moving else guest

    def until(self, yard: Yard, guest: Guest) -> datetime:
        """When the list wants the plug for another."""
        stay = self._current(yard).stay_of(guest.visit.visit_id)
        if stay is None or not stay.swapped or stay.evse_id != guest.evse_id:
            return guest.visit.departs
        return min(stay.until, guest.visit.departs)

    def _turn(self, yard: Yard, evse_id: str) -> Guest | None:
        """The first of the list at this plug that is here and without a plug."""
        for stay in self._current(yard).stays:
            guest = yard.here.get(stay.vehicle_id)
            if stay.evse_id != evse_id or (guest is not None and guest.evse_id is not None):
                continue
            if guest is not None or stay.since - yard.now <= _RELIST:
                return guest
        return None

    def _current(self, yard: Yard) -> YardList:
        """The list, as old as may be."""
        old = self._made is None or yard.now - self._made >= _RELIST
        if yard.version != self._of or old:
            self._of, self._made = yard.version, yard.now
            self.list = self.listed(yard)
            self.lists.append(self.list)
        return self.list

    def listed(self, yard: Yard) -> YardList:
        """The list as it would be made now."""
        end = max((visit.departs for visit in self._visits), default=yard.now)
        horizon = Horizon.around(yard.now, end - yard.now + _STEP, _STEP)
        site_w: Series = horizon.filled(self._room_w())
        policy = YardPolicy(
            swap=timedelta(minutes=yard.settings.swap_min),
            slack=timedelta(minutes=yard.settings.slack_min),
            zone=self._zone,
        )
        plugs = [self._plug(outlet) for outlet in yard.world.outlets.values() if outlet.online]
        return yard_list(tuple(self._known(yard)), plugs, horizon, site_w, yard.now, policy)

    def _plug(self, outlet: Outlet) -> Plug:
        name = outlet.spec.evse_id
        return Plug(
            evse_id=name,
            power_w=outlet.evse.rated_w,
            dc=outlet.dc,
        )

    def _known(self, yard: Yard) -> Iterable[YardVehicle]:
        """Vehicles that are here as they are, and those to come as the roster has them."""
        gone = {one.vehicle_id for one in yard.left}
        for visit in self._visits:
            guest = yard.here.get(visit.visit_id)
            if guest is not None:
                yield self._present(yard, guest)
            elif visit.visit_id not in gone and visit.known and visit.departs > yard.now:
                arrives = max(visit.expected, yard.now)
                yield _vehicle(visit, arrives, visit.expected_wh or visit.required_wh)

    def _present(self, yard: Yard, guest: Guest) -> YardVehicle:
        missing_wh = guest.missing_wh
        if guest.evse_id is not None:
            missing_wh = yard.world.outlets[guest.evse_id].missing_wh
        one = _vehicle(guest.visit, min(guest.visit.arrives, yard.now), missing_wh)
        return replace(one, at=guest.evse_id or self._promised(yard, guest))

    def _promised(self, yard: Yard, guest: Guest) -> str | None:
        """The plug it is on its way to, once nobody stands there."""
        name = guest.bound_for
        return name if name is not None and yard.world.outlets[name].visit is None else None


def _vehicle(visit: Visit, arrives: datetime, required_wh: float) -> YardVehicle:
    return YardVehicle(
        vehicle_id=visit.visit_id,
        arrives=arrives,
        departs=visit.departs,
        required_wh=required_wh,
        ac_w=visit.vehicle.max_ac_w,
        dc_w=visit.vehicle.max_dc_w,
        rank=visit.rank,
        only=visit.evse_id,
    )


def _takes_w(visit: Visit, outlet: Outlet) -> float:
    most_w = visit.vehicle.max_dc_w if outlet.dc else visit.vehicle.max_ac_w
    return min(most_w, outlet.evse.rated_w)
