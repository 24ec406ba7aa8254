"""What a plan or rule wishes, and where it ends: readiness and limits come first."""

from __future__ import annotations

import pytest

from site_agent.domain.decide.control import decide
from site_agent.domain.decide.guidance import Guidance
from site_agent.domain.protect.envelope import Bound
from support.site import W_PER_A, battery, charger, envelope, need, snapshot

WHY = "power is cheaper from 22:00"


def wish(**watts: float) -> Guidance:
    return Guidance(
        source="the plan",
        vehicles_w={name: Bound(value=value, cause=WHY) for name, value in watts.items()},
    )


@pytest.mark.parametrize(
    ("wished_w", "hours", "limit_a"),
    [
        pytest.param(0.0, 8, 0.0, id="waits"),
        pytest.param(1_000.0, 8, 0.0, id="less than half its minimum is a pause"),
        pytest.param(3_000.0, 8, 6.0, id="more than half its minimum is its minimum"),
        pytest.param(10 * W_PER_A, 8, 10.0, id="as wished"),
        pytest.param(90_000.0, 8, 32.0, id="never above its rating"),
        pytest.param(0.0, 1, 32.0, id="not where it would be late"),
    ],
)
def test_a_vehicle_does_as_wished_while_it_has_time(
    wished_w: float, hours: float, limit_a: float
) -> None:
    here = snapshot(
        chargers=[charger("a", drawn_a=32.0, limit_a=32.0)],
        needs=[need("a", wh=20_000.0, hours=hours)],
    )
    (setpoint,) = decide(here, envelope(here.model), guidance=wish(a=wished_w)).chargers
    assert setpoint.limit_a == limit_a
    assert (WHY in setpoint.cause) == (limit_a < 32.0)


def test_batteries_do_as_wished_inside_the_limits() -> None:
    storage = Guidance(storage_w=Bound(value=-20_000.0, cause="the plan"))
    here = snapshot(batteries=[battery()], building_w=60_000.0)
    given = decide(here, envelope(here.model), guidance=storage).batteries[0].power_w
    bounded = decide(here, envelope(here.model, storage_w=5_000.0), guidance=storage)
    assert given == pytest.approx(-20_000.0)
    assert bounded.batteries[0].power_w == pytest.approx(5_000.0), "a utility's target goes first"


def test_a_demand_target_is_kept_by_vehicles_with_time_and_gives_way_to_those_without() -> None:
    target = Guidance(import_w=Bound(value=30_000.0, cause="the month's peak of 30.0 kW"))

    def drawn_w(hours: float) -> float:
        here = snapshot(
            chargers=[charger("a", drawn_a=0.0, limit_a=0.0)],
            needs=[need("a", wh=20_000.0, hours=hours)],
            building_w=20_000.0,
        )
        return decide(here, envelope(here.model), guidance=target).chargers[0].limit_a * W_PER_A

    assert 6 * W_PER_A <= drawn_w(hours=10) <= 10_000.0
    assert drawn_w(hours=1) >= 20_000.0 - W_PER_A / 10
