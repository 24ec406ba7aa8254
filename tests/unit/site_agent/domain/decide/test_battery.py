"""What a battery can give and take: by its charge, its temperature and its losses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from site_agent.domain.decide.battery import (
    charge_available_w,
    discharge_available_w,
    energy_above_reserve_wh,
)
from site_agent.domain.device import BatteryState
from support.site import NOON, battery, reading

AGE = timedelta(seconds=30)


def at(celsius: float | None, *, told: timedelta = timedelta(0)) -> BatteryState:
    return replace(battery(soc_pct=50), temperature_c=reading(celsius, NOON - told))


@pytest.mark.parametrize(
    ("celsius", "charge", "discharge"),
    [
        (20.0, 1.0, 1.0),
        (-1.0, 0.0, 1.0),
        (2.5, 0.5, 1.0),
        (48.0, 0.4, 1.0),
        (60.0, 0.0, 0.0),
        (-30.0, 0.0, 0.0),
        (None, 1.0, 1.0),
    ],
)
def test_cells_too_cold_or_too_hot_are_not_asked(
    celsius: float | None, charge: float, discharge: float
) -> None:
    state = at(celsius)
    assert charge_available_w(state, NOON, AGE) == pytest.approx(charge * 50_000)
    assert discharge_available_w(state, NOON, AGE) == pytest.approx(discharge * 50_000)


def test_an_old_temperature_says_nothing() -> None:
    assert charge_available_w(at(-20.0, told=timedelta(minutes=5)), NOON, AGE) == 50_000


def test_what_comes_out_is_less_than_what_is_in_the_cells() -> None:
    full = battery(soc_pct=60)
    lossy = replace(full, spec=replace(full.spec, efficiency=0.9))
    assert energy_above_reserve_wh(full, NOON, AGE) == pytest.approx(50_000)
    assert energy_above_reserve_wh(lossy, NOON, AGE) == pytest.approx(45_000)
