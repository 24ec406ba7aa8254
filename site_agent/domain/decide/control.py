"""The decision of one cycle: limits for chargers, power for batteries, curtailment for PV.

A pure function of the snapshot and the envelope. First the room at the PCC and under a load limit
(`room`); then batteries discharge if, without them, vehicles would get less than keeps them on
time; then vehicles share what there is (`allocate`) and limits near enough stay (`steady`); last,
batteries charge from what is still left, in an event only from surplus PV; PV is curtailed only
for a limit on export or generation.

A storage target replaces what batteries would do: it goes after what vehicles need to be on time,
before what else they could take, and inside every limit.

`guidance` (a plan, or the site's own rules) says who should wait, how much batteries should do and
what the site should stay below. It gives way to all of the above.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf

from site_agent.domain.decide import storage
from site_agent.domain.decide.allocate import Share, allocate
from site_agent.domain.decide.demand import demands, forbidden, needed_w, waits
from site_agent.domain.decide.generation import curtail, out_of_hand
from site_agent.domain.decide.giving import gives
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.decide.guided import guided_envelope, needs_target
from site_agent.domain.decide.handover import WAITS, not_yet
from site_agent.domain.decide.triage import Triage
from site_agent.domain.device import (
    BatterySetpoint,
    ChargerSetpoint,
    ChargerSpec,
    ChargerState,
    PvSetpoint,
)
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.binding import binding, unmet
from site_agent.domain.protect.budget import Budget, budget, used_up
from site_agent.domain.protect.envelope import Bound, Envelope, Side
from site_agent.domain.protect.estimate import Role, role, worst_a
from site_agent.domain.protect.facts import facts_of
from site_agent.domain.protect.room import moment_of, site_room
from site_agent.domain.protect.steady import keep_steady
from site_agent.domain.protect.stopping import must_stop
from site_agent.domain.site import SiteSnapshot

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
    unmet: Mapping[Side, str]
    """Limits that nothing the site can do will keep, and why."""
    binding: str
    """The limits that keep the site from doing more, in words."""


def decide(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    policy: ControlPolicy = DEFAULT_POLICY,
    guidance: Guidance = NO_GUIDANCE,
    triage: Triage | None = None,
) -> Decision:
    """Setpoints for every device of the site, whatever state it is in.

    `triage`: who is served in full over the hours to come; None: nobody has decided that.
    """
    moment = moment_of(snapshot, policy)
    facts = facts_of(snapshot.chargers, moment)
    room = site_room(snapshot, envelope, policy, facts)
    wished = demands(snapshot, policy, facts, guidance)
    must_w = needed_w(facts, wished)
    if guidance.storage_w is not None or needs_target(envelope, guidance, room):
        envelope = guided_envelope(envelope, guidance, snapshot, room.building_w, must_w, policy)
        room = site_room(snapshot, envelope, policy, facts)
    need_w = min(must_w, inf if room.load_w is None else max(0.0, room.load_w))
    batteries = storage.discharge(snapshot, envelope, room, need_w, policy, facts)
    counted_w = storage.counted(snapshot, batteries, policy)
    counted_w += storage.set_aside_w(snapshot, envelope, room, need_w)
    available = budget(snapshot, envelope, room, counted_w, facts)
    given_up = None if triage is None else triage.given_up
    shares = allocate(wished, available.constraints(), given_up)
    waiting = waits(snapshot, policy, facts, guidance)
    giving = gives(snapshot, envelope, room, batteries, facts, guidance, policy, moment)
    limits = _steady(snapshot, shares, available, policy)
    later = not_yet(limits, facts, available.constraints(policy.margin_share))
    limits |= later
    if room.measured and storage.may_charge(envelope, batteries):
        batteries = storage.charge(snapshot, envelope, available, limits, policy)
    pv = curtail(snapshot, envelope, batteries, moment)
    return Decision(
        at=snapshot.at,
        chargers=tuple(
            _setpoint(snapshot, envelope, charger, shares, limits, {**waiting, **giving}, later)
            for charger in snapshot.chargers
        ),
        batteries=batteries,
        pv=pv,
        envelope=envelope,
        building_w=room.building_w,
        building_spread_w=room.building_spread_w,
        unmet=unmet(available, out_of_hand(snapshot, envelope, batteries, moment), policy),
        binding=binding(
            envelope,
            shares,
            used_up(available, limits, sum(one.power_w for one in batteries), policy),
            batteries,
            pv,
            measured=room.measured,
        ),
    )


def _steady(
    snapshot: SiteSnapshot, shares: Mapping[str, Share], available: Budget, policy: ControlPolicy
) -> dict[str, float]:
    return keep_steady(
        {name: share.limit_a for name, share in shares.items()},
        {
            charger.spec.evse_id: charger.confirmed_limit_a
            for charger in snapshot.chargers
            if charger.confirmed_limit_a is not None
        },
        available.constraints(policy.margin_share),
        policy.deadband_a,
        policy.unused_share * available.tightest_w,
    )


def _setpoint(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    charger: ChargerState,
    shares: Mapping[str, Share],
    limits: Mapping[str, float],
    waiting: Mapping[str, Bound],
    later: Container[str],
) -> ChargerSetpoint:
    spec = charger.spec
    match role(charger):
        case Role.IDLE:
            limit_a, cause = _unattended(spec, envelope)
        case Role.FIXED:
            limit_a, cause = _fixed(snapshot, envelope, charger, limits)
        case Role.STEERED if spec.evse_id in later:
            limit_a, cause = limits[spec.evse_id], WAITS
        case Role.STEERED if spec.evse_id in shares:
            limit_a, cause = limits[spec.evse_id], shares[spec.evse_id].cause
        case Role.STEERED if forbidden(charger):
            why = charger.ceiling_cause or "others allow it less than its minimum"
            limit_a, cause = 0.0, f"paused: {why}"
        case Role.STEERED if spec.evse_id in waiting:
            limit_a, cause = _unshared(waiting[spec.evse_id])
        case Role.STEERED:
            limit_a, cause = 0.0, "paused a short while ago: rests before it may resume"
    share = shares.get(spec.evse_id)
    known = share is not None and cause in (share.cause, WAITS)
    bound_by = share.bound_by if share is not None and known else ""
    return ChargerSetpoint(evse_id=spec.evse_id, limit_a=limit_a, cause=cause, bound_by=bound_by)


def _unshared(wish: Bound) -> tuple[float, str]:
    """What a vehicle does that is wished to wait or to give back."""
    return (wish.value, wish.cause) if wish.value < 0 else (0.0, f"waits: {wish.cause}")


def _fixed(
    snapshot: SiteSnapshot, envelope: Envelope, charger: ChargerState, limits: Mapping[str, float]
) -> tuple[float, str]:
    """What a charger that cannot be moved is told all the same."""
    worst = worst_a(charger, snapshot.at, snapshot.model.device_max_age)
    share_a, _ = _unattended(charger.spec, envelope)
    if not charger.controllable:
        if must_stop(snapshot, envelope, limits) == charger.spec.evse_id:
            return 0.0, "stopped: knows no limits, and nothing else is left to give way"
        return share_a, f"knows no limits: counted at {worst:.1f} A"
    state = "does not obey" if charger.online else "does not answer"
    if charger.online and charger.confirmed_limit_a is not None:
        share_a = min(share_a, charger.confirmed_limit_a)  # never raised on suspicion
    return share_a, f"{state}: counted at {worst:.1f} A"


def _unattended(spec: ChargerSpec, envelope: Envelope) -> tuple[float, str]:
    """What a charger without a steered vehicle is told: even one vehicle must not break a limit."""
    share_w = spec.fail_safe_current_a * spec.voltage_v * len(spec.phases)
    load = envelope.load_w
    if load is not None and load.value < share_w:
        return 0.0, f"no vehicle: {load.cause} leaves less than its fail-safe share"
    return spec.fail_safe_current_a, "no vehicle: its fail-safe share"
