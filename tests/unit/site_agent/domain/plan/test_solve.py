"""What a plan does: readiness first, then the price; and how it says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from site_agent.domain.horizon import Flags, Series
from site_agent.domain.plan.linear import NoPlanError
from site_agent.domain.plan.problem import Feeder, Problem, free_limits
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.plan.solve import PlanSolver
from support.plan_problems import DEAR, NOW, demand, problem, storage, van

HOUR = timedelta(hours=1)


def plan(of: Problem) -> Schedule:
    return PlanSolver().plan(of)


def charged_wh(schedule: Schedule, power_w: Series) -> float:
    return schedule.planned_wh(power_w, schedule.horizon.end)


def dear(schedule: Schedule) -> Flags:
    flags: Flags = schedule.import_per_kwh == DEAR
    return flags


def together(schedule: Schedule) -> Series:
    total: Series = np.sum([one.power_w for one in schedule.vehicles], axis=0)
    return total


@pytest.mark.row("site:E6")
def test_a_vehicle_waits_for_cheap_power() -> None:
    here = problem(count=60, vehicles=(van(departs=NOW + 14 * HOUR),))
    schedule = plan(here)
    power = schedule.vehicles[0].power_w
    assert charged_wh(schedule, power) == pytest.approx(22_000.0)
    assert power[dear(schedule)].max() == 0.0
    assert schedule.vehicles[0].ready


def test_it_pays_a_dear_hour_rather_than_leave_a_vehicle_behind() -> None:
    here = problem(vehicles=(van(departs=NOW + timedelta(hours=2, minutes=30)),))
    schedule = plan(here)
    assert schedule.vehicles[0].ready
    assert schedule.vehicles[0].power_w[dear(schedule)].max() > 0.0


def test_of_equal_costs_it_charges_early_and_keeps_the_crest_low() -> None:
    flat = np.full(32, 0.2)
    schedule = plan(problem(import_per_kwh=flat, vehicles=(van(), van("v2"))))
    total = together(schedule)
    assert total[:4].min() > 0.0, "not put off to the end"
    assert total[1:].max() < 16_000.0, "nor all at once"


@pytest.mark.row("site:E5")
@pytest.mark.parametrize("per", [1, 2])
def test_the_months_peak_is_not_raised_while_there_is_time(per: int) -> None:
    term = demand(32, per=per, so_far_w=31_000.0)
    vehicles = tuple(van(f"v{n}", required_wh=15_000.0) for n in range(3))
    schedule = plan(problem(vehicles=vehicles, demand=(term,)))
    assert all(one.ready for one in schedule.vehicles)
    assert schedule.demand[0].peak_w == pytest.approx(31_000.0)
    assert schedule.cost.demand == 0.0
    assert "the month's peak of 31.0 kW would rise (month)" in schedule.bound_by


def test_energy_already_drawn_counts_in_the_interval_that_runs() -> None:
    """40 kW over 15 minutes are 10 kWh: 9 of them are gone, so 1 kWh is left for 10 minutes."""
    term = demand(32, so_far_w=40_000.0, taken_wh=9_000.0)
    schedule = plan(
        problem(building_w=np.zeros(32), vehicles=(van(max_power_w=40e3),), demand=(term,))
    )
    assert schedule.net_w[0] <= 6_000.0 + 1.0


def test_a_battery_shaves_the_peak_and_keeps_its_reserve() -> None:
    load = np.full(32, 20_000.0)
    load[8:12] = 60_000.0
    term = demand(32, so_far_w=25_000.0)
    schedule = plan(problem(building_w=load, batteries=(storage(),), demand=(term,)))
    assert schedule.demand[0].peak_w < 40_000.0
    assert schedule.batteries[0].stored_wh.min() >= 10_000.0 - 1.0


@pytest.mark.row("site:E7")
def test_pv_goes_into_vehicles_and_the_battery_before_it_is_fed_in() -> None:
    pv = np.zeros(32)
    pv[4:12] = -40_000.0
    full = free_limits(problem().horizon, 200_000.0, "the contract")
    none = replace(full, export_w=np.zeros(32), export_cause=("no export",) * 32)
    here = problem(pv_w=pv, vehicles=(van(),), batteries=(storage(),), limits=none)
    schedule = plan(here)
    assert schedule.net_w.min() >= -1e-3
    assert charged_wh(schedule, schedule.vehicles[0].power_w[:] * (pv < 0)) > 15_000.0
    assert schedule.batteries[0].power_w[4:12].max() > 5_000.0


def test_what_cannot_be_used_nor_fed_in_is_curtailed_and_said() -> None:
    pv = np.full(8, -60_000.0)
    plain = problem(count=8)
    limits = replace(
        plain.limits, export_w=np.full(8, -5_000.0), export_cause=("the export limit",) * 8
    )
    schedule = plan(replace(plain, pv_w=pv, limits=limits))
    assert schedule.curtailed_w == pytest.approx(np.full(8, 35_000.0))
    assert set(schedule.bound_by) == {"the export limit"}


@pytest.mark.row("site:E8")
def test_a_battery_works_only_for_more_than_its_wear_and_losses() -> None:
    spread = plan(problem(count=60, batteries=(storage(wear_per_kwh=0.02),)))
    worn = plan(problem(count=60, batteries=(storage(wear_per_kwh=0.60),)))
    assert spread.batteries[0].power_w[dear(spread)].min() < -1_000.0
    assert worn.batteries[0].power_w.min() > -1.0


def test_a_battery_found_below_its_reserve_is_brought_back() -> None:
    schedule = plan(problem(batteries=(storage(stored_wh=4_000.0),)))
    assert schedule.batteries[0].stored_wh[-1] >= 10_000.0 - 1.0


def test_negative_prices_never_make_a_battery_burn_power() -> None:
    """Charging and discharging at once would waste energy that somebody pays to get rid of."""
    here = problem(
        count=16,
        import_per_kwh=np.full(16, -0.10),
        export_per_kwh=np.full(16, -0.20),
        batteries=(storage(wear_per_kwh=0.0, stored_wh=100_000.0, worth_per_kwh=0.0),),
    )
    schedule = plan(here)
    assert schedule.batteries[0].stored_wh[-1] == pytest.approx(100_000.0)


@pytest.mark.row("site:E14")
def test_a_vehicle_gives_back_when_it_pays_and_still_leaves_ready() -> None:
    def giving(wear: float) -> Schedule:
        one = van(
            departs=NOW + 14 * HOUR,
            required_wh=5_000.0,
            discharge_w=10_000.0,
            spare_wh=8_000.0,
            room_wh=30_000.0,
            wear_per_kwh=wear,
        )
        return plan(problem(count=60, vehicles=(one,)))

    cheap, dear_wear = giving(0.05), giving(1.0)
    power = cheap.vehicles[0].power_w
    assert power[dear(cheap)].min() < -1_000.0
    assert cheap.vehicles[0].ready
    assert dear_wear.vehicles[0].power_w.min() >= 0.0
    held = np.cumsum(np.where(power < 0, power / 0.85, power) * cheap.present) * 0.25
    assert held.min() >= -8_000.0 - 1.0, "never below its floor"


def test_when_not_all_can_be_ready_ranks_decide_and_the_reason_is_told() -> None:
    few = problem(count=16, limits=free_limits(problem(16).horizon, 30_000.0, "the contract"))
    leaves = NOW + 3 * HOUR
    first = van("first", rank=0, departs=leaves)
    last = van("last", rank=1, departs=leaves)
    schedule = plan(replace(few, vehicles=(last, first)))
    (missing,) = schedule.shortfalls
    assert missing.vehicle_id == "last"
    assert "the contract" in missing.reason
    assert "others go first (rank 1)" in missing.reason


def test_one_that_cannot_be_ready_even_at_full_power_says_so() -> None:
    schedule = plan(problem(vehicles=(van(departs=NOW + HOUR),)))
    (missing,) = schedule.shortfalls
    assert missing.shortfall_wh == pytest.approx(11_000.0)
    assert "even at full power only 11.0 kWh" in missing.reason


def test_a_vehicle_that_stays_longer_than_the_plan_may_get_the_rest_later() -> None:
    flat = np.full(8, 0.5)
    cheap_later = problem(count=8, import_per_kwh=flat)
    schedule = plan(replace(cheap_later, vehicles=(van(departs=NOW + 30 * HOUR),)))
    assert schedule.vehicles[0].ready
    assert schedule.vehicles[0].later_wh + charged_wh(
        schedule, schedule.vehicles[0].power_w
    ) == pytest.approx(22_000.0)


def test_a_feeder_bounds_what_hangs_on_it() -> None:
    fuse = Feeder(
        cause="the fuse of row-1", limit_a=20.0, amps_per_w={"v1": 1 / 690, "v2": 1 / 690}
    )
    leaves = NOW + 2 * HOUR
    both = tuple(van(f"v{n}", departs=leaves, required_wh=20_000.0) for n in (1, 2))
    schedule = plan(problem(count=12, vehicles=both, feeders=(fuse,)))
    total = together(schedule)
    assert total.max() <= 20 * 690 + 1.0
    assert {"the fuse of row-1"} <= set(schedule.bound_by)


def test_an_event_is_kept_and_power_is_taken_before_it() -> None:
    plain = problem(count=24)
    event = np.full(24, 200_000.0)
    event[8:16] = 20_000.0
    causes = tuple("the event" if watts < 50_000 else "the contract" for watts in event)
    limits = replace(plain.limits, import_w=event, import_cause=causes)
    vehicles = (van(departs=NOW + 4 * HOUR),)
    schedule = plan(replace(plain, limits=limits, vehicles=vehicles))
    assert schedule.net_w[8:16].max() <= 20_000.0 + 1.0
    assert schedule.vehicles[0].ready
    assert schedule.bound_by[8] == "the event"


def test_a_building_above_the_limit_is_no_reason_to_have_no_plan() -> None:
    limits = free_limits(problem(8).horizon, 10_000.0, "the contract")
    schedule = plan(problem(count=8, limits=limits, vehicles=(van(),)))
    assert schedule.vehicles[0].power_w.max() == 0.0
    assert schedule.net_w == pytest.approx(np.full(8, 20_000.0))


def test_a_like_problem_is_solved_from_the_optimum_before() -> None:
    solver, here = PlanSolver(), problem(vehicles=(van(),), batteries=(storage(),))
    first = solver.plan(here)
    later = replace(here, now=NOW + timedelta(minutes=4), building_w=here.building_w * 1.1)
    again, anew = solver.plan(later), PlanSolver().plan(later)
    assert (first.warm, again.warm, anew.warm) == (False, True, False)
    assert again.objective == pytest.approx(anew.objective)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"building_w": np.zeros(3)}, "building_w: needs a number for each of 32 slots"),
        ({"import_per_kwh": np.full(32, np.nan)}, "import_per_kwh: needs a number"),
        ({"pv_w": np.full(32, 1.0)}, "generation is negative"),
        ({"vehicles": (van(), van())}, "two stays have the same key"),
        ({"vehicles": (van(required_wh=float("nan")),)}, "v1: energies and powers"),
    ],
)
def test_nonsense_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        problem(**changed)


def test_a_solver_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(NoPlanError, match="no optimum: time limit"):
        PlanSolver(time_limit_s=0.0).plan(problem(vehicles=(van(),), batteries=(storage(),)))


def test_the_time_limit_is_of_each_plan_not_of_all_plans_together() -> None:
    """HiGHS adds up the time of all runs: an agent that has planned for a day must go on."""
    solver = PlanSolver(time_limit_s=5.0)
    solver.plan(problem(vehicles=(van(),)))
    highs: Any = solver._engine._highs
    for _ in range(3):
        solver.plan(problem(vehicles=(van(),)))
        limit = highs.getOptionValue("time_limit")[1]
        assert limit > 5.0
        assert limit <= 5.0 + highs.getRunTime()
