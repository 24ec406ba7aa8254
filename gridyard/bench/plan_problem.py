"""What `gridyard bench plan` plans: 60 vans, a battery, PV, a building, a demand charge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.plan.problem import (
    DemandTerm,
    PlanBattery,
    PlanVehicle,
    Problem,
    free_limits,
)

VANS, QUARTERS = 60, 96
_NOW = datetime(2026, 6, 1, 14, 5, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_DEAR, _MORNING = (16, 21), 8


def depot(seed: int, *, now: datetime = _NOW, error: float = 0.0) -> Problem:
    """A day; `error`: how far the forecast of the building is off, as a share."""
    chance = np.random.default_rng(seed)
    horizon = Horizon.around(_NOW, QUARTERS * timedelta(minutes=15))
    hours = np.array([start.hour + start.minute / 60 for start in horizon])
    return Problem(
        now=now,
        horizon=horizon,
        building_w=(40_000.0 + 20_000.0 * np.cos((hours - 14) / 24 * 2 * np.pi)) * (1 + error),
        pv_w=-np.maximum(0.0, 120_000.0 * np.sin((hours - 5) / 16 * np.pi)),
        import_per_kwh=_prices(hours),
        export_per_kwh=horizon.filled(0.06),
        limits=free_limits(horizon, 300_000.0, "the connection contract"),
        vehicles=tuple(_van(chance, n) for n in range(VANS)),
        batteries=(
            PlanBattery(
                battery_id="battery",
                capacity_wh=400_000.0,
                stored_wh=120_000.0,
                reserve_wh=40_000.0,
                max_charge_w=100_000.0,
                max_discharge_w=100_000.0,
                charge_efficiency=0.95,
                discharge_efficiency=0.95,
                wear_per_kwh=0.03,
            ),
        ),
        demand=(
            DemandTerm(
                name="month",
                per_kw=0.5,
                so_far_w=90_000.0,
                windows=tuple((i, i + 1) for i in range(QUARTERS)),
                interval_h=0.25,
                taken_wh=2_000.0,
            ),
        ),
    )


def _prices(hours: Series) -> Series:
    dear = (hours >= _DEAR[0]) & (hours < _DEAR[1])
    return np.where(dear, 0.496, np.where(hours < _MORNING, 0.126, 0.154))


def _van(chance: np.random.Generator, number: int) -> PlanVehicle:
    """Back between 15:00 and 19:00, away between 5:30 and 8:00."""
    midnight = _NOW.replace(hour=0, minute=0)
    return PlanVehicle(
        key=f"van-{number}",
        vehicle_id=f"van-{number}",
        arrives=midnight + float(chance.uniform(15, 19)) * _HOUR,
        departs=midnight + float(chance.uniform(29.5, 32)) * _HOUR,
        required_wh=float(chance.uniform(15_000, 45_000)),
        max_power_w=11_000.0,
        rank=number % 2,
    )
