"""What a vehicle needs and when it leaves."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from site_agent.domain.fleet.agreed import (
    FleetVehicle,
    LeavesAfter,
    LeavesAt,
    LeavesDaily,
    Target,
    need_of,
    next_departure,
)
from support.site import NOON, charger

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
SIX = LeavesDaily(at=time(6, 0), zone=BERLIN)


@pytest.mark.parametrize(
    ("arrived", "now", "leaves"),
    [
        ("2026-01-05 20:00", "2026-01-05 21:00", "2026-01-06 05:00"),  # tomorrow, 06:00 CET
        ("2026-01-05 20:00", "2026-01-06 06:30", "2026-01-06 05:00"),  # late, within the grace
        ("2026-01-05 20:00", "2026-01-06 07:30", "2026-01-07 05:00"),  # stays another day
        ("2026-01-05 04:59", "2026-01-05 04:59", "2026-01-05 05:00"),
        ("2026-01-05 05:00", "2026-01-05 05:00", "2026-01-06 05:00"),
        ("2026-07-05 20:00", "2026-07-05 21:00", "2026-07-06 04:00"),  # 06:00 CEST
        ("2026-03-28 20:00", "2026-03-28 21:00", "2026-03-29 04:00"),  # the clocks change
    ],
)
def test_a_daily_departure_is_the_next_on_the_wall_clock(
    arrived: str, now: str, leaves: str
) -> None:
    instants = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (arrived, now, leaves)]
    assert next_departure(SIX, *instants[:2]) == instants[2]


@pytest.mark.parametrize(
    ("hours_later", "leaves_h"), [(0, 1), (2.9, 1), (3, 1), (3.1, 25), (27.1, 49)]
)
def test_outstaying_a_single_departure_moves_it_by_whole_days(
    hours_later: float, leaves_h: float
) -> None:
    now = NOON + hours_later * HOUR
    assert next_departure(LeavesAt(instant=NOON + HOUR), NOON, now) == NOON + leaves_h * HOUR
    assert next_departure(LeavesAfter(stay=HOUR), NOON, now) == NOON + leaves_h * HOUR


def vehicle(target: Target, max_power_w: float | None = None) -> FleetVehicle:
    return FleetVehicle(
        vehicle_id="van",
        departure=LeavesAfter(stay=8 * HOUR),
        target=target,
        max_power_w=max_power_w,
        rank=2,
    )


SOC = Target(soc_pct=80.0, capacity_wh=50_000.0, arrival_soc_pct=20.0)


@pytest.mark.parametrize(
    ("target", "soc_pct", "energy_wh", "missing_wh"),
    [
        (SOC, 60.0, 999.0, 10_000.0),
        (SOC, 90.0, None, 0.0),
        (SOC, None, 5_000.0, 25_000.0),  # assumed to have come with 20 %
        (SOC, None, None, 30_000.0),
        (Target(energy_wh=12_000.0), 60.0, 5_000.0, 7_000.0),
        (Target(energy_wh=12_000.0), None, 20_000.0, 0.0),
        (Target(), None, None, 0.0),
    ],
)
def test_what_is_missing(
    target: Target, soc_pct: float | None, energy_wh: float | None, missing_wh: float
) -> None:
    state = charger(soc_pct=soc_pct, energy_wh=energy_wh)
    need = need_of(vehicle(target), state, NOON, NOON)
    assert need.required_wh == pytest.approx(missing_wh)
    assert (need.vehicle_id, need.evse_id, need.rank) == ("van", "a", 2)
    assert need.departure == NOON + 8 * HOUR


@pytest.mark.parametrize(("own_w", "taken_w"), [(None, 22_080.0), (11_000.0, 11_000.0)])
def test_power_is_limited_by_the_weaker_of_vehicle_and_evse(
    own_w: float | None, taken_w: float
) -> None:
    assert need_of(vehicle(SOC, own_w), charger(), NOON, NOON).max_power_w == taken_w
