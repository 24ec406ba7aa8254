"""From vehicles and plugs to a yard list.

Every vehicle is plugged in once, so nobody is moved twice. Vehicles that only a fast plug can
charge in time choose first, then the others in order of arrival; each takes the place in some
plug's queue that leaves nobody short, asks for the fewest swaps, spares fast plugs, and leaves the
most time between being charged and having to be: a list that survives late people. This is list
scheduling with insertion, a heuristic; what comes out is proved by `fluid.shortfall_wh`, which
charges everybody under the site's power, and where that finds somebody short the list is made again
with more time for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.yard.booking import Guest, Handling, Turn, turns
from site_agent.domain.yard.fluid import Draw, shortfall_wh
from site_agent.domain.yard.model import (
    Plug,
    YardList,
    YardMove,
    YardPolicy,
    YardStay,
    YardVehicle,
)

_HOUR = timedelta(hours=1)
_STRETCHES = (1.15, 1.5, 2.0)
"""How much longer than at full power charging is planned; the first that leaves nobody short."""
_SLOW_SHARE = 0.9
"""A vehicle that needs more than this share of its stay at an ordinary plug needs a fast one."""
_TINY_WH = 50.0
DEFAULT = YardPolicy()


def yard_list(
    vehicles: Iterable[YardVehicle],
    plugs: Sequence[Plug],
    horizon: Horizon,
    site_w: Series,
    now: datetime,
    policy: YardPolicy = DEFAULT,
) -> YardList:
    """Who plugs in where and when, and what people have to do for it.

    `site_w`: what vehicles may draw together in every slot of `horizon`, W.
    """
    here = [one for one in vehicles if one.departs > now]
    best: YardList | None = None
    for stretch in _STRETCHES:
        how = Handling(swap_h=policy.swap / _HOUR, slack_h=policy.slack / _HOUR, stretch=stretch)
        queues, without = _queues(here, plugs, now, how)
        made = _listed(queues, without, now, policy)
        made = replace(made, short_wh=_short(made, here, plugs, horizon, site_w))
        if best is None or _badness(made) < _badness(best):
            best = made
        if not best.short_wh:
            break
    return best if best is not None else YardList(made_at=now)


@dataclass(slots=True)
class _Queue:
    plug: Plug
    guests: list[Guest]
    fixed: int = 0
    """So many are plugged in already: nobody goes before them."""


def _queues(
    vehicles: Sequence[YardVehicle], plugs: Sequence[Plug], now: datetime, how: Handling
) -> tuple[list[_Queue], list[str]]:
    queues = [_Queue(plug, []) for plug in sorted(plugs, key=lambda plug: plug.evse_id)]
    by_id = {queue.plug.evse_id: queue for queue in queues}
    waiting = []
    for vehicle in vehicles:
        queue = by_id.get(vehicle.at or "")
        if queue is None:
            waiting.append(vehicle)
        else:
            queue.guests.append(_guest(vehicle, queue.plug, now, how))
            queue.fixed = 1
    slow_w = max((plug.power_w for plug in plugs if not plug.dc), default=0.0)
    without = [
        vehicle.vehicle_id
        for vehicle in sorted(waiting, key=lambda one: _order(one, slow_w, now))
        if vehicle.required_wh > 0 and not _place(vehicle, queues, slow_w, now, how)
    ]
    return queues, without


def _order(vehicle: YardVehicle, slow_w: float, now: datetime) -> tuple[object, ...]:
    fast = needs_fast(vehicle, slow_w, now)
    first = vehicle.departs if fast else vehicle.arrives
    return (not fast, vehicle.rank, first, vehicle.arrives, vehicle.vehicle_id)


def needs_fast(vehicle: YardVehicle, slow_w: float, now: datetime) -> bool:
    """Whether an ordinary plug of `slow_w` cannot charge it in time."""
    stay_h = (vehicle.departs - max(now, vehicle.arrives)) / _HOUR
    return vehicle.required_wh > _SLOW_SHARE * stay_h * min(slow_w, vehicle.ac_w)


def _place(
    vehicle: YardVehicle, queues: Sequence[_Queue], slow_w: float, now: datetime, how: Handling
) -> bool:
    """Into the best place of any queue; False: it fits no plug."""
    wants_fast = needs_fast(vehicle, slow_w, now)
    best: tuple[tuple[object, ...], _Queue, list[Guest]] | None = None
    empty: set[tuple[float, bool]] = set()
    for queue in queues:
        if vehicle.takes_w(queue.plug) <= 0:
            continue
        kind = (queue.plug.power_w, queue.plug.dc)
        if not queue.guests and kind in empty and vehicle.only is None:
            continue  # as good as the one before
        if not queue.guests:
            empty.add(kind)
        guest = _guest(vehicle, queue.plug, now, how)
        for index in range(queue.fixed, len(queue.guests) + 1):
            guests = [*queue.guests[:index], guest, *queue.guests[index:]]
            key = _worth(turns(guests, how), queue.plug.dc and not wants_fast, queue.plug)
            if best is None or key < best[0]:
                best = (key, queue, guests)
    if best is not None:
        best[1].guests = best[2]
    return best is not None


def _worth(planned: Sequence[Turn], wasteful: bool, plug: Plug) -> tuple[object, ...]:
    short_h = sum(max(0.0, -turn.spare_h) for turn in planned)
    swaps = sum(turn.swapped for turn in planned)
    spare_h = min(turn.spare_h for turn in planned)
    return (round(short_h, 6), swaps, wasteful, -round(spare_h, 2), plug.evse_id)


def _guest(vehicle: YardVehicle, plug: Plug, now: datetime, how: Handling) -> Guest:
    takes_w = vehicle.takes_w(plug)
    need_h = vehicle.required_wh / takes_w if takes_w > 0 else 0.0
    return Guest(
        vehicle=vehicle,
        arrives_h=max(0.0, (vehicle.arrives - now) / _HOUR),
        departs_h=(vehicle.departs - now) / _HOUR,
        need_h=need_h * how.stretch,
    )


def _listed(
    queues: Iterable[_Queue], without: Sequence[str], now: datetime, policy: YardPolicy
) -> YardList:
    how = Handling(swap_h=policy.swap / _HOUR, slack_h=policy.slack / _HOUR, stretch=1.0)
    stays: list[YardStay] = []
    moves: list[YardMove] = []
    lost = list(without)
    latest_of: dict[str, datetime] = {}
    for queue in queues:
        before: YardStay | None = None
        for turn in turns(queue.guests, how):
            stay = _stay(turn, before, queue.plug, now, policy)
            if stay.since >= turn.guest.vehicle.departs:
                lost.append(stay.vehicle_id)  # no turn before it has to leave
                continue
            stays.append(stay)
            if turn.guest.vehicle.at != queue.plug.evse_id:
                moves.extend(_moves(turn, stay, before, latest_of, policy))
            before = stay
            latest_of[stay.vehicle_id] = now + turn.latest_h * _HOUR
    return YardList(
        made_at=now,
        stays=tuple(sorted(stays, key=lambda one: (one.since, one.evse_id))),
        moves=tuple(sorted(moves, key=lambda one: (one.at, one.by, one.vehicle_id))),
        without=tuple(lost),
    )


def _stay(
    turn: Turn, before: YardStay | None, plug: Plug, now: datetime, policy: YardPolicy
) -> YardStay:
    vehicle = turn.guest.vehicle
    since = now + turn.guest.arrives_h * _HOUR
    if before is not None:
        since = max(since, before.until + policy.swap)
    return YardStay(
        vehicle_id=vehicle.vehicle_id,
        evse_id=plug.evse_id,
        since=since,
        until=min(vehicle.departs, max(since, now + turn.until_h * _HOUR)),
        swapped=turn.swapped,
    )


def _moves(
    turn: Turn,
    stay: YardStay,
    before: YardStay | None,
    latest: Mapping[str, datetime],
    policy: YardPolicy,
) -> Iterable[YardMove]:
    """Plug it in, and before that take out whoever stands there."""
    vehicle = turn.guest.vehicle
    if before is not None and before.swapped:
        yield YardMove(
            vehicle_id=before.vehicle_id,
            from_evse=stay.evse_id,
            to_evse=None,
            at=before.until,
            by=max(before.until, latest[before.vehicle_id]),
            why=f"will be charged; {vehicle.vehicle_id} needs the plug",
        )
    clock = f"{vehicle.departs.astimezone(policy.zone):%H:%M}"
    must = vehicle.departs - (turn.guest.departs_h - turn.latest_h + turn.guest.need_h) * _HOUR
    yield YardMove(
        vehicle_id=vehicle.vehicle_id,
        from_evse=vehicle.at,
        to_evse=stay.evse_id,
        at=stay.since,
        by=max(stay.since, must),
        why=f"leaves {clock} with {vehicle.required_wh / 1000:.0f} kWh more",
    )


def _short(
    made: YardList,
    vehicles: Sequence[YardVehicle],
    plugs: Sequence[Plug],
    horizon: Horizon,
    site_w: Series,
) -> Mapping[str, float]:
    """Who misses how much, with nobody late, under the site's power."""
    of = {one.vehicle_id: one for one in vehicles}
    at = {plug.evse_id: plug for plug in plugs}
    draws = [
        Draw(
            since=stay.since,
            until=min(stay.until, of[stay.vehicle_id].departs),
            most_w=of[stay.vehicle_id].takes_w(at[stay.evse_id]),
            required_wh=of[stay.vehicle_id].required_wh,
        )
        for stay in made.stays
    ]
    missing = shortfall_wh(draws, horizon, site_w)
    short = {
        stay.vehicle_id: float(wh)
        for stay, wh in zip(made.stays, missing, strict=True)
        if wh > _TINY_WH
    }
    return short | {name: of[name].required_wh for name in made.without}


def _badness(made: YardList) -> tuple[int, float]:
    return len(made.short_wh), sum(made.short_wh.values())
