"""Before an event that is known, the plan charges what the event will not let it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from site_agent.domain.horizon import Horizon
from site_agent.domain.plan.problem import Problem
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.plan.solve import PlanSolver
from support.plan_problems import NOW, problem, storage, van

EVENT_FROM = NOW.replace(hour=16, minute=0)
EVENT_UNTIL = EVENT_FROM + timedelta(hours=2)
BUILDING_W = 20_000.0


def plan(*, event: bool) -> Schedule:
    """Power is dear until the event: nobody would charge early for its price."""
    base: Problem = problem(
        vehicles=(van(departs=EVENT_UNTIL + timedelta(minutes=30)),), batteries=(storage(),)
    )
    horizon: Horizon = base.horizon
    dear = horizon.share(horizon.start, EVENT_FROM)
    base = replace(base, import_per_kwh=np.where(dear > 0, 0.40, 0.20))
    if event:
        held = horizon.share(EVENT_FROM, EVENT_UNTIL) > 0
        import_w = np.where(held, BUILDING_W, base.limits.import_w)
        base = replace(base, limits=replace(base.limits, import_w=import_w), batteries=())
    return PlanSolver().plan(base)


def charged_before_wh(schedule: Schedule) -> float:
    (vehicle,) = schedule.vehicles
    return schedule.planned_wh(vehicle.power_w, EVENT_FROM)


@pytest.mark.row("site:A11")
def test_a_known_event_is_charged_for_beforehand_and_nobody_is_short() -> None:
    assert charged_before_wh(plan(event=False)) == pytest.approx(0.0, abs=1.0)
    schedule = plan(event=True)
    # 22 kWh needed, of which half an hour after the event brings 5.5
    assert charged_before_wh(schedule) == pytest.approx(16_500, abs=10)
    assert schedule.shortfalls == ()
    held = schedule.horizon.share(EVENT_FROM, EVENT_UNTIL) > 0
    assert schedule.net_w[held].max() <= BUILDING_W + 1.0
