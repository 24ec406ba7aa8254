"""PV under the simulator's sky, for a backtest: its sun and clouds are not those of the forecast.

`depot_sim.physics` reckons the sun by another algorithm and the clear sky by another formula than
the forecast does, clips at another power, and lets seeded clouds pass; how cloudy a day is drifts
over days, as weather does.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import numpy as np

from depot_sim.physics.drift import Drift
from depot_sim.physics.sky import RealSky
from depot_sim.physics.sun import Plane
from site_agent.domain.forecast.clear_sky import Place, PvArray
from site_agent.domain.forecast.course import Measured
from site_agent.domain.horizon import QUARTER

RATED_W = 50_000.0
MOST_DAYS = 120
"""Of spring and early summer: for longer the weather would repeat itself."""
PLACE = Place(latitude_deg=48.14, longitude_deg=11.58, altitude_m=520.0)
ARRAY = PvArray(pv_id="roof", rated_w=RATED_W, modules_w=RATED_W, tilt_deg=15.0, azimuth_deg=180.0)
BEGIN = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
_PASSING_S = 1800.0
_WEATHER_DAYS = 3.0
_SAMPLES = 5
"""A quarter is the mean of so many instants."""


def made(seed: int, count_days: int) -> Measured:
    """Quarters of what the simulated roof makes on the first days, W."""
    weather = Drift.seeded(f"{seed}/weather", _WEATHER_DAYS * 86_400.0)
    clouds = Drift.seeded(f"{seed}/clouds", _PASSING_S)
    dice = random.Random(seed)  # noqa: S311 (weather, not cryptography)
    plane = Plane(latitude_deg=PLACE.latitude_deg, longitude_deg=PLACE.longitude_deg)
    powers = []
    for day in range(count_days):
        spell = 0.5 + 0.5 * weather.at(day * 86_400.0)
        cover = min(1.0, max(0.0, 1.4 * spell - 0.3 + dice.gauss(0.0, 0.2)))
        sky = RealSky(plane=plane, begin=BEGIN, clouds=clouds, cover=cover)
        powers += [_quarter(sky, day, slot) for slot in range(timedelta(days=1) // QUARTER)]
    return Measured(start=BEGIN, values=np.array(powers))


def _quarter(sky: RealSky, day: int, slot: int) -> float:
    step_s = QUARTER.total_seconds()
    begin_s = day * 86_400.0 + slot * step_s
    shares = [sky.share(begin_s + (i + 0.5) * step_s / _SAMPLES) for i in range(_SAMPLES)]
    return RATED_W * sum(shares) / _SAMPLES
