"""A forecast on other slots than its own."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.forecast import forecast
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.horizon import QUARTER, Horizon
from support.forecast import MONDAY, midnight

START = midnight(MONDAY)
DAY = Horizon(start=START, count=96)
RAMP = np.arange(96, dtype=np.float64)
FORECAST = Forecast(
    horizon=DAY, p10=RAMP - 1, p50=RAMP, p90=RAMP + 1, method="test", trained_days=1, why=""
)


def on(start_h: float, count: int, minutes: int) -> Forecast:
    start = START + timedelta(hours=start_h)
    return FORECAST.on(Horizon(start=start, count=count, step=timedelta(minutes=minutes)))


def test_the_same_slots_are_the_same() -> None:
    assert on(0, 96, 15).p50 == pytest.approx(RAMP)


def test_longer_slots_are_means_and_shorter_ones_copies() -> None:
    assert on(1, 2, 60).p50 == pytest.approx([5.5, 9.5])
    assert on(1, 3, 5).p90 == pytest.approx([5.0, 5.0, 5.0])
    assert on(0.125, 1, 15).p50 == pytest.approx([0.5])


def test_beyond_its_end_the_day_before_stands_in() -> None:
    assert on(23, 8, 15).p50 == pytest.approx([92, 93, 94, 95, 0, 1, 2, 3])
    assert on(50, 1, 15).p10 == pytest.approx([7.0])


def test_of_a_short_one_the_last_slot_stands_in_where_no_day_before_is_known() -> None:
    short = replace(FORECAST, horizon=Horizon(start=START, count=2), p50=RAMP[:2])
    asked = Horizon(start=START, count=4)
    found = replace(short, p10=RAMP[:2], p90=RAMP[:2]).on(asked)
    assert found.p50.tolist() == [0.0, 1.0, 1.0, 1.0]


@given(
    count=st.integers(1, 200),
    first=st.integers(-100, 400),
    asked=st.integers(1, 50),
)
def test_the_quick_way_is_the_same_as_the_long_one(count: int, first: int, asked: int) -> None:
    known = Horizon(start=START, count=count)
    horizon = Horizon(start=START + first * QUARTER, count=asked)
    values = np.arange(count, dtype=np.float64)
    long = forecast._overlap(known, horizon) @ values
    assert values[forecast._indices(first, asked, known)] == pytest.approx(long)


def test_before_its_beginning_the_first_slot_stands_in() -> None:
    assert on(-1, 5, 15).p50 == pytest.approx([0, 0, 0, 0, 0])
