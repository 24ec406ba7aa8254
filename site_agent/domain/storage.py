"""When the batteries discharge and when they charge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from site_agent.domain.battery import (
    charge_available_w,
    counted_w,
    discharge_available_w,
    split,
)
from site_agent.domain.budget import Budget, left_over
from site_agent.domain.circuit import path
from site_agent.domain.device import PHASES, BatterySetpoint, BatteryState
from site_agent.domain.envelope import Envelope
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.room import Room, aimed_import_w
from site_agent.domain.site import SiteSnapshot

_DEADBAND_SHARE = 0.01


def discharge(
    snapshot: SiteSnapshot, envelope: Envelope, room: Room, needed_w: float
) -> tuple[BatterySetpoint, ...]:
    """Discharge what vehicles on schedule need beyond the room; stand still without a meter."""
    now, max_age = snapshot.at, snapshot.model.device_max_age

    def available(battery: BatteryState) -> float:
        return discharge_available_w(battery, now, max_age)

    if not room.measured:
        return split(snapshot.batteries, 0.0, available, "the meter is stale")
    missing = max(0.0, needed_w - room.power_w)
    power = min(missing, sum(available(battery) for battery in snapshot.batteries))
    cause = f"holds {envelope.import_w.cause} without making vehicles late"
    wished = split(snapshot.batteries, -power, available, cause if power > 0 else "not needed")
    return _steady(snapshot, wished)


def counted(
    snapshot: SiteSnapshot, setpoints: Sequence[BatterySetpoint], policy: ControlPolicy
) -> float:
    """Power of all batteries that vehicles can count on, W, charging positive."""
    max_age = snapshot.model.device_max_age
    return sum(
        counted_w(battery, setpoint, snapshot.at, max_age, policy)
        for battery, setpoint in zip(snapshot.batteries, setpoints, strict=True)
    )


def charge(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    budget: Budget,
    limits: Mapping[str, float],
    policy: ControlPolicy,
) -> tuple[BatterySetpoint, ...]:
    """Charge from what the vehicles' limits leave: all that would be exported, and gently more.

    In an event only what would be exported.
    """
    spare = max(0.0, left_over(budget.power, limits))
    surplus = min(spare, max(0.0, spare - aimed_import_w(envelope, policy)))
    rated = sum(battery.spec.max_charge_w for battery in snapshot.batteries)
    gentle = 0.0 if envelope.event else policy.grid_charge_share * rated
    left = min(spare, max(surplus, gentle))
    source = "surplus PV" if left <= surplus else f"what {envelope.import_w.cause} leaves"
    setpoints: list[BatterySetpoint] = []
    given_w: dict[str, float] = {}
    for battery in snapshot.batteries:
        way = path(snapshot.model, battery.spec.node)
        room = min(_node_room_w(snapshot, budget, limits, node, given_w) for node in way)
        available = charge_available_w(battery, snapshot.at, snapshot.model.device_max_age)
        power = max(0.0, min(left, room, available))
        left -= power
        given_w |= {node: given_w.get(node, 0.0) + power for node in way}
        cause = f"charges from {source}" if power > 0 else "nothing to spare, full or offline"
        setpoints.append(
            BatterySetpoint(battery_id=battery.spec.battery_id, power_w=power, cause=cause)
        )
    return _steady(snapshot, setpoints)


def _steady(
    snapshot: SiteSnapshot, wished: Iterable[BatterySetpoint]
) -> tuple[BatterySetpoint, ...]:
    """Setpoints in force where the wish is within a hundredth of the battery's power of them."""
    return tuple(
        replace(setpoint, power_w=battery.confirmed_w)
        if battery.confirmed_w is not None and _near(battery, setpoint.power_w)
        else setpoint
        for battery, setpoint in zip(snapshot.batteries, wished, strict=True)
    )


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
    amps = (left_over(budget.nodes[node, phase], limits) for phase in PHASES)
    return min(amps) * len(PHASES) * snapshot.model.voltage_v - given_w.get(node, 0.0)
