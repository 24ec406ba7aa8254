"""The reference depot: 60 vans on 48 plugs behind 300 kW (`gridyard simulate reference`)."""

import pytest

from gridyard.simulate import oracle, scenario
from gridyard.simulate.night import drawn
from gridyard.simulate.run import Simulation
from gridyard.simulate.scenario import Case
from gridyard.simulate.strategies import STRATEGIES

pytestmark = pytest.mark.timeout(300)  # ten seconds each, where the machine is free


@pytest.fixture(scope="module")
def reference() -> Case:
    """The scenario, decided upon every five minutes beside whatever happens: quick."""
    case = scenario.read("reference")
    settings = case.settings.model_copy(update={"cycle_s": 300.0, "hours": 18.25})
    return Case(settings=settings, site=case.site, folder=case.folder)


@pytest.mark.row("site:E1")
@pytest.mark.row("site:E2")
def test_all_vans_are_ready_and_no_limit_is_passed(reference: Case) -> None:
    night = drawn(reference, 3)
    assert oracle.judge(reference, night).feasible
    result = Simulation(reference, night, STRATEGIES["llf"]).run()
    assert len(result.left) == 60
    assert [left.vehicle_id for left in result.left if not left.ready] == []
    assert result.demand_w <= 300_000
    assert result.over_s <= 1.0
    assert result.nodes_over_s <= 1.0
    assert result.demand_w > 280_000, "the connection was worth its price"
    assert result.swaps >= 12 - 4, "twelve vans more than plugs"
    assert max(left.plugs for left in result.left) == 1


def test_a_van_that_nobody_could_charge_costs_no_other_its_departure(reference: Case) -> None:
    nights = (drawn(reference, seed) for seed in range(1, 60))
    night = next(one for one in nights if not oracle.judge(reference, one).feasible)
    result = Simulation(reference, night, STRATEGIES["llf"]).run()
    late = [left.vehicle_id for left in result.left if not left.ready]
    assert len(late) == 1, "the one that came back too late"
    assert late[0].startswith("late-")
    assert result.within_limit
