"""Problems of a site's plan for tests: plain ones, and random ones with everything in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.plan.problem import (
    DemandTerm,
    Feeder,
    PlanBattery,
    PlanVehicle,
    Problem,
    SiteLimits,
    free_limits,
)

NOW = datetime(2026, 1, 5, 14, 5, tzinfo=UTC)
DEAR_FROM, DEAR_UNTIL = 16, 21
DEAR, CHEAP = 0.50, 0.15


def problem(count: int = 32, now: datetime = NOW, **changed: Any) -> Problem:
    """A building of 20 kW below 200 kW, power dear from 16:00 to 21:00 UTC; no devices yet."""
    horizon = Horizon.around(now, count * timedelta(minutes=15))
    plain = Problem(
        now=now,
        horizon=horizon,
        building_w=horizon.filled(20_000.0),
        pv_w=horizon.filled(0.0),
        import_per_kwh=prices(horizon),
        export_per_kwh=horizon.filled(0.05),
        limits=free_limits(horizon, 200_000.0, "the connection contract"),
        currency="EUR",
    )
    return replace(plain, **changed)


def prices(horizon: Horizon) -> Series:
    dear = [DEAR_FROM <= start.hour < DEAR_UNTIL for start in horizon]
    return np.where(dear, DEAR, CHEAP)


def van(key: str = "v1", **changed: Any) -> PlanVehicle:
    """Here now, leaves in seven hours, needs 22 kWh of at most 11 kW."""
    plain = PlanVehicle(
        key=key,
        vehicle_id=key,
        evse_id=f"evse-{key}",
        arrives=NOW,
        departs=NOW + timedelta(hours=7),
        required_wh=22_000.0,
        max_power_w=11_000.0,
        min_power_w=4_140.0,
    )
    return replace(plain, **changed)


def storage(**changed: Any) -> PlanBattery:
    """Half full: 50 of 100 kWh, 10 in reserve, 40 kW either way."""
    plain = PlanBattery(
        battery_id="battery",
        capacity_wh=100_000.0,
        stored_wh=50_000.0,
        reserve_wh=10_000.0,
        max_charge_w=40_000.0,
        max_discharge_w=40_000.0,
        charge_efficiency=0.95,
        discharge_efficiency=0.95,
        wear_per_kwh=0.02,
    )
    return replace(plain, **changed)


def demand(count: int, *, per: int = 1, **changed: Any) -> DemandTerm:
    """15 a kW on every window of `per` quarters."""
    plain = DemandTerm(
        name="month",
        per_kw=15.0,
        so_far_w=40_000.0,
        windows=tuple((i, min(count, i + per)) for i in range(0, count, per)),
        interval_h=per * 0.25,
        counts_taken=True,
    )
    return replace(plain, **changed)


def random_problem(seed: int, count: int = 20, vehicles: int = 5) -> Problem:
    """Everything at once: V2G, feeders, events, demand, negative prices, vehicles to come."""
    chance = np.random.default_rng(seed)
    now = NOW + timedelta(minutes=float(chance.uniform(0, 10)))
    horizon = Horizon.around(now, count * timedelta(minutes=15))
    import_per_kwh = np.round(chance.uniform(-0.05, 0.6, count), 3)
    stays = tuple(_random_stay(chance, n, now) for n in range(vehicles))
    batteries = (
        storage(
            stored_wh=float(chance.uniform(5_000, 95_000)),
            worth_per_kwh=None if seed % 2 else float(chance.uniform(0, 0.3)),
        ),
    )
    carried = {one.key: 1 / 690.0 for one in stays[: vehicles // 2 + 1]}
    per = 1 + seed % 2
    return Problem(
        now=now,
        horizon=horizon,
        building_w=chance.uniform(5_000, 45_000, count),
        pv_w=-np.maximum(0.0, chance.uniform(-30_000, 60_000, count)),
        import_per_kwh=import_per_kwh,
        export_per_kwh=np.round(chance.uniform(-0.02, 0.3, count), 3),
        limits=_random_limits(chance, horizon),
        vehicles=stays,
        batteries=batteries,
        feeders=(Feeder(cause="the fuse", limit_a=30.0, amps_per_w={**carried, "battery": 1e-4}),),
        demand=(demand(count, per=per, taken_wh=float(chance.uniform(0, 4_000))),),
        curtailable=seed % 3 != 0,
    )


def _random_stay(chance: np.random.Generator, n: int, now: datetime) -> PlanVehicle:
    arrives = now + timedelta(hours=float(chance.uniform(-1, 2.5)))
    capacity = float(chance.uniform(20_000, 60_000))
    held = capacity * float(chance.uniform(0.1, 0.9))
    return PlanVehicle(
        key=f"v{n}",
        vehicle_id=f"v{n}",
        present=arrives <= now,
        arrives=arrives,
        departs=arrives + timedelta(hours=float(chance.uniform(0.2, 6))),
        required_wh=float(chance.choice([0.0, 1.0]))
        * float(chance.uniform(2_000, capacity - held)),
        max_power_w=float(chance.choice([7_400.0, 11_000.0, 22_000.0])),
        rank=int(chance.integers(0, 3)),
        discharge_w=10_000.0 if n % 2 else 0.0,
        spare_wh=held / 2,
        room_wh=capacity - held,
        efficiency=0.85,
        wear_per_kwh=0.05,
    )


def _random_limits(chance: np.random.Generator, horizon: Horizon) -> SiteLimits:
    count = horizon.count
    plain = free_limits(horizon, 70_000.0, "the contract")

    def some(values: Series, none: float) -> Series:
        return np.where(chance.random(count) < 0.25, values, none)

    return replace(
        plain,
        import_w=some(chance.uniform(10_000, 60_000, count), 70_000.0),
        export_w=np.where(chance.random(count) < 0.5, -chance.uniform(0, 20_000, count), -np.inf),
        load_w=some(chance.uniform(0, 30_000, count), np.inf),
        generation_w=some(-chance.uniform(0, 30_000, count), -np.inf),
        storage_w=some(chance.uniform(-20_000, 20_000, count), np.nan),
        store_w=some(chance.uniform(0, 20_000, count), np.inf),
    )
