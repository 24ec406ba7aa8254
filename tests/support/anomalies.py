"""Synthetic days of a depot, quiet ones, and what a fault makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.domain.anomaly.picture import Picture

START = datetime(2026, 10, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONTRACT_W = 150_000.0
SLOTS = 1440
Fault = Callable[[Numbers], Numbers]


def grid_of(count: int = SLOTS) -> SlotGrid:
    return SlotGrid(window=Interval.lasting(START, count * MINUTE), step=MINUTE)


def quiet_day(seed: int, *, chargers: int = 4, pv: bool = True, battery: bool = True) -> Picture:
    """A building that wanders and hums, vehicles that come and go, sun with clouds, a battery.

    Chargers tell 3 % too little or too much; the meter and its register are right.
    """
    chance = np.random.default_rng(seed)
    minutes = np.arange(SLOTS)
    wander = np.cumsum(chance.normal(0, 150, SLOTS))
    building = 15_000 + 6_000 * np.sin(minutes / 229.0) + wander - wander.mean()
    building = np.maximum(2_000, building + chance.normal(0, 300, SLOTS))
    evses = {f"e{i}": _vehicles(chance) for i in range(chargers)}
    charging = sum(evses.values(), start=np.zeros(SLOTS))
    sun = np.maximum(0.0, np.sin((minutes - 360) / 229.0)) * (minutes < 1080)
    clouds = np.repeat(chance.uniform(0.3, 1.0, SLOTS // 10), 10)
    made = -40_000 * sun * clouds if pv else np.zeros(SLOTS)
    stored = np.repeat(chance.choice([-20e3, 0.0, 20e3], SLOTS // 120), 120)
    stored = stored if battery else np.zeros(SLOTS)
    pcc = building + charging + made + stored
    off = float(chance.uniform(0.97, 1.03))
    register = 5e6 + np.concatenate([[0.0], np.cumsum(np.maximum(0.0, pcc))[:-1]]) / 60.0
    return Picture(
        grid=grid_of(),
        contract_w=CONTRACT_W,
        pcc_w=pcc,
        register_wh=register,
        charging_w=charging * off,
        battery_w=stored,
        pv_w=made,
        evse_w=evses,
        limit_w={name: np.full(SLOTS, 22_000.0) for name in evses},
    )


def _vehicles(chance: np.random.Generator) -> Numbers:
    """Two to five stays of one EVSE, 7 to 22 kW."""
    power = np.zeros(SLOTS)
    for start in chance.choice(SLOTS - 60, int(chance.integers(2, 6)), replace=False).tolist():
        lasts = int(chance.integers(40, 240))
        power[start : start + lasts] = float(chance.choice([7_400.0, 11_000.0, 22_000.0]))
    return power


def with_meter(picture: Picture, fault: Fault) -> Picture:
    """The meter shows what the fault makes of the truth; the register goes on counting right."""
    return replace(picture, pcc_w=fault(picture.pcc_w.copy()))
