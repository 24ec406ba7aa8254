"""The vehicles of the coming hours and what they share, as arrays: one row a vehicle.

Energies are Wh at the EVSE. A constraint is a phase of a circuit node, in A; the import limit
stands apart, because offers and events move it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.device import PHASES, ChargerSpec, ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.flexibility.ahead import Ahead
from site_agent.domain.horizon import Series
from site_agent.domain.protect.circuit import path
from site_agent.domain.protect.estimate import Role, measured_a, role, watts_per_amp, worst_a
from site_agent.domain.site import ROOT, SiteSnapshot

Table = NDArray[np.float64]
_TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One vehicle that shares what the site has, now or later."""

    need: VehicleNeed
    here: bool
    """Plugged in now; False: expected."""
    arrives: datetime
    until: datetime
    """It charges before this."""
    power_w: float
    node: str | None
    phases: tuple[int, ...]
    w_per_a: float
    """Of a phase's current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """`V` vehicles over `T` slots, the first of which begins now, and `G` constraints."""

    members: tuple[Member, ...]
    slot_h: Series
    """[T] Length of each slot, h."""
    energy_wh: Series
    """[V] Still to be charged."""
    power_w: Series
    """[V]"""
    hours: Table
    """[V, T] How long it can charge in a slot, h."""
    ahead_h: Table
    """[V, T + 1] How long it can charge from the start of a slot on, h."""
    order: Series
    """[V] Its place when not all can be served: by rank, then departure."""
    wish_w: Table
    """[V, T] What it is wished to charge with, at most `power_w`."""
    room_w: Series
    """[T] What all may draw together under the import limit, W, >= 0."""
    weights: Table
    """[G, V] A per W."""
    limits_a: Table
    """[G, T] Of each constraint, >= 0."""
    causes: tuple[str, ...]
    """[G] What each constraint comes from."""


def crowd_of(
    snapshot: SiteSnapshot,
    ahead: Ahead,
    stays: Sequence[ExpectedStay],
    *,
    immovable: frozenset[str] = frozenset(),
) -> Crowd:
    """Everyone who shares the site in the hours ahead, beside the building as it is likely.

    Chargers that cannot be steered, and `immovable` ones (by `evse_id`), are no members: what they
    may draw is taken off the limits.
    """
    fixed = [
        one for one in snapshot.chargers if role(one) is Role.FIXED or one.spec.evse_id in immovable
    ]
    members = (*_plugged(snapshot, fixed), *_coming(snapshot, ahead, stays))
    slot_h, hours = _hours(snapshot.at, ahead, members)
    weights, limits_a, causes = _constraints(snapshot, members, fixed, ahead.building_w)
    wish_w = np.array([_wish(ahead, member) for member in members])
    return Crowd(
        members=members,
        slot_h=slot_h,
        energy_wh=np.array([max(0.0, m.need.required_wh) for m in members]),
        power_w=np.array([m.power_w for m in members]),
        hours=hours,
        ahead_h=_from_each_slot(hours),
        order=_order(members),
        wish_w=wish_w.reshape(len(members), ahead.horizon.count),
        room_w=room_w(snapshot, ahead, ahead.building_w, fixed),
        weights=weights,
        limits_a=limits_a,
        causes=causes,
    )


def room_w(
    snapshot: SiteSnapshot, ahead: Ahead, building_w: Series, fixed: Sequence[ChargerState]
) -> Series:
    """[T] What steered vehicles may draw together beside this building load, W, >= 0."""
    now, age = snapshot.at, snapshot.model.device_max_age
    fixed_w = sum(worst_a(one, now, age) * watts_per_amp(one, now, age) for one in fixed)
    return np.maximum(0.0, ahead.import_w - building_w - fixed_w)


def unsteered(
    snapshot: SiteSnapshot, immovable: frozenset[str] = frozenset()
) -> list[ChargerState]:
    """Chargers that nobody can move, and those named."""
    return [
        one for one in snapshot.chargers if role(one) is Role.FIXED or one.spec.evse_id in immovable
    ]


def earlier(crowd: Crowd, by: timedelta) -> Crowd:
    """The same with every vehicle leaving so much earlier."""
    lost_h = by / timedelta(hours=1)
    latest = np.maximum(0.0, crowd.ahead_h - lost_h)
    hours = latest[:, :-1] - latest[:, 1:]
    return replace(crowd, hours=hours, ahead_h=_from_each_slot(hours))


def _plugged(snapshot: SiteSnapshot, fixed: Sequence[ChargerState]) -> Iterator[Member]:
    chargers = {one.spec.evse_id: one for one in snapshot.chargers}
    unmoved = {one.spec.evse_id for one in fixed}
    for need in snapshot.needs:
        charger = chargers.get(need.evse_id)
        if charger is None or need.evse_id in unmoved:
            continue
        power_w = allowed_w(need, charger)
        late_until = snapshot.at + timedelta(hours=need.required_wh / max(1.0, power_w))
        yield Member(
            need=need,
            here=True,
            arrives=snapshot.at,
            until=need.departure if need.departure > snapshot.at else late_until,
            power_w=power_w,
            node=charger.spec.node,
            phases=charger.spec.phases,
            w_per_a=watts_per_amp(charger, snapshot.at, snapshot.model.device_max_age),
        )


def allowed_w(need: VehicleNeed, charger: ChargerState) -> float:
    """Most a vehicle can take where it stands, W: its own power, and what others allow it."""
    spec, ceiling_a = charger.spec, charger.ceiling_a
    if ceiling_a is None:
        return need.max_power_w
    if ceiling_a < spec.min_current_a:
        return _TINY
    return min(need.max_power_w, ceiling_a * spec.voltage_v * len(spec.phases))


def _coming(
    snapshot: SiteSnapshot, ahead: Ahead, stays: Sequence[ExpectedStay]
) -> Iterator[Member]:
    specs = {spec.evse_id: spec for spec in snapshot.model.chargers}
    for stay in stays:
        if stay.departs <= snapshot.at or stay.arrives >= ahead.horizon.end:
            continue
        spec = specs.get(stay.evse_id or "")
        yield Member(
            need=_need(stay),
            here=False,
            arrives=max(snapshot.at, stay.arrives),
            until=stay.departs,
            power_w=max(_TINY, stay.max_power_w),
            node=None if spec is None else spec.node,
            phases=PHASES if spec is None else spec.phases,
            w_per_a=_nominal(spec, snapshot.model.voltage_v),
        )


def _need(stay: ExpectedStay) -> VehicleNeed:
    return VehicleNeed(
        evse_id=stay.evse_id or "",
        vehicle_id=stay.vehicle_id,
        required_wh=stay.required_wh,
        departure=stay.departs,
        max_power_w=max(_TINY, stay.max_power_w),
        rank=stay.rank,
        known=stay.probability >= 1.0,
    )


def _nominal(spec: ChargerSpec | None, voltage_v: float) -> float:
    return len(PHASES) * voltage_v if spec is None else spec.voltage_v * len(spec.phases)


def _wish(ahead: Ahead, member: Member) -> Series:
    wish = ahead.wishes_w.get(member.need.evse_id) if member.here else None
    free = ahead.horizon.filled(member.power_w)
    return free if wish is None else np.minimum(free, np.maximum(0.0, wish))


def _hours(now: datetime, ahead: Ahead, members: Sequence[Member]) -> tuple[Series, Table]:
    horizon = ahead.horizon
    slot_h = horizon.share(now, horizon.end) * horizon.hours
    hours = [horizon.share(one.arrives, one.until) * horizon.hours for one in members]
    return slot_h, np.array(hours).reshape(len(members), horizon.count)


def _from_each_slot(hours: Table) -> Table:
    later = np.cumsum(hours[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([later, np.zeros((len(hours), 1))], axis=1)


def _order(members: Sequence[Member]) -> Series:
    ranked = sorted(
        range(len(members)),
        key=lambda i: (members[i].need.rank, members[i].need.departure, members[i].need.evse_id),
    )
    places = np.empty(len(members))
    places[ranked] = np.arange(len(members))
    return places


def _constraints(
    snapshot: SiteSnapshot,
    members: Sequence[Member],
    fixed: Sequence[ChargerState],
    building_w: Series,
) -> tuple[Table, Table, tuple[str, ...]]:
    """Phases of nodes that could bind at all; phases that carry the same are one."""
    model = snapshot.model
    found: dict[tuple[str, bytes], tuple[Series, Series, str]] = {}
    paths = {node.node_id: path(model, node.node_id) for node in model.nodes}
    a_per_w = 1.0 / np.array([member.w_per_a for member in members])
    on = {p: np.array([p in member.phases for member in members], dtype=bool) for p in PHASES}
    powers = np.array([member.power_w for member in members])
    for node in reversed(model.nodes):
        ways = (paths.get(member.node or ROOT, (ROOT,)) for member in members)
        below = np.array([node.node_id in way for way in ways], dtype=bool)
        for phase in PHASES:
            row = np.where(below & on[phase], a_per_w, 0.0)
            stuck_a = _stuck_a(snapshot, fixed, node.node_id, phase, paths)
            beside = building_w / (len(PHASES) * model.voltage_v) if node.node_id == ROOT else 0.0
            limit = np.maximum(0.0, node.limit_a - stuck_a - beside + 0.0 * building_w)
            if row.any() and float(row @ powers) > float(limit.min()):
                key = (node.node_id, row.tobytes())
                before = found.get(key)
                limit = limit if before is None else np.minimum(before[1], limit)
                found[key] = (row, limit, f"the fuse of {node.node_id}")
    rows = list(found.values())
    slots = len(building_w)
    return (
        np.array([row for row, _, _ in rows]).reshape(len(rows), len(members)),
        np.array([limit for _, limit, _ in rows]).reshape(len(rows), slots),
        tuple(cause for _, _, cause in rows),
    )


def _stuck_a(
    snapshot: SiteSnapshot,
    fixed: Sequence[ChargerState],
    node: str,
    phase: int,
    paths: dict[str, tuple[str, ...]],
) -> float:
    now, age = snapshot.at, snapshot.model.device_max_age
    return sum(
        worst_a(one, now, age)
        for one in fixed
        if phase in one.spec.phases and node in paths[one.spec.node]
    )


def alone_w(charger: ChargerState, snapshot: SiteSnapshot) -> float:
    """What a charger that cannot be steered gives its vehicle, W."""
    spec = charger.spec
    per_a = watts_per_amp(charger, snapshot.at, snapshot.model.device_max_age)
    if not charger.online:
        return spec.fail_safe_current_a * spec.voltage_v * len(spec.phases)
    if not charger.controllable:
        return spec.max_current_a * per_a
    amps = measured_a(charger, snapshot.at, snapshot.model.device_max_age)
    return (charger.confirmed_limit_a or 0.0 if amps is None else amps) * per_a
