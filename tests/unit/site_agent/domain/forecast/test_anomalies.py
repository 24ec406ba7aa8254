"""Anomalies: what lasts is flagged once, with its start and size; what flickers is not."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from site_agent.domain.forecast.anomalies import (
    Anomaly,
    Kind,
    battery_anomaly,
    load_anomaly,
    pv_anomaly,
)
from site_agent.domain.forecast.clear_sky import Place, PvArray, clear_power_w, sun_over
from site_agent.domain.forecast.course import Measured, outlook
from site_agent.domain.forecast.profiles import similar_day
from site_agent.domain.horizon import QUARTER
from support.forecast import CALENDAR, at, measured, midnight
from support.site import battery

TODAY = date(2026, 6, 30)
LARGEST_W = 50_000.0
Extra = Callable[[datetime], float]


def usual(local: datetime) -> float:
    """Ten kilowatts by day, four by night, give or take half of one."""
    wobble = 500.0 * np.sin(local.toordinal() * 1.7 + local.hour)
    return (10_000.0 if 7 <= local.hour < 18 else 4_000.0) + float(wobble)


def judged(until: datetime, extra: Extra) -> Anomaly | None:
    history = measured(until, 40, lambda local: usual(local) + extra(local))
    seen = outlook(history, 1, CALENDAR, similar_day)
    return load_anomaly(seen, history, LARGEST_W, CALENDAR)


def between(first: float, last: float, extra_w: float) -> Extra:
    """`extra_w` today from one hour to another."""

    def extra(local: datetime) -> float:
        inside = first <= local.hour + local.minute / 60 < last
        return extra_w if local.date() == TODAY and inside else 0.0

    return extra


@pytest.mark.parametrize(
    ("now", "extra", "kind"),
    [
        (14.0, between(0, 0, 0.0), None),
        (14.0, between(10, 24, 8_000.0), Kind.LOAD_HIGH),
        (14.0, between(10, 24, -6_000.0), Kind.LOAD_LOW),
        (11.5, between(10, 24, 8_000.0), None),  # not for two hours yet
        (14.0, between(10, 24, 900.0), None),  # within a tenth of what is usual
        (14.0, between(10, 12.25, 8_000.0), None),  # over, and well again for over an hour
        (12.75, between(10, 12.25, 8_000.0), Kind.LOAD_HIGH),  # well again only just
    ],
)
def test_a_load_is_unusual_after_two_hours_and_usual_after_one(
    now: float, extra: Extra, kind: Kind | None
) -> None:
    found = judged(at(TODAY, now), extra)
    assert (None if found is None else found.kind) is kind
    if found is not None:
        assert found.subject == "building"
        assert found.since == at(TODAY, 10)
        assert "since 2026-06-30 10:00 local time" in found.words


def test_the_size_of_a_load_is_how_far_it_is_off() -> None:
    found = judged(at(TODAY, 16), between(10, 24, 8_000.0))
    assert found is not None
    assert found.size == pytest.approx(8_000.0, rel=0.1)
    assert "8." in found.words or "7." in found.words


def test_a_load_that_flickers_about_the_edge_is_not_flagged() -> None:
    def extra(local: datetime) -> float:
        return 8_000.0 if local.date() == TODAY and local.hour % 2 else 0.0

    assert all(judged(at(TODAY, hour), extra) is None for hour in range(12, 23))


def test_a_young_site_flags_no_load() -> None:
    history = measured(at(TODAY, 14), 5, lambda local: usual(local) + between(8, 24, 2e4)(local))
    seen = outlook(history, 1, CALENDAR, similar_day)
    assert load_anomaly(seen, history, LARGEST_W, CALENDAR) is None


# --- PV -------------------------------------------------------------------------------------------

ROOF = PvArray(pv_id="roof", rated_w=50_000.0, modules_w=50_000.0, tilt_deg=20.0, azimuth_deg=180.0)


def roof(share: Callable[[date], float], cloudy: Callable[[date], bool]) -> Anomaly | None:
    """Forty days of this roof: `share` of a clear sky, broken by clouds on cloudy days."""
    dice = np.random.default_rng(5)

    def clear(local: datetime) -> float:
        passing = dice.uniform(0.2, 1.0) if cloudy(local.date()) else 1.0
        return share(local.date()) * passing

    shares = measured(midnight(TODAY), 40, clear)
    place = Place(latitude_deg=48.14, longitude_deg=11.58)
    clear_w = clear_power_w(ROOF, sun_over(place, shares.start, len(shares.values)))
    made = Measured(start=shares.start, values=shares.values * clear_w)
    return pv_anomaly("roof", made, clear_w, CALENDAR)


BROKE = TODAY - timedelta(days=6)


def broken(day: date) -> float:
    return 0.6 if day >= BROKE else 0.9


def every_third(day: date) -> bool:
    return day.toordinal() % 3 == 0


def test_a_string_that_is_off_shows_on_clear_days() -> None:
    found = roof(broken, every_third)
    assert found is not None
    assert (found.kind, found.subject) == (Kind.PV_LOW, "roof")
    assert timedelta(0) <= found.since - midnight(BROKE) <= timedelta(days=1)
    assert found.size == pytest.approx(1 / 3, abs=0.05)
    assert "string" in found.words


@pytest.mark.parametrize(
    ("share", "cloudy"),
    [
        (lambda _: 0.9, every_third),
        (lambda _: 0.9, lambda day: day >= BROKE),  # a cloudy week
        (lambda day: 0.25 if day >= BROKE else 0.9, lambda _: False),  # a closed cover
        (lambda day: 0.6 if BROKE <= day < BROKE + timedelta(days=3) else 0.9, lambda _: False),
        (lambda day: 0.6 if day == TODAY - timedelta(days=1) else 0.9, lambda _: False),
    ],
    ids=["well", "cloudy", "overcast", "cleaned", "one day"],
)
def test_weather_and_what_is_mended_is_no_fault(
    share: Callable[[date], float], cloudy: Callable[[date], bool]
) -> None:
    assert roof(share, cloudy) is None


# --- batteries ------------------------------------------------------------------------------------


def nights(true_wh: float, count: int) -> tuple[Measured, Measured]:
    """Discharges of 20 kW from 90 % for two hours, one a night, of a battery that holds so much."""
    power, soc = [], []
    for _ in range(count):
        power += [0.0] * 4 + [-20_000.0] * 8 + [10_000.0] * 16
        fell = [90.0 - 100.0 * 5_000.0 * (i + 0.5) / true_wh for i in range(8)]
        soc += [90.0] * 4 + fell + [60.0] * 16
    start = midnight(TODAY - timedelta(days=count))
    return (
        Measured(start=start, values=np.array(power)),
        Measured(start=start, values=np.array(soc)),
    )


@pytest.mark.parametrize(
    ("true_wh", "count", "weak"),
    [(100_000.0, 5, False), (85_000.0, 5, False), (70_000.0, 5, True), (70_000.0, 2, False)],
)
def test_a_battery_that_gives_less_is_seen_by_its_own_state_of_charge(
    true_wh: float, count: int, *, weak: bool
) -> None:
    spec = battery().spec  # 100 kWh
    power, soc = nights(true_wh, count)
    found = battery_anomaly(spec, power, soc)
    assert (found is not None) is weak
    if found is not None:
        assert found.size == pytest.approx(0.3, abs=0.02)
        assert found.subject == "battery"
        assert found.since == power.start + 4 * QUARTER
        assert "70 kWh" in found.words
