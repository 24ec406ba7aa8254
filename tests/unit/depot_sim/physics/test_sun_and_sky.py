"""The sun where almanacs have it, and what reaches a roof."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.physics.drift import Drift
from depot_sim.physics.sky import RealSky
from depot_sim.physics.sun import Plane, sun_position

MADRID_NOON = datetime(2024, 6, 20, 12, 16, tzinfo=UTC)
BERLIN = Plane(latitude_deg=52.52, longitude_deg=13.405, tilt_deg=0.0)
CLOUDS = Drift.seeded("clouds", 600.0)


@pytest.mark.parametrize(
    ("at", "latitude", "longitude", "zenith", "azimuth"),
    [
        # The worked example of Reda and Andreas, NREL/TP-560-34302, appendix A.5, without its
        # refraction at a mean pressure (0.016 degrees at this height).
        (datetime(2003, 10, 17, 19, 30, 30, tzinfo=UTC), 39.742476, -105.1786, 50.127, 194.34),
        # Declination 23.44 at the June solstice, -23.44 in December: noon at the tropics' edge.
        (datetime(2024, 6, 20, 12, 1, 50, tzinfo=UTC), 23.44, 0.0, 0.0, None),
        (datetime(2024, 12, 21, 11, 58, tzinfo=UTC), -23.44, 0.0, 0.0, None),
        # The equinox of March 2024 was at 03:06 UTC; noon in Berlin is at about 11:14 UTC.
        (datetime(2024, 3, 20, 11, 13, 50, tzinfo=UTC), 52.52, 13.405, 52.39, 180.0),
    ],
)
def test_the_sun_stands_where_it_should(
    at: datetime, latitude: float, longitude: float, zenith: float, azimuth: float | None
) -> None:
    sun = sun_position(at, latitude, longitude)
    assert sun.zenith_deg == pytest.approx(zenith, abs=0.1)
    if azimuth is not None:
        assert sun.azimuth_deg == pytest.approx(azimuth, abs=0.4)


def test_a_clear_day_has_a_noon_and_a_night() -> None:
    noon = BERLIN.clear_sky_w_m2(datetime(2024, 6, 20, 11, 8, tzinfo=UTC))
    assert noon == pytest.approx(880, rel=0.1)  # Haurwitz, 1098 cos z exp(-0.057 / cos z), says 900
    assert BERLIN.clear_sky_w_m2(datetime(2024, 6, 20, 23, 0, tzinfo=UTC)) == 0.0
    winter = BERLIN.clear_sky_w_m2(datetime(2024, 12, 21, 11, 4, tzinfo=UTC))
    assert 100 < winter < 300


def test_a_plane_that_looks_at_the_sun_gets_more() -> None:
    at = datetime(2024, 12, 21, 11, 4, tzinfo=UTC)
    steep = Plane(latitude_deg=52.52, longitude_deg=13.405, tilt_deg=70.0, azimuth_deg=180.0)
    away = Plane(latitude_deg=52.52, longitude_deg=13.405, tilt_deg=70.0, azimuth_deg=0.0)
    assert steep.clear_sky_w_m2(at) > 2 * BERLIN.clear_sky_w_m2(at)
    assert away.clear_sky_w_m2(at) < BERLIN.clear_sky_w_m2(at)


def test_the_morning_belongs_to_the_east() -> None:
    morning = datetime(2024, 6, 20, 5, 0, tzinfo=UTC)
    east, west = (
        Plane(latitude_deg=52.52, longitude_deg=13.405, tilt_deg=30.0, azimuth_deg=azimuth)
        for azimuth in (90.0, 270.0)
    )
    assert east.clear_sky_w_m2(morning) > 1.5 * west.clear_sky_w_m2(morning)


def sky(cover: float, **more: float) -> RealSky:
    begin = datetime(2024, 6, 20, tzinfo=UTC)
    return RealSky(plane=BERLIN, begin=begin, clouds=CLOUDS, cover=cover, **more)


@given(now_s=st.floats(0, 4e7), cover=st.floats(0, 1))
def test_a_sky_gives_no_more_than_a_clear_one(now_s: float, cover: float) -> None:
    clouded = sky(cover)
    assert 0.0 <= clouded.share(now_s) <= 1.0
    assert clouded.irradiance_w_m2(now_s) <= sky(0.0).irradiance_w_m2(now_s) + 1e-9


def test_clouds_come_and_go_and_are_the_same_for_the_same_seed() -> None:
    noon_s = timedelta(hours=11).total_seconds()
    seen = [sky(0.5).share(noon_s + step) for step in range(0, 3600, 5)]
    assert seen == [sky(0.5).share(noon_s + step) for step in range(0, 3600, 5)]
    assert min(seen) < 0.5 * max(seen)
    assert max(abs(a - b) for a, b in itertools.pairwise(seen)) > 0.03


def test_modules_larger_than_the_inverter_are_clipped_and_heat_costs() -> None:
    noon_s = timedelta(hours=11).total_seconds()
    assert sky(0.0, oversize=1.8).share(noon_s) == 1.0
    assert sky(0.0, oversize=1.0, ambient_c=35).share(noon_s) < 0.95 * sky(
        0.0, oversize=1.0, ambient_c=0
    ).share(noon_s)
