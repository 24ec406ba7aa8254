"""The building's load: like days, the last hour's miss, temperature where it wins, honest bands."""

from datetime import date, datetime, timedelta
from math import pi, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.forecast import load as load_module
from site_agent.domain.forecast.course import Measured
from site_agent.domain.forecast.load import LoadHistory, load_forecast
from site_agent.domain.horizon import QUARTER
from support.forecast import CALENDAR, MONDAY, ahead, at, measured, midnight

LARGEST_W = 50_000.0
NEXT_MONDAY = MONDAY + timedelta(days=28)


def office(local: datetime) -> float:
    """Kilowatts by day, little at night and at weekends."""
    working = local.weekday() < 5 and 7 <= local.hour < 18
    return 20_000.0 if working else 4_000.0


def noisy(seed: int, spread_w: float) -> np.random.Generator:
    return np.random.default_rng([seed, int(spread_w)])


def test_a_workday_is_like_workdays_and_a_sunday_like_sundays() -> None:
    history = measured(midnight(NEXT_MONDAY), 28, office)
    found = load_forecast(LoadHistory(load=history), ahead(history.end, 24), CALENDAR, LARGEST_W)
    expected = measured(midnight(NEXT_MONDAY + timedelta(days=1)), 1, office).values
    assert found.p50 == pytest.approx(expected)
    assert found.p10 == pytest.approx(expected)
    assert found.p90 == pytest.approx(expected)
    assert found.method == load_module.SIMILAR_DAY
    assert found.trained_days == 28


def test_a_day_with_a_gap_is_left_out_not_filled() -> None:
    """A meter that died at noon and showed nonsense before must not lower the mean."""
    history = measured(midnight(NEXT_MONDAY), 28, office)
    broken = (midnight(date(2026, 6, 24)) - history.start) // QUARTER
    values = history.values.copy()
    values[broken : broken + 48] = 1.0
    values[broken + 48 : broken + 96] = np.nan
    holed = Measured(start=history.start, values=values)
    found = load_forecast(LoadHistory(load=holed), ahead(holed.end, 24), CALENDAR, LARGEST_W)
    clean = load_forecast(LoadHistory(load=history), ahead(history.end, 24), CALENDAR, LARGEST_W)
    assert found.p50 == pytest.approx(clean.p50)


def test_the_band_holds_four_of_five_truths() -> None:
    dice = noisy(1, 1500.0)
    history = measured(
        midnight(NEXT_MONDAY), 56, lambda local: office(local) + dice.normal(0.0, 1500.0)
    )
    inside = total = 0
    for back in range(5):
        until = len(history.values) - 96 * (back + 1)
        known = Measured(start=history.start, values=history.values[:until])
        found = load_forecast(LoadHistory(load=known), ahead(known.end), CALENDAR, LARGEST_W)
        truth = history.values[until : until + 96]
        inside += int(((truth >= found.p10) & (truth <= found.p90)).sum())
        total += 96
    assert 0.74 <= inside / total <= 0.88


def test_what_the_last_hour_missed_goes_on_for_a_while() -> None:
    """Days that are higher or lower as a whole: the morning tells the afternoon."""
    dice = noisy(2, 0.0)
    level = {MONDAY + timedelta(days=i): dice.uniform(0.7, 1.3) for i in range(-40, 60)}
    level[NEXT_MONDAY] = 1.3

    def scaled(local: datetime) -> float:
        return 10_000.0 * level[local.date()]

    history = measured(at(NEXT_MONDAY, 9), 40, scaled)
    found = load_forecast(LoadHistory(load=history), ahead(history.end, 12), CALENDAR, LARGEST_W)
    assert found.p50[:8].mean() == pytest.approx(13_000.0, rel=0.06)
    near, far = found.p90[0] - found.p10[0], found.p90[-1] - found.p10[-1]
    assert near < 0.8 * far  # near hours are surer


def by_weather(local: datetime, outdoor_c: float) -> float:
    return office(local) + 900.0 * max(0.0, outdoor_c - 18.0)


