"""The plan as a chart, and the yard list, on the depot's page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from site_agent.domain.horizon import Horizon
from site_agent.domain.plan.schedule import BatteryPlan, Cost, Schedule, VehiclePlan
from site_agent.web.plan_view import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, plan_view
from support.site import NOON
from support.site_web import Bench, depot

BERLIN = ZoneInfo("Europe/Berlin")
HORIZON = Horizon(start=NOON, count=24)


def plan(**changes: object) -> Schedule:
    """Six hours: a van for the first two, the battery gives and takes, PV all along."""
    slots = np.arange(24)
    van_w = np.where(slots < 8, 11_000.0, 0.0)
    battery_w = np.where(slots < 8, -5_000.0, np.where(slots < 16, 4_000.0, 0.0))
    made = Schedule(
        made_at=NOON,
        zone=BERLIN,
        currency="EUR",
        horizon=HORIZON,
        vehicles=(
            VehiclePlan(
                key="van-1",
                vehicle_id="van-1",
                evse_id="cp-1",
                present=True,
                departs=NOON + timedelta(hours=3),
                required_wh=30_000.0,
                max_power_w=11_000.0,
                min_power_w=4_140.0,
                power_w=van_w,
                shortfall_wh=8_000.0,
                reason="the fuse of row-2 is too small",
            ),
        ),
        batteries=(
            BatteryPlan(battery_id="rack", power_w=battery_w, stored_wh=HORIZON.filled(0.0)),
        ),
        building_w=HORIZON.filled(10_000.0),
        pv_w=HORIZON.filled(-3_000.0),
        curtailed_w=HORIZON.filled(0.0),
        net_w=10_000.0 - 3_000.0 + van_w + battery_w,
        import_per_kwh=np.where(slots < 12, 0.30, 0.20),
        export_per_kwh=HORIZON.filled(0.05),
        bound_by=("",) * 24,
        cost=Cost(energy=12.345),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # as the test says


def test_every_part_of_every_slot_is_drawn_inside_the_chart() -> None:
    view = plan_view(plan(), NOON)
    assert view is not None
    kinds = {bar.kind: sum(b.kind == bar.kind for b in view.bars) for bar in view.bars}
    assert kinds == {"building": 24, "vehicles": 8, "charge": 8, "discharge": 8, "pv": 24}
    for bar in view.bars:
        assert LEFT <= bar.x <= bar.x + bar.width <= WIDTH - RIGHT + 1
        assert TOP <= bar.y <= bar.y + bar.height <= HEIGHT - BOTTOM + 0.2
    above = [bar for bar in view.bars if bar.kind in ("building", "vehicles", "charge")]
    assert all(bar.y + bar.height <= view.zero_y + 0.2 for bar in above)
    assert view.net.startswith("M")
    assert view.net.count(" ") == 2 * 24 - 1
    assert [tick.text for tick in view.times] == ["15:00", "18:00"]
    assert {price.level for price in view.prices} == {1, 5}
    assert (view.cost, view.late) == ("12.35 EUR", ("van-1: the fuse of row-2 is too small",))
    assert view.label == "The plan of 13:00 until 19:00. Highest import 13.0 kW."


@pytest.mark.parametrize("hours", [0.0, 1.0, 5.9])
def test_what_is_over_is_not_shown(hours: float) -> None:
    view = plan_view(plan(), NOON + timedelta(hours=hours))
    assert view is not None
    assert sum(bar.kind == "building" for bar in view.bars) == 24 - int(hours * 4)
    assert min(bar.x for bar in view.bars) == LEFT


def test_a_plan_that_is_over_is_no_picture() -> None:
    assert plan_view(plan(), NOON + timedelta(hours=6)) is None


def test_a_site_that_does_nothing_still_has_a_chart() -> None:
    zero = HORIZON.filled(0.0)
    idle = plan(vehicles=(), batteries=(), building_w=zero, pv_w=zero, net_w=zero)
    view = plan_view(replace(idle, import_per_kwh=HORIZON.filled(0.2)), NOON)
    assert view is not None
    assert (view.bars, view.prices) == ((), ())
    assert len(view.powers) >= 2


@dataclass(frozen=True)
class Move:
    """A line of the yard list."""

    vehicle_id: str
    from_evse: str | None
    to_evse: str | None
    at: datetime
    by: datetime
    why: str


async def test_the_page_shows_plan_and_yard_list_while_there_are_any() -> None:
    swap = Move("van-1", "cp-1", None, NOON, NOON + timedelta(hours=1), "cp-1 is for van-2")
    bench = Bench(plan=plan(), moves=[swap])
    await bench.show(depot())
    async with bench.client() as person:
        text = (await person.get("/")).text
        assert "The plan of 13:00" in text
        assert "expected cost 12.35 EUR" in text
        assert "van-1: the fuse of row-2 is too small" in text
        for told in ("Who plugs in where", "13:00", "14:00", "cp-1 is for van-2", "parking"):
            assert told in text
        (move,) = (await person.get("/api/yard")).json()
        assert move == {
            "vehicle": "van-1",
            "from_evse": "cp-1",
            "to_evse": None,
            "at": "2026-01-05T12:00:00Z",
            "by": "2026-01-05T13:00:00Z",
            "why": "cp-1 is for van-2",
        }
        await bench.clock.advance(3_601.0)
        assert "The plan of 13:00" not in (await person.get("/")).text
    bare = Bench()
    await bare.show(depot())
    async with bare.client() as person:
        text = (await person.get("/")).text
        assert (await person.get("/api/yard")).json() == []
    assert "Who plugs in where" not in text
    assert "expected cost" not in text
