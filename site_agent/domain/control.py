"""The decision of one cycle: limits for chargers, power for batteries, curtailment for PV.

A pure function of the snapshot and the envelope. First the room at the PCC (`room`); then
batteries discharge if, without them, vehicles would get less than keeps them on time; then vehicles
share what there is (`allocate`) and limits near enough stay (`steady`); last, batteries charge
from what is still left, in an event only from surplus PV; PV is curtailed only for an export bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from site_agent.domain import storage
from site_agent.domain.allocate import Share, allocate
from site_agent.domain.budget import Budget, budget, left_over
from site_agent.domain.demand import demands, needed_w
from site_agent.domain.device import (
    BatterySetpoint,
    ChargerSetpoint,
    ChargerState,
    PvSetpoint,
)
from site_agent.domain.envelope import Envelope
from site_agent.domain.estimate import Role, role, worst_a
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.room import moment_of, site_room
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.steady import keep_steady

DEFAULT_POLICY = ControlPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What every device should do now, and why."""

    at: datetime
    chargers: tuple[ChargerSetpoint, ...]
    batteries: tuple[BatterySetpoint, ...]
    pv: tuple[PvSetpoint, ...]
    envelope: Envelope
    building_w: float | None
    """What the site cannot move, PV included, W; None when the meter is stale."""
    building_spread_w: float
    """How far that may be off, W, to either side."""
    binding: str
    """The limit that keeps the site from doing more, in words."""


def decide(
    snapshot: SiteSnapshot, envelope: Envelope, policy: ControlPolicy = DEFAULT_POLICY
) -> Decision:
    """Setpoints for every device of the site, whatever state it is in."""
    room = site_room(snapshot, envelope, policy)
    wished = demands(snapshot, policy)
    batteries = storage.discharge(snapshot, envelope, room, needed_w(snapshot, wished))
    counted_w = storage.counted(snapshot, batteries, policy)
    available = budget(snapshot, envelope, room, counted_w, moment_of(snapshot, policy))
    shares = allocate(wished, available.constraints)
    limits = _steady(snapshot, envelope, shares, available, policy)
    if room.measured and all(battery.power_w >= 0 for battery in batteries):
        batteries = storage.charge(snapshot, envelope, available, limits, policy)
    return Decision(
        at=snapshot.at,
        chargers=tuple(
            _setpoint(snapshot, charger, shares, limits) for charger in snapshot.chargers
        ),
        batteries=batteries,
        pv=curtail(snapshot, envelope, batteries),
        envelope=envelope,
        building_w=room.building_w,
        building_spread_w=room.building_spread_w,
        binding=_binding(
            envelope,
            shares,
            batteries,
            measured=room.measured,
            tight=_tight(available, limits, envelope, policy.unused_share),
        ),
    )


def curtail(
    snapshot: SiteSnapshot, envelope: Envelope, batteries: Sequence[BatterySetpoint]
) -> tuple[PvSetpoint, ...]:
    """Release PV, unless an export bound needs it below what it could make.

    Generation may be what everything else at the PCC draws plus the allowed export. Without a
    meter, everything else counts as nothing.
    """
    rated_w = sum(state.spec.rated_w for state in snapshot.pv)
    bound = envelope.export_w
    allowed_w = rated_w if bound is None else _others_w(snapshot, batteries) - bound.value
    if bound is None or allowed_w >= rated_w:
        return tuple(
            PvSetpoint(pv_id=state.spec.pv_id, limit_w=None, cause="no export limit binds")
            for state in snapshot.pv
        )
    share = max(0.0, allowed_w) / rated_w
    return tuple(
        PvSetpoint(pv_id=s.spec.pv_id, limit_w=s.spec.rated_w * share, cause=bound.cause)
        for s in snapshot.pv
    )


def _others_w(snapshot: SiteSnapshot, batteries: Sequence[BatterySetpoint]) -> float:
    """Load beside PV, with batteries where they are being sent; 0 when it cannot be known."""
    now, model = snapshot.at, snapshot.model
    power = snapshot.pcc.power_w.fresh(now, model.meter_max_age)
    made = [state.power_w.fresh(now, model.device_max_age) for state in snapshot.pv]
    if power is None or None in made:
        return 0.0
    stored = [state.power_w.fresh(now, model.device_max_age) for state in snapshot.batteries]
    moved = sum(
        setpoint.power_w - measured
        for setpoint, measured in zip(batteries, stored, strict=True)
        if measured is not None
    )
    return power - sum(value for value in made if value is not None) + moved


def _steady(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    shares: Mapping[str, Share],
    available: Budget,
    policy: ControlPolicy,
) -> dict[str, float]:
    margin_w = policy.margin_share * abs(envelope.import_w.value)
    power = replace(available.power, capacity=available.power.capacity + margin_w)
    return keep_steady(
        {name: share.limit_a for name, share in shares.items()},
        {
            charger.spec.evse_id: charger.confirmed_limit_a
            for charger in snapshot.chargers
            if charger.confirmed_limit_a is not None
        },
        replace(available, power=power).constraints,
        policy.deadband_a,
        policy.unused_share * abs(envelope.import_w.value),
    )


def _setpoint(
    snapshot: SiteSnapshot,
    charger: ChargerState,
    shares: Mapping[str, Share],
    limits: Mapping[str, float],
) -> ChargerSetpoint:
    spec = charger.spec
    match role(charger):
        case Role.IDLE:
            limit_a, cause = spec.fail_safe_current_a, "no vehicle: its fail-safe share"
        case Role.FIXED:
            worst = worst_a(charger, snapshot.at, snapshot.model.device_max_age)
            state = "does not obey" if charger.online else "does not answer"
            limit_a, cause = spec.fail_safe_current_a, f"{state}: counted at {worst:.1f} A"
        case Role.STEERED if spec.evse_id in shares:
            limit_a, cause = limits[spec.evse_id], shares[spec.evse_id].cause
        case Role.STEERED:
            limit_a, cause = 0.0, "paused a short while ago: rests before it may resume"
    return ChargerSetpoint(evse_id=spec.evse_id, limit_a=limit_a, cause=cause)


def _tight(
    available: Budget, limits: Mapping[str, float], envelope: Envelope, share: float
) -> bool:
    """Whether the power budget is used up, as far as deadbands allow."""
    return left_over(available.power, limits) <= share * abs(envelope.import_w.value)


def _binding(
    envelope: Envelope,
    shares: Mapping[str, Share],
    batteries: Sequence[BatterySetpoint],
    *,
    measured: bool,
    tight: bool,
) -> str:
    stale = "" if measured else "; the meter is stale"
    bound = Counter(share.bound_by for share in shares.values() if share.bound_by)
    if bound:
        cause, vehicles = bound.most_common(1)[0]
        return f"{cause} holds back {vehicles} of {len(shares)} vehicles"
    if tight or any(battery.power_w < 0 for battery in batteries):
        return f"{envelope.import_w.cause} is held{stale}"
    return f"nothing binds; the nearest limit is {envelope.import_w.cause}{stale}"