def weather(local: datetime) -> float:
    """Spells of ten warm and ten cool days, warm afternoons."""
    warm = 14.0 if local.date().toordinal() // 10 % 2 else 0.0
    return 14.0 + warm + 4.0 * sin(pi * (local.hour - 8) / 12.0)


def test_temperature_is_used_where_it_misses_less() -> None:
    history = measured(midnight(NEXT_MONDAY), 60, lambda at: by_weather(at, weather(at)))
    outdoor = measured(midnight(NEXT_MONDAY), 60, weather)
    found = load_forecast(
        LoadHistory(load=history, outdoor_c=outdoor), ahead(history.end), CALENDAR, LARGEST_W
    )
    assert found.method == load_module.TOWT
    truth = measured(
        midnight(NEXT_MONDAY + timedelta(days=1)), 1, lambda at: by_weather(at, weather(at))
    ).values
    plain = load_forecast(LoadHistory(load=history), ahead(history.end), CALENDAR, LARGEST_W)
    assert np.abs(found.p50 - truth).mean() < 0.5 * np.abs(plain.p50 - truth).mean()


def test_temperature_that_says_nothing_is_left_aside() -> None:
    dice = noisy(3, 5.0)
    history = measured(midnight(NEXT_MONDAY), 60, office)
    outdoor = measured(midnight(NEXT_MONDAY), 60, lambda _: dice.normal(15.0, 5.0))
    found = load_forecast(
        LoadHistory(load=history, outdoor_c=outdoor), ahead(history.end), CALENDAR, LARGEST_W
    )
    assert found.method == load_module.SIMILAR_DAY
    assert "temperature" in found.why


@pytest.mark.parametrize(
    ("hours", "method", "p50_w", "days", "words"),
    [
        (0, load_module.UNKNOWN, LARGEST_W / 2, 0, "no history of the last weeks"),
        (3, load_module.PERSISTENCE, 7_000.0, 0, "no whole day of history yet"),
        (30, load_module.SIMILAR_DAY, 7_000.0, 2, "only 2 days"),
    ],
)
def test_a_young_site_says_how_little_it_knows(
    hours: int, method: str, p50_w: float, days: int, words: str
) -> None:
    start = midnight(MONDAY)
    history = Measured(start=start, values=np.full(4 * hours, 7_000.0))
    found = load_forecast(LoadHistory(load=history), ahead(history.end), CALENDAR, LARGEST_W)
    assert (found.method, found.trained_days) == (method, days)
    assert found.p50 == pytest.approx(p50_w)
    assert found.p10.max() == 0.0
    assert found.p90.min() == LARGEST_W
    assert words in found.why


def test_days_that_change_the_clock_are_days_like_others() -> None:
    for changing in (date(2026, 3, 29), date(2026, 10, 25)):
        end = midnight(changing + timedelta(days=1))
        history = measured(midnight(changing), 28, office)
        horizon = ahead(history.end, (end - history.end) / timedelta(hours=1))
        found = load_forecast(LoadHistory(load=history), horizon, CALENDAR, LARGEST_W)
        assert found.p50 == pytest.approx(measured(end, 1, office).values)


@settings(max_examples=25, deadline=None)
@given(
    days=st.integers(0, 12),
    seed=st.integers(0, 2**16),
    lost=st.floats(0.0, 1.0),
    hour=st.integers(0, 23),
)
def test_whatever_was_measured_the_forecast_is_sound(
    days: int, seed: int, lost: float, hour: int
) -> None:
    dice = np.random.default_rng(seed)
    history = measured(at(NEXT_MONDAY, hour), days, lambda _: dice.uniform(-1e3, 6e4))
    holed = np.where(dice.uniform(size=len(history.values)) < lost, np.nan, history.values)
    known = Measured(start=history.start, values=holed)
    found = load_forecast(LoadHistory(load=known), ahead(known.end, 30), CALENDAR, LARGEST_W)
    for series in (found.p10, found.p50, found.p90):
        assert np.isfinite(series).all()
        assert len(series) == 120
    assert (found.p10 <= found.p50).all()
    assert (found.p50 <= found.p90).all()
