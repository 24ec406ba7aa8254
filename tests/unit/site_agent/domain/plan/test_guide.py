"""What a plan wishes now: planned energy is followed, peaks are kept, and each wish says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.plan.guide import MAX_AGE, guidance_at
from site_agent.domain.plan.problem import PlanVehicle
from site_agent.domain.plan.rolling import RollingDemand
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.plan.solve import PlanSolver
from site_agent.domain.site import SiteSnapshot
from support.plan_problems import NOW, demand, problem, storage, van
from support.site import battery, charger, snapshot

MINUTE = timedelta(minutes=1)
MIN_W = 4_140.0


def here(
    wh: float = 22_000.0, *, limit_a: float = 0.0, building_w: float = 20_000.0
) -> SiteSnapshot:
    """The van of `van()` at its plug."""
    one = van()
    wanted = VehicleNeed(
        evse_id="evse-v1",
        vehicle_id="v1",
        required_wh=wh,
        departure=one.departs,
        max_power_w=one.max_power_w,
    )
    plug = charger("evse-v1", drawn_a=limit_a, limit_a=limit_a, at=NOW)
    return replace(
        snapshot(chargers=[plug], needs=[wanted], building_w=building_w, pcc_at=NOW), at=NOW
    )


def planned(power_w: dict[int, float], stay: PlanVehicle | None = None) -> Schedule:
    """A plan of these powers by slot, W."""
    schedule = PlanSolver().plan(problem(vehicles=(stay or van(),)))
    power = np.zeros(32)
    for slot, watts in power_w.items():
        power[slot] = watts
    return replace(schedule, vehicles=(replace(schedule.vehicles[0], power_w=power),))


def wished(
    schedule: Schedule,
    seen: SiteSnapshot,
    after: timedelta = timedelta(0),
    max_age: timedelta = MAX_AGE,
) -> float | None:
    now = NOW + after
    guidance = guidance_at(schedule, replace(seen, at=now), now, max_age=max_age)
    found = guidance.vehicles_w.get("evse-v1")
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("power", "done_wh", "charging", "wish"),
    [
        pytest.param({1: 11_000.0}, 0.0, False, 0.0, id="not yet"),
        pytest.param({0: 11_000.0}, 0.0, False, 11_000.0, id="as planned"),
        pytest.param({0: 6_000.0}, 500.0, True, MIN_W, id="nearly there: its minimum"),
        pytest.param({0: 6_000.0}, 1_000.0, True, MIN_W, id="on its plan it goes on"),
        pytest.param({0: 6_000.0}, 2_500.0, True, 0.0, id="far ahead it stops"),
        pytest.param({0: 6_000.0}, -800.0, True, 10_800.0, id="behind it catches up"),
        pytest.param({0: 11_000.0}, -800.0, True, 11_000.0, id="never above its most"),
        pytest.param({0: 1_000.0}, 0.0, False, 0.0, id="a crumb is no reason to start"),
        pytest.param({0: 1_000.0}, -400.0, False, MIN_W, id="crumbs that have added up are"),
        pytest.param({0: -9_000.0}, 0.0, True, -9_000.0, id="gives back"),
    ],
)
def test_a_vehicle_follows_its_planned_energy(
    power: dict[int, float], done_wh: float, charging: bool, wish: float
) -> None:
    """The first slot has ten minutes left; `done_wh` is what it has got since the plan."""
    seen = here(22_000.0 - done_wh, limit_a=16.0 if charging else 0.0)
    assert wished(planned(power), seen) == pytest.approx(wish)


def test_crumbs_are_charged_in_whole_pieces_and_none_is_lost() -> None:
    """A plan of 1 kW for three hours, for a charger with 4.14 kW at least, minute by minute."""
    schedule = planned(dict.fromkeys(range(12), 1_000.0))
    left, on, starts = 22_000.0, False, 0
    for minute in range(170):
        seen = here(left, limit_a=6.0 if on else 0.0)
        wish = wished(schedule, seen, minute * MINUTE, max_age=timedelta(hours=4))
        assert wish is not None
        starts += wish > 0 and not on
        on = wish > 0
        left -= wish / 60
    plan_wh = schedule.planned_wh(schedule.vehicles[0].power_w, NOW + 170 * MINUTE)
    assert 22_000.0 - left == pytest.approx(plan_wh, abs=MIN_W * 0.25)
    assert starts <= 6, "no switching for crumbs"


def test_a_vehicle_that_has_all_it_needs_waits_unless_power_is_free() -> None:
    schedule = planned({})
    assert wished(schedule, here(0.0)) == 0.0
    free = replace(schedule, curtailed_w=np.full(32, 5_000.0))
    assert wished(free, here(0.0)) is None


def test_a_stranger_to_the_plan_is_not_guided() -> None:
    other = van("v2", evse_id="evse-v1")
    assert wished(planned({0: 5_000.0}, other), here()) is None


def test_a_vehicle_that_was_expected_is_guided_before_the_next_plan() -> None:
    coming = van(present=False, evse_id=None)
    assert wished(planned({0: 11_000.0}, coming), here()) == pytest.approx(11_000.0)


@pytest.mark.parametrize("minutes", [-1, 21])
def test_a_plan_of_the_future_or_the_past_guides_nobody(minutes: int) -> None:
    schedule = planned({0: 11_000.0})
    found = guidance_at(schedule, here(), NOW + minutes * MINUTE)
    assert (found.source, found.vehicles_w, found.storage_w, found.import_w) == ("", {}, None, None)


def test_it_says_why_it_waits() -> None:
    schedule = PlanSolver().plan(problem(count=60, vehicles=(van(departs=NOW + 14 * 60 * MINUTE),)))
    later = NOW + 2 * 60 * MINUTE + 5 * MINUTE
    fresh = replace(schedule, made_at=later)
    found = guidance_at(fresh, replace(here(), at=later), later).vehicles_w["evse-v1"]
    assert found.value == 0.0
    assert found.cause == "the plan of 16:10: power is cheaper from 21:00"


# --- batteries and peaks --------------------------------------------------------------------------


def test_batteries_are_wished_to_do_as_planned() -> None:
    schedule = PlanSolver().plan(problem(count=60, batteries=(storage(),)))
    dear = NOW + 2 * 60 * MINUTE
    fresh = replace(schedule, made_at=dear)
    found = guidance_at(fresh, replace(here(), at=dear), dear).storage_w
    assert found is not None
    assert found.value < 0
    assert "gives power" in found.cause


def test_where_the_plan_is_balanced_batteries_follow_what_is_measured() -> None:
    """Planned: 20 kW of surplus PV into the battery. Measured: 26 kW."""
    pv = np.full(32, -40_000.0)
    schedule = PlanSolver().plan(problem(pv_w=pv, batteries=(storage(),)))
    seen = replace(
        snapshot(building_w=-26_000.0, batteries=[battery(power_w=0.0)], pcc_at=NOW), at=NOW
    )
    seen = replace(
        seen,
        batteries=tuple(
            replace(one, power_w=replace(one.power_w, at=NOW)) for one in seen.batteries
        ),
    )
    found = guidance_at(schedule, seen, NOW).storage_w
    assert abs(schedule.net_w[0]) < 1.0
    assert found is not None
    assert found.value == pytest.approx(26_000.0)


@pytest.mark.row("site:E5")
def test_the_target_is_the_peak_and_pays_back_an_excess() -> None:
    schedule = PlanSolver().plan(problem(demand=(demand(32, so_far_w=40_000.0),)))
    drawn = RollingDemand(timedelta(minutes=15))
    for minute in range(-15, 1):
        drawn.add(NOW + minute * MINUTE, 60_000.0 if minute < -5 else 40_000.0)
    found = guidance_at(schedule, here(), NOW, drawn).import_w
    calm = guidance_at(schedule, here(), NOW).import_w
    assert calm is not None
    assert calm.value == pytest.approx(40_000.0)
    assert calm.cause == "the plan of 14:05: the month's peak stays at 40.0 kW (month)"
    assert found is not None
    assert found.value < 25_000.0
    assert found.cause.endswith("less what was drawn beyond it")


def test_no_average_of_any_interval_exceeds_what_is_allowed() -> None:
    """A site that always draws what is allowed, after a burst that nobody could stop."""
    drawn, target = RollingDemand(timedelta(minutes=15)), 40_000.0
    powers: list[float] = []
    for second in range(0, 7_200, 5):
        at = NOW + timedelta(seconds=second)
        burst = 3_600 <= second < 3_900
        allowed = drawn.allowed_w(target, at)
        powers.append(60_000.0 if burst else allowed)
        drawn.add(at, powers[-1])
    quiet = [float(np.mean(powers[i : i + 180])) for i in range(0, 540)]
    after = [float(np.mean(powers[i : i + 180])) for i in range(900, 1260)]
    assert max(quiet) <= target + 1.0
    assert max(after) <= target + 1.0


def test_without_a_demand_charge_there_is_no_target() -> None:
    schedule = PlanSolver().plan(problem())
    assert guidance_at(schedule, here(), NOW).import_w is None
