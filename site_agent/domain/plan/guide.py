"""What a plan would have devices do now: `Guidance` from a schedule and what has happened since.

A vehicle follows its planned energy, not its planned power: behind, it catches up within the slot;
ahead, it stops. A plan may ask for less than a vehicle can charge with; then it charges with its
minimum for part of the time, and starts only for half a slot's worth of that, so that it is not
switched on and off for crumbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.plan.rolling import RollingDemand
from site_agent.domain.plan.schedule import DemandPlan, Schedule, VehiclePlan
from site_agent.domain.plan.words import storage_words, vehicle_words
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.site import SiteSnapshot

MAX_AGE = timedelta(minutes=20)
"""A plan older than this guides nobody."""
_SOONEST_H = 1.0 / 12.0
"""A gap is made up within five minutes at the soonest: energy registers come late and in lumps."""
_BALANCED_W = 100.0


def guidance_at(
    schedule: Schedule,
    snapshot: SiteSnapshot,
    now: datetime,
    drawn: RollingDemand | None = None,
    max_age: timedelta = MAX_AGE,
) -> Guidance:
    """The wishes of a plan at `now`; none once it is older than `max_age`.

    `drawn`: what has been drawn in the last demand interval, to bring an excess back down.
    """
    slot = schedule.slot(now)
    if slot is None or now - schedule.made_at > max_age:
        return NO_GUIDANCE
    return Guidance(
        source=schedule.name,
        vehicles_w=dict(_vehicles(schedule, snapshot, slot, now)),
        storage_w=_storage(schedule, snapshot, slot),
        import_w=_target(schedule, slot, now, drawn),
    )


# --- vehicles -------------------------------------------------------------------------------------


def _vehicles(
    schedule: Schedule, snapshot: SiteSnapshot, slot: int, now: datetime
) -> Iterator[tuple[str, Bound]]:
    chargers = {charger.spec.evse_id: charger for charger in snapshot.chargers}
    for need in snapshot.needs:
        plan, charger = _plan_of(need, schedule, slot), chargers.get(need.evse_id)
        if plan is None or charger is None:
            continue
        watts = _wish_w(plan, need, charger, schedule, slot, now)
        if watts is not None:
            why = vehicle_words(schedule, plan, slot, watts)
            yield need.evse_id, Bound(value=watts, cause=f"{schedule.name}: {why}")


def _plan_of(need: VehicleNeed, schedule: Schedule, slot: int) -> VehiclePlan | None:
    """Its own, else that of the stay that was expected of it; a stranger has none."""
    for one in schedule.vehicles:
        if one.vehicle_id == need.vehicle_id and one.present and one.evse_id == need.evse_id:
            return one
    for one in schedule.vehicles:
        expected = not one.present and one.vehicle_id == need.vehicle_id
        if expected and one.power_w[slot:].any() and one.evse_id in (None, need.evse_id):
            return one
    return None


def _wish_w(
    plan: VehiclePlan,
    need: VehicleNeed,
    charger: ChargerState,
    schedule: Schedule,
    slot: int,
    now: datetime,
) -> float | None:
    planned_w = float(plan.power_w[slot])
    if planned_w < 0:
        return planned_w
    if need.required_wh <= 0:
        free = schedule.curtailed_w[slot] > 0
        return None if free else 0.0
    ends = schedule.horizon.start + (slot + 1) * schedule.horizon.step
    done_wh = plan.required_wh - need.required_wh
    gap_wh = schedule.planned_wh(plan.power_w, ends) - done_wh
    crumb_wh = plan.min_power_w * schedule.horizon.hours / 2
    charging = bool(charger.confirmed_limit_a)
    if charging:
        goes = gap_wh > (-crumb_wh if planned_w > 0 else 0.0)
    else:
        goes = gap_wh > 0 and gap_wh >= min(crumb_wh, need.required_wh)
    if not goes:
        return 0.0
    rest_h = max((ends - now) / timedelta(hours=1), _SOONEST_H)
    return min(plan.max_power_w, max(plan.min_power_w, gap_wh / rest_h))


# --- the site -------------------------------------------------------------------------------------


def _storage(schedule: Schedule, snapshot: SiteSnapshot, slot: int) -> Bound | None:
    """What all batteries should do.

    Where the plan neither draws nor feeds in: whatever keeps the connection at nothing, for PV and
    building differ from their forecast.
    """
    if not schedule.batteries:
        return None
    watts = sum(float(one.power_w[slot]) for one in schedule.batteries)
    why = storage_words(schedule, slot, watts)
    others_w = _others_w(snapshot)
    if others_w is not None and abs(watts) > _BALANCED_W and _balanced(schedule, slot):
        watts, why = -others_w, "balances what the site makes and uses"
    return Bound(value=watts, cause=f"{schedule.name}: {why}")


def _balanced(schedule: Schedule, slot: int) -> bool:
    return abs(float(schedule.net_w[slot])) < _BALANCED_W


def _others_w(snapshot: SiteSnapshot) -> float | None:
    """What the site draws without its batteries, W; None where that is not known."""
    max_age = snapshot.model.device_max_age
    drawn = [one.power_w.fresh(snapshot.at, max_age) for one in snapshot.batteries]
    site_w = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
    known = [watts for watts in drawn if watts is not None]
    return None if site_w is None or len(known) < len(drawn) else site_w - sum(known)


def _target(
    schedule: Schedule, slot: int, now: datetime, drawn: RollingDemand | None
) -> Bound | None:
    """Below the lowest peak that a demand charge makes worth keeping now."""
    charges = [one for one in schedule.demand if slot in one.slots]
    if not charges:
        return None
    lowest = min(charges, key=lambda one: one.peak_w)
    watts = lowest.peak_w if drawn is None else drawn.allowed_w(lowest.peak_w, now)
    less = " less what was drawn beyond it" if watts < lowest.peak_w - 1.0 else ""
    return Bound(value=watts, cause=f"{schedule.name}: {_peak(lowest)}{less}")


def _peak(one: DemandPlan) -> str:
    return f"the month's peak stays at {one.peak_w / 1e3:.1f} kW ({one.name})"
