"""What PV will make in the coming hours: a clear sky times how clear it has been lately.

The clearness of a quarter is what was made over what a clear sky would have given. It persists for
hours and then returns to the mean of the last days at that time of day, which also holds what the
clear sky does not know: shade of a chimney in the morning, dirt, losses. Quarters at night, and
quarters in which somebody curtailed the inverters, say nothing of the sky and are left out.

All powers here are magnitudes: generation, W >= 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from site_agent.domain.forecast.calendar import WALL, Calendar, DayTable
from site_agent.domain.forecast.clear_sky import Place, PvArray, clear_power_w, sun_over
from site_agent.domain.forecast.course import FEWEST, JUDGED_DAYS, Measured, course, outlook
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.forecast.profiles import MOST_DAYS
from site_agent.domain.horizon import QUARTER, Horizon, Series

CLEAR_SKY, RECENT_DAYS, UNKNOWN = "clear sky and recent clearness", "recent days", "none"
DAYLIGHT = 0.05
"""Share of the largest clear-sky power below which a quarter says nothing of the sky."""
_MOST_CLEAR = 1.2
"""Clearness above this is an edge of a cloud, or a wrong tilt."""
_GUESS = 0.5
_NEAR = 4
"""Quarters before and after that count as about the same time of day."""
_SHRINK_DAYS = 1.0
"""Days' worth of the overall clearness that each time of day is drawn to it by."""
_KEPT_DAYS = JUDGED_DAYS + MOST_DAYS + 1


def pv_forecast(
    made: Measured,
    horizon: Horizon,
    calendar: Calendar,
    arrays: Sequence[PvArray],
    place: Place | None,
) -> Forecast:
    """Generation of all inverters together over `horizon`, which begins where `made` ends.

    `made`: W >= 0, NaN where it is not known or where an inverter was curtailed.
    """
    if not arrays:
        none = horizon.filled(0.0)
        return _bounded(horizon, (none, none, none), 0.0, UNKNOWN, 0, "there is no PV here")
    rated_w = sum(array.rated_w for array in arrays)
    made = made.since(made.end - _KEPT_DAYS * WALL * QUARTER)
    if place is None:
        return _by_recent_days(made, horizon, calendar, rated_w)
    sun = sun_over(place, made.start, len(made.values) + horizon.count)
    clear_w = np.sum([clear_power_w(array, sun) for array in arrays], axis=0)
    return _by_clearness(made, horizon, calendar, clear_w, rated_w)


def clearness(made_w: Series, clear_w: Series) -> Series:
    """What was made over what a clear sky gives; NaN at night and where it is not known."""
    day = clear_w > DAYLIGHT * max(float(clear_w.max(initial=0.0)), 1.0)
    share = np.full(len(made_w), np.nan)
    np.divide(made_w, clear_w, out=share, where=day)
    clipped: Series = np.clip(share, 0.0, _MOST_CLEAR)
    return clipped


def _by_clearness(
    made: Measured, horizon: Horizon, calendar: Calendar, clear_w: Series, rated_w: float
) -> Forecast:
    past = len(made.values)
    share = Measured(start=made.start, values=clearness(made.values, clear_w[:past]))
    seen = outlook(share, horizon.count, calendar, recent_clearness)
    found = course(seen)
    ahead_w = clear_w[past:]
    if np.isnan(found.expected).all():
        words = "no daylight measured yet: half of a clear sky"
        return _bounded(
            horizon, (0.0 * ahead_w, _GUESS * ahead_w, ahead_w), rated_w, CLEAR_SKY, 0, words
        )
    low = np.where(np.isnan(found.low), 0.0, found.low)
    high = np.where(np.isnan(found.high), _MOST_CLEAR, found.high)
    days = min(MOST_DAYS, seen.judged_days)
    words = f"mean clearness {100.0 * float(np.nanmean(seen.ahead)):.0f} % of the last days"
    if seen.judged_days < FEWEST:
        words += "; the band is as wide as a clear sky: too few days yet"
    else:
        words += f"; band from what it missed on {seen.judged_days} days"
    courses = (low * ahead_w, found.expected * ahead_w, high * ahead_w)
    return _bounded(horizon, courses, rated_w, CLEAR_SKY, days, words)


def recent_clearness(table: DayTable, row: int) -> Series | None:
    """Mean clearness of the last <= 10 days by time of day, drawn to the mean of all hours."""
    return _smooth(table.values[max(0, row - MOST_DAYS) : row])


def _smooth(days: Series) -> Series | None:
    known = ~np.isnan(days)
    if not known.any():
        return None
    sums, counts = np.where(known, days, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64)
    window = np.ones(2 * _NEAR + 1)
    sums, counts = _around(sums, window), _around(counts, window)
    weight = _SHRINK_DAYS * len(window)
    smooth: Series = (sums + weight * float(days[known].mean())) / (counts + weight)
    return smooth


def _around(values: Series, window: Series) -> Series:
    """Sums over the quarters around each, over midnight."""
    ring = np.concatenate([values[-_NEAR:], values, values[:_NEAR]])
    return np.convolve(ring, window, mode="valid")


def _by_recent_days(
    made: Measured, horizon: Horizon, calendar: Calendar, rated_w: float
) -> Forecast:
    """Without a place nothing is known of the sun: PV does what it did on the last days."""
    seen = outlook(made, horizon.count, calendar, _last_days)
    found = course(seen)
    if np.isnan(found.expected).any():
        none = horizon.filled(0.0)
        words = "no day of PV history, and no latitude and longitude in the settings (forecast)"
        return _bounded(horizon, (none, none, horizon.filled(rated_w)), rated_w, UNKNOWN, 0, words)
    low = np.where(np.isnan(found.low), 0.0, found.low)
    high = np.where(np.isnan(found.high), rated_w, found.high)
    words = (
        "mean of the last 10 or fewer days; give latitude and longitude in the settings (forecast) "
        "for a forecast from the sun"
    )
    days = min(MOST_DAYS, seen.judged_days)
    return _bounded(horizon, (low, found.expected, high), rated_w, RECENT_DAYS, days, words)


def _last_days(table: DayTable, row: int) -> Series | None:
    days = table.values[max(0, row - MOST_DAYS) : row]
    known = ~np.isnan(days)
    counts = known.sum(axis=0)
    if not counts.all():
        return None
    mean: Series = np.where(known, days, 0.0).sum(axis=0) / counts
    return mean


def _bounded(
    horizon: Horizon,
    courses: tuple[Series, Series, Series],
    rated_w: float,
    method: str,
    days: int,
    why: str,
) -> Forecast:
    p10, p50, p90 = (np.clip(one, 0.0, rated_w) for one in courses)
    return Forecast(
        horizon=horizon,
        p10=np.minimum(p10, p50),
        p50=p50,
        p90=np.maximum(p90, p50),
        method=method,
        trained_days=days,
        why=why,
    )
