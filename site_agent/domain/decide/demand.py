"""What each steered charger could use, as the allocation wants to know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from site_agent.domain.decide.allocate import Demand
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.decide.guided import wished_a
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.protect.estimate import Role, role
from site_agent.domain.protect.facts import Fact, steered_of
from site_agent.domain.site import SiteSnapshot

_NO_HURRY_H = 1e6
_LAST_RANK = 1 << 30


def steered(snapshot: SiteSnapshot) -> list[ChargerState]:
    """Chargers with a vehicle that obey."""
    return [charger for charger in snapshot.chargers if role(charger) is Role.STEERED]


def demands(
    snapshot: SiteSnapshot,
    policy: ControlPolicy,
    facts: Sequence[Fact],
    guidance: Guidance = NO_GUIDANCE,
) -> list[Demand]:
    """One demand per steered charger that may charge now.

    Not one whose pause is too young, nor one to which others leave less than its minimum, nor one
    that is wished to wait.
    """
    waiting = waits(snapshot, policy, facts, guidance)
    needs = {need.evse_id: need for need in snapshot.needs}
    found: list[Demand] = []
    for fact in steered_of(facts):
        name, charger = fact.evse_id, fact.charger
        if resting(charger, snapshot.at, policy) or forbidden(charger) or name in waiting:
            continue
        need = needs.get(name)
        wish = wished_a(fact, need, snapshot, guidance, policy)
        found.append(_guided(_demand(fact, need, snapshot, policy), wish))
    return found


def waits(
    snapshot: SiteSnapshot, policy: ControlPolicy, facts: Sequence[Fact], guidance: Guidance
) -> Mapping[str, Bound]:
    """The steered chargers whose vehicles are wished to wait, and why, by `evse_id`."""
    if not guidance.vehicles_w:
        return {}
    needs = {need.evse_id: need for need in snapshot.needs}
    wishes = (
        (one.evse_id, wished_a(one, needs.get(one.evse_id), snapshot, guidance, policy))
        for one in steered_of(facts)
        if one.charger.pausable
    )
    return {name: wish for name, wish in wishes if wish is not None and wish.value <= 0}


def _guided(demand: Demand, wish: Bound | None) -> Demand:
    """The demand as far as it is wished; its minimum where it cannot be paused."""
    if wish is None or wish.value >= demand.ceiling_a:
        return demand
    most = max(demand.min_a, wish.value)
    return replace(
        demand,
        ceiling_a=most,
        ceiling_cause=wish.cause,
        wanted_a=min(demand.wanted_a, most),
        need_a=min(demand.need_a, most),
    )


def resting(charger: ChargerState, now: datetime, policy: ControlPolicy) -> bool:
    """Whether it was paused too recently to resume."""
    paused = charger.confirmed_limit_a is not None and charger.confirmed_limit_a <= 0
    return paused and _younger(charger, now, policy.resume_hold)


def _just_on(charger: ChargerState, now: datetime, policy: ControlPolicy) -> bool:
    """Whether it has charged too briefly to be paused for others."""
    charges = charger.confirmed_limit_a is not None and charger.confirmed_limit_a > 0
    return (
        charges and charger.transaction_id is not None and _younger(charger, now, policy.least_on)
    )


def forbidden(charger: ChargerState) -> bool:
    """Whether others (a cloud CSMS, a limit set at the charger) allow less than its minimum."""
    return charger.ceiling_a is not None and charger.ceiling_a < charger.spec.min_current_a


def needed_w(facts: Iterable[Fact], wished: Iterable[Demand]) -> float:
    """Power that keeps every vehicle on time, as far as it may have it and would take it now, W."""
    w_per_a = {one.evse_id: one.w_per_a for one in facts}
    return sum(
        min(one.need_a, one.ceiling_a, one.wanted_a) * w_per_a[one.evse_id] for one in wished
    )


def steady_w(need: VehicleNeed, now: datetime) -> float:
    """Constant power from now until it is due that fills the need, at most what it can take, W."""
    hours = (need.due - now) / timedelta(hours=1)
    if need.required_wh <= 0:
        return 0.0
    return need.max_power_w if hours <= 0 else min(need.max_power_w, need.required_wh / hours)


def _demand(
    fact: Fact, need: VehicleNeed | None, snapshot: SiteSnapshot, policy: ControlPolicy
) -> Demand:
    charger, now = fact.charger, snapshot.at
    spec = charger.spec
    least, most = spec.min_current_a, max(spec.min_current_a, _takes_a(charger, need))
    ceiling = max(least, min(most, _ceiling_a(charger, now, policy)))
    wanted = max(least, min(ceiling, _wanted_a(fact, policy)))
    pausable = charger.pausable and not _just_on(charger, now, policy)
    if need is None or need.required_wh <= 0:
        return Demand(
            evse_id=spec.evse_id,
            min_a=least,
            max_a=most,
            ceiling_a=ceiling,
            wanted_a=wanted,
            need_a=0.0,
            laxity_h=_NO_HURRY_H,
            departure=now if need is None else need.departure,
            rank=_LAST_RANK if need is None else need.rank,
            pausable=pausable,
        )
    return Demand(
        evse_id=spec.evse_id,
        min_a=least,
        max_a=most,
        ceiling_a=ceiling,
        wanted_a=wanted,
        need_a=steady_w(need, now) / fact.w_per_a,
        laxity_h=need.laxity(now) / timedelta(hours=1),
        departure=need.due,
        rank=need.rank,
        pausable=pausable,
    )


def _takes_a(charger: ChargerState, need: VehicleNeed | None) -> float:
    """Most current its vehicle can take and others allow it.

    A vehicle too weak for three phases is on a single one.
    """
    spec = charger.spec
    allowed_a = spec.max_current_a
    if charger.ceiling_a is not None:
        allowed_a = min(allowed_a, charger.ceiling_a)
    if need is None:
        return allowed_a
    per_phase = need.max_power_w / (spec.voltage_v * len(spec.phases))
    if per_phase < spec.min_current_a:
        per_phase = need.max_power_w / spec.voltage_v
    return min(allowed_a, per_phase)


def _ceiling_a(charger: ChargerState, now: datetime, policy: ControlPolicy) -> float:
    """Its present limit while that is too young to be raised."""
    limit_a = charger.confirmed_limit_a
    held = limit_a is not None and limit_a > 0 and _younger(charger, now, policy.raise_hold)
    return limit_a if held and limit_a is not None else charger.spec.max_current_a


def _wanted_a(fact: Fact, policy: ControlPolicy) -> float:
    """A vehicle that has long drawn less than it may (tapering, full, slow) wants little more."""
    charger, drawn = fact.charger, fact.measured_a
    most = charger.spec.max_current_a
    limit_a, since = charger.confirmed_limit_a, charger.limit_in_force_since
    if (
        drawn is None
        or limit_a is None
        or since is None
        or _newest(charger) < since + max(policy.settle, charger.follows_within or policy.settle)
    ):
        return most
    saturated = drawn >= limit_a - max(policy.deadband_a, 0.1 * limit_a)
    return most if saturated else 1.1 * drawn + policy.deadband_a


def _newest(charger: ChargerState) -> datetime:
    readings: Iterable[datetime] = (charger.current_a.at, charger.power_w.at)
    return max(readings)


def _younger(charger: ChargerState, now: datetime, age: timedelta) -> bool:
    return charger.limit_in_force_since is not None and now - charger.limit_in_force_since < age
