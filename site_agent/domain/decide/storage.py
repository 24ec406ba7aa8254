"""When the batteries discharge and when they charge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from site_agent.domain.decide.battery import (
    charge_available_w,
    counted_w,
    discharge_available_w,
    split,
)
from site_agent.domain.decide.generation import discharge_room_w
from site_agent.domain.device import PHASES, BatterySetpoint, BatteryState
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.budget import Budget, left_over
from site_agent.domain.protect.circuit import path
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.protect.facts import Fact
from site_agent.domain.protect.room import Room, aimed_w, moment_of
from site_agent.domain.site import ROOT, SiteSnapshot

_DEADBAND_SHARE = 0.01
_TINY_W = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """Discharge, W as a magnitude, and why; `most_w` is what no rounding may exceed."""

    power_w: float
    most_w: float
    cause: str


def discharge(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    room: Room,
    needed_w: float,
    policy: ControlPolicy,
    facts: Sequence[Fact],
) -> tuple[BatterySetpoint, ...]:
    """Discharge what vehicles on schedule need beyond the room; stand still without a meter.

    With a storage target: what that asks, but at least what the building needs beyond the room.
    """
    now, max_age = snapshot.at, snapshot.model.device_max_age

    def available(battery: BatteryState) -> float:
        return discharge_available_w(battery, now, max_age)

    if room.building_w is None:
        return split(snapshot.batteries, 0.0, available, "the meter is stale")
    wish = _wish(snapshot, envelope, room, room.building_w, needed_w, policy, facts)
    power = min(wish.power_w, sum(available(battery) for battery in snapshot.batteries))
    wished = split(snapshot.batteries, -power, available, wish.cause)
    return _steady(snapshot, wished, wish.most_w)


def set_aside_w(snapshot: SiteSnapshot, envelope: Envelope, room: Room, needed_w: float) -> float:
    """What is kept from vehicles to charge for a storage target, W: what is beyond their needs."""
    target = envelope.storage_w
    if target is None or not room.measured:
        return 0.0
    now, max_age = snapshot.at, snapshot.model.device_max_age
    available = sum(charge_available_w(battery, now, max_age) for battery in snapshot.batteries)
    spare = min(room.power_w, inf if room.load_w is None else room.load_w) - needed_w
    return max(0.0, min(target.value, available, spare))


def counted(
    snapshot: SiteSnapshot, setpoints: Sequence[BatterySetpoint], policy: ControlPolicy
) -> float:
    """Power of all batteries that vehicles can count on, W, charging positive."""
    max_age = snapshot.model.device_max_age
    return sum(
        counted_w(battery, setpoint, snapshot.at, max_age, policy)
        for battery, setpoint in zip(snapshot.batteries, setpoints, strict=True)
    )


def may_charge(envelope: Envelope, setpoints: Sequence[BatterySetpoint]) -> bool:
    """Whether batteries that need not discharge are free to charge."""
    rests = envelope.storage_w is not None and envelope.storage_w.value <= 0
    return not rests and all(setpoint.power_w >= 0 for setpoint in setpoints)


def charge(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    budget: Budget,
    limits: Mapping[str, float],
    policy: ControlPolicy,
) -> tuple[BatterySetpoint, ...]:
    """Charge from what the vehicles' limits leave.

    With a storage target: what that asks. Else all that would be exported, and gently more; in an
    event only what would be exported.
    """
    spare = max(0.0, left_over(budget.power.room, limits) + budget.batteries_w)
    most = spare
    if budget.load is not None:
        most = max(0.0, min(spare, left_over(budget.load.room, limits) + budget.batteries_w))
    left, source = _to_store(snapshot, envelope, spare, policy)
    if envelope.storage_w is not None and left > most:
        source += ", as far as limits and vehicles allow"
    left = min(left, most)
    setpoints: list[BatterySetpoint] = []
    given_w: dict[str, float] = {}
    for battery in snapshot.batteries:
        way = path(snapshot.model, battery.spec.node)
        room = min(_node_room_w(snapshot, budget, limits, node, given_w) for node in way)
        available = charge_available_w(battery, snapshot.at, snapshot.model.device_max_age)
        power = max(0.0, min(left, room, available))
        left -= power
        given_w |= {node: given_w.get(node, 0.0) + power for node in way}
        cause = source if power > 0 else "nothing to spare, full or offline"
        setpoints.append(
            BatterySetpoint(battery_id=battery.spec.battery_id, power_w=power, cause=cause)
        )
    return _steady(snapshot, setpoints, inf if budget.load is None else most)


def _wish(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    room: Room,
    building_w: float,
    needed_w: float,
    policy: ControlPolicy,
    facts: Sequence[Fact],
) -> _Wish:
    moment, target = moment_of(snapshot, policy), envelope.storage_w
    drawn_w = sum(one.power_w.low for one in facts)
    beside = discharge_room_w(snapshot, envelope, moment)
    beside_w = inf if beside is None else beside
    served_w = needed_w if target is None else 0.0
    most_w = min(beside_w, _above_export_w(envelope, building_w + max(served_w, drawn_w)))
    missing_w = min(most_w, max(0.0, served_w - room.power_w))
    target_w = 0.0 if target is None else max(0.0, -target.value)
    if target is None or missing_w > target_w:
        holds = f"holds {envelope.import_w.cause} without making vehicles late"
        cause = holds if missing_w > 0 else "not needed"
        return _Wish(power_w=missing_w, most_w=most_w, cause=cause)
    stays_w = drawn_w if envelope.load_w is None else min(drawn_w, envelope.load_w.value)
    likely_w = building_w - room.building_spread_w + stays_w
    rise_w = policy.pv_headroom_share * sum(inverter.spec.rated_w for inverter in snapshot.pv)
    asked_w = min(target_w, min(beside_w, _above_export_w(envelope, likely_w)) - rise_w)
    power_w = max(missing_w, asked_w)
    short = "" if power_w >= target_w else ", as far as limits and PV allow"
    return _Wish(power_w=power_w, most_w=most_w, cause=f"follows {target.cause}{short}")


def _above_export_w(envelope: Envelope, others_w: float) -> float:
    """How far the power at the PCC may fall from `others_w`, W."""
    bound = envelope.export_w
    return inf if bound is None else max(0.0, others_w - bound.value)


def _to_store(
    snapshot: SiteSnapshot, envelope: Envelope, spare: float, policy: ControlPolicy
) -> tuple[float, str]:
    """What to charge with, W, of what the limits leave, and from where it comes."""
    target = envelope.storage_w
    if target is not None:
        return max(0.0, target.value), f"follows {target.cause}"
    surplus = min(spare, max(0.0, spare - aimed_w(envelope.import_w, policy)))
    rated = sum(battery.spec.max_charge_w for battery in snapshot.batteries)
    gentle = 0.0 if envelope.event else policy.grid_charge_share * rated
    if gentle <= surplus:
        return surplus, "charges from surplus PV"
    return min(spare, gentle), f"charges from what {envelope.import_w.cause} leaves"


def _steady(
    snapshot: SiteSnapshot, wished: Iterable[BatterySetpoint], most_w: float
) -> tuple[BatterySetpoint, ...]:
    """Setpoints in force where the wish is within a hundredth of the battery's power of them.

    Not if together they would then be beyond `most_w` (either way).
    """
    wishes = tuple(wished)
    kept = tuple(
        replace(setpoint, power_w=battery.confirmed_w)
        if battery.confirmed_w is not None and _near(battery, setpoint.power_w)
        else setpoint
        for battery, setpoint in zip(snapshot.batteries, wishes, strict=True)
    )
    return kept if abs(sum(one.power_w for one in kept)) <= most_w + _TINY_W else wishes


def _near(battery: BatteryState, power_w: float) -> bool:
    present = battery.confirmed_w or 0.0
    rated = max(battery.spec.max_charge_w, battery.spec.max_discharge_w)
    return present * power_w > 0 and abs(power_w - present) < _DEADBAND_SHARE * rated


def _node_room_w(
    snapshot: SiteSnapshot,
    budget: Budget,
    limits: Mapping[str, float],
    node: str,
    given_w: Mapping[str, float],
) -> float:
    """Three-phase power that a node can still carry, W."""
    set_aside_w = budget.batteries_w if node == ROOT else 0.0
    amps = (left_over(budget.nodes[node, phase], limits) for phase in PHASES)
    left_w = min(amps) * len(PHASES) * snapshot.model.voltage_v
    return left_w + set_aside_w - given_w.get(node, 0.0)
