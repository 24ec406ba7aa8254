"""PV: the sun from its place, clearness from what was made; night and curtailment say nothing."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from site_agent.domain.forecast import pv as pv_module
from site_agent.domain.forecast.clear_sky import Place, PvArray, clear_power_w, sun_over
from site_agent.domain.forecast.course import Measured
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.forecast.pv import pv_forecast
from site_agent.domain.horizon import Series
from support.forecast import CALENDAR, ahead, at, measured, midnight

MUNICH = Place(latitude_deg=48.14, longitude_deg=11.58, altitude_m=520.0)
ROOF = PvArray(pv_id="roof", rated_w=50_000.0, modules_w=60_000.0, tilt_deg=20.0, azimuth_deg=180.0)
TODAY = date(2026, 6, 15)
NOON = at(TODAY, 12)


def clear(start: datetime, count: int) -> Series:
    return clear_power_w(ROOF, sun_over(MUNICH, start, count))


def made(until: datetime, share: Callable[[datetime], float], days: int = 20) -> Measured:
    """`share` of a clear sky, by local time."""
    shares = measured(until, days, share)
    values = shares.values * clear(shares.start, len(shares.values))
    return Measured(start=shares.start, values=values)


def forecast(history: Measured, hours: float = 24.0, place: Place | None = MUNICH) -> Forecast:
    return pv_forecast(history, ahead(history.end, hours), CALENDAR, [ROOF], place)


@pytest.mark.parametrize(
    ("day", "noon", "noon_w"),
    [(date(2026, 6, 21), 13.25, 50_000.0), (date(2026, 12, 21), 12.25, 28_000.0)],
)
def test_a_clear_day_has_its_noon_and_its_night(day: date, noon: float, noon_w: float) -> None:
    power = clear(midnight(day), 96)
    assert power.max() == pytest.approx(noon_w, rel=0.05)
    assert power[:12].max() == power[-6:].max() == 0.0
    highest = np.flatnonzero(power == power.max()).mean() / 4.0
    assert highest == pytest.approx(noon, abs=0.5)  # by the wall clock of Munich


def test_east_makes_more_in_the_morning_than_west() -> None:
    sun = sun_over(MUNICH, midnight(TODAY), 96)
    east, west = (
        clear_power_w(
            PvArray(
                pv_id=str(azimuth),
                rated_w=50_000.0,
                modules_w=50_000.0,
                tilt_deg=40.0,
                azimuth_deg=azimuth,
            ),
            sun,
        )
        for azimuth in (90.0, 270.0)
    )
    assert east[:40].sum() > 2.0 * west[:40].sum()
    assert west[60:].sum() > 2.0 * east[60:].sum()


def test_days_of_half_clearness_are_forecast_at_half() -> None:
    history = made(midnight(TODAY), lambda _: 0.5)
    found = forecast(history)
    assert found.p50.sum() == pytest.approx(0.5 * clear(history.end, 96).sum(), rel=0.01)
    assert found.method == pv_module.CLEAR_SKY
    assert "50 %" in found.why


def test_shade_every_morning_is_learnt() -> None:
    history = made(midnight(TODAY), lambda local: 0.3 if local.hour < 10 else 1.0)
    found, sky = forecast(history), clear(history.end, 96)
    assert found.p50[34] < 0.5 * sky[34]  # 08:30
    assert found.p50[56] > 0.9 * sky[56]


def test_a_clear_morning_lasts_for_hours_and_then_fades() -> None:
    dice = np.random.default_rng(7)
    level = {TODAY - timedelta(days=i): dice.uniform(0.2, 0.9) for i in range(-1, 31)}
    level[TODAY] = 0.95
    history = made(at(TODAY, 10), lambda local: level[local.date()], days=30)
    found, sky = forecast(history, 36), clear(history.end, 144)
    mean = np.mean([level[TODAY - timedelta(days=i)] for i in range(1, 11)])
    assert found.p50[2] / sky[2] > mean + 0.7 * (0.95 - mean)
    assert found.p50[100] / sky[100] == pytest.approx(mean, abs=0.12)  # tomorrow at 11:00


def test_a_curtailed_week_does_not_darken_the_sky() -> None:
    history = made(midnight(TODAY), lambda _: 0.8)
    values = history.values.copy()
    values[-5 * 96 :] = np.nan  # curtailed: not known what the sky would have given
    found = forecast(Measured(start=history.start, values=values))
    assert found.p50.sum() == pytest.approx(0.8 * clear(history.end, 96).sum(), rel=0.02)


def test_no_forecast_is_negative_or_above_the_rating() -> None:
    dice = np.random.default_rng(3)
    history = made(midnight(TODAY), lambda _: dice.uniform(0.0, 2.0))
    found = forecast(history, 48)
    for series in (found.p10, found.p50, found.p90):
        assert series.min() == 0.0
        assert series.max() <= ROOF.rated_w
    assert (found.p10 <= found.p50).all()
    assert (found.p50 <= found.p90).all()
    assert found.p90[:8].max() == 0.0  # night is certain


def test_without_history_the_sky_alone_speaks_and_says_so() -> None:
    start = at(TODAY, 6)
    found = forecast(Measured(start=start, values=np.empty(0)))
    assert found.trained_days == 0
    assert "no daylight measured yet" in found.why
    assert found.p50 == pytest.approx(0.5 * found.p90)
    assert found.p10.max() == 0.0


def test_without_a_place_pv_does_what_it_did_and_asks_for_one() -> None:
    found = forecast(made(midnight(TODAY), lambda _: 0.6), place=None)
    assert found.p50.sum() == pytest.approx(0.6 * clear(midnight(TODAY), 96).sum(), rel=0.02)
    assert "latitude" in found.why
    nothing = forecast(Measured(start=midnight(TODAY), values=np.empty(0)), place=None)
    assert nothing.p50.max() == 0.0
    assert nothing.p90.min() == ROOF.rated_w


def test_where_there_is_no_pv_none_is_expected() -> None:
    found = pv_forecast(made(midnight(TODAY), lambda _: 0.6), ahead(NOON), CALENDAR, [], MUNICH)
    assert found.p90.max() == 0.0
    assert found.why == "there is no PV here"
