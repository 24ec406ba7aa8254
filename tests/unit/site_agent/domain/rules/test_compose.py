"""Rules above a plan, and what a wish of either never does."""

from __future__ import annotations

import pytest

from site_agent.domain.decide.control import decide
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.rules.evaluate import compose
from support.site import battery, charger, envelope, need, snapshot


def bound(value: float, cause: str = "the plan") -> Bound:
    return Bound(value=value, cause=cause)


PLAN = Guidance(
    source="the plan of 14:05",
    vehicles_w={"a": bound(0.0), "b": bound(5_000.0)},
    storage_w=bound(10_000.0),
    import_w=bound(80_000.0),
)
RULES = Guidance(
    source="the site's rules", vehicles_w={"a": bound(22_000.0, "rule")}, import_w=bound(90_000.0)
)


def test_rules_stand_above_the_plan_one_by_one() -> None:
    both = compose(PLAN, RULES)
    assert both.vehicles_w == {"a": bound(22_000.0, "rule"), "b": bound(5_000.0)}
    assert both.storage_w == PLAN.storage_w
    assert both.import_w == PLAN.import_w, "the tighter target"
    assert both.source == "the plan of 14:05, under the site's rules"


def test_nothing_changes_where_one_says_nothing() -> None:
    assert compose(PLAN, NO_GUIDANCE) == PLAN
    assert compose(NO_GUIDANCE, RULES) == RULES


@pytest.mark.parametrize("wished_w", [0.0, 20_000.0, -5_000.0])
def test_a_wish_for_the_battery_leaves_vehicles_on_time(wished_w: float) -> None:
    """10 kW building and 20 kWh within 1 h under a limit of 20 kW: the battery must give 10 kW."""
    here = snapshot(
        chargers=[charger("a", drawn_a=29.0, limit_a=29.0)],
        needs=[need("a", wh=20_000.0, hours=1.0)],
        batteries=[battery()],
    )
    wish = Guidance(storage_w=bound(wished_w))
    decision = decide(here, envelope(here.model, 20_000.0), guidance=wish)
    assert decision.batteries[0].power_w == pytest.approx(-10_200.0, abs=50.0)
    assert decision.chargers[0].limit_a == pytest.approx(29.0, abs=0.5)
