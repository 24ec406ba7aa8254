"""Why a plan has a vehicle or the batteries do something, in words a person at the site reads."""

from __future__ import annotations

import numpy as np

from site_agent.domain.horizon import Series
from site_agent.domain.plan.schedule import Schedule, VehiclePlan

_CHEAPER = 1e-4
_IDLE_W = 1.0


def vehicle_words(schedule: Schedule, plan: VehiclePlan, slot: int, watts: float) -> str:
    """Why this vehicle is wished to charge with `watts` in a slot."""
    if watts < 0:
        return "power is dear now, and there is time to charge again before it leaves"
    if not (plan.power_w > 0).any() and plan.later_wh <= _IDLE_W:
        return "it has all it needs"
    if watts >= plan.max_power_w - _IDLE_W:
        return _now_words(schedule, plan, slot)
    if watts > 0:
        return schedule.bound_by[slot] or "so much is enough to be ready"
    later = _next(plan.power_w, slot)
    if later is None:
        return "it is ahead of its plan" if plan.power_w[slot] > 0 else "the rest is for later"
    return _later_words(schedule, slot, later)


def _later_words(schedule: Schedule, slot: int, later: int) -> str:
    """Why it waits for a later slot."""
    begins = schedule.clock(schedule.horizon.start + later * schedule.horizon.step)
    if schedule.import_per_kwh[later] < schedule.import_per_kwh[slot] - _CHEAPER:
        return f"power is cheaper from {begins}"
    if schedule.net_w[later] < -_IDLE_W or schedule.curtailed_w[later] > _IDLE_W:
        return f"there is sun to spare from {begins}"
    if schedule.bound_by[slot]:
        return f"{schedule.bound_by[slot]}; its turn is from {begins}"
    return f"its turn is from {begins}"


def storage_words(schedule: Schedule, slot: int, watts: float) -> str:
    """Why the batteries are wished to do this in a slot."""
    if watts > _IDLE_W:
        if schedule.pv_w[slot] < 0 and schedule.net_w[slot] <= _IDLE_W:
            return "stores what PV makes beyond the need"
        return f"stores power while it costs {_price(schedule, slot)}"
    if watts < -_IDLE_W:
        if schedule.bound_by[slot]:
            return f"gives power: {schedule.bound_by[slot]}"
        return f"gives power while it costs {_price(schedule, slot)}"
    total = np.sum([one.power_w for one in schedule.batteries], axis=0)
    gives = np.flatnonzero(total[slot:] < -_IDLE_W)
    if len(gives):
        at = schedule.horizon.start + (slot + int(gives[0])) * schedule.horizon.step
        return f"keeps what it holds until {schedule.clock(at)}"
    return "nothing to gain now"


def _now_words(schedule: Schedule, plan: VehiclePlan, slot: int) -> str:
    """Why it charges at full power now."""
    here = schedule.horizon.share(schedule.made_at, plan.departs) > 0
    dearest = float(schedule.import_per_kwh[here].max()) if here.any() else 0.0
    if schedule.import_per_kwh[slot] < dearest - _CHEAPER:
        return f"power costs {_price(schedule, slot)} now, up to {dearest:.3g} later"
    return "the power is there now"


def _price(schedule: Schedule, slot: int) -> str:
    unit = f" {schedule.currency}/kWh" if schedule.currency else " a kWh"
    return f"{schedule.import_per_kwh[slot]:.3g}{unit}"


def _next(power_w: Series, slot: int) -> int | None:
    ahead = np.flatnonzero(power_w[slot + 1 :] > _IDLE_W)
    return slot + 1 + int(ahead[0]) if len(ahead) else None
