"""The building's load in the coming hours: everything on the site that nothing steers.

Similar days by default; time of week and temperature where an outdoor sensor tells and that method
would have missed less over the last weeks. With no day to go by: the present load, and a wide band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.course import (
    FEWEST,
    Course,
    Measured,
    Outlook,
    course,
    outlook,
    table_ahead,
)
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.forecast.profiles import LOOK_BACK, similar_day
from site_agent.domain.forecast.towt import towt
from site_agent.domain.horizon import Horizon, Series

SIMILAR_DAY, TOWT, PERSISTENCE, UNKNOWN = (
    "similar days",
    "time of week and temperature",
    "persistence",
    "none",
)
_MARGIN = 0.03
"""Temperature must miss less than similar days by this share: a tie keeps the simpler method."""
_FRESH = 24
"""Quarters: a load measured no longer ago says something about the present."""
_HALF = 0.5
_WEATHER_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadHistory:
    """Quarters of the building's load, W, and of the outdoor temperature where one is known."""

    load: Measured
    outdoor_c: Measured | None = None


def load_forecast(
    history: LoadHistory, horizon: Horizon, calendar: Calendar, largest_w: float
) -> Forecast:
    """Load of the building over `horizon`, which begins where the history ends.

    Args:
        history: ends with the last whole quarter.
        horizon: in quarters.
        calendar: the site's local time and holidays.
        largest_w: most the building may draw, W: bounds what is expected.
    """
    seen = outlook(history.load, horizon.count, calendar, similar_day)
    if seen.judged_days < FEWEST:
        return _guess(history.load, seen, horizon, largest_w)
    other = _by_temperature(history, horizon, calendar)
    method, why = SIMILAR_DAY, "mean of the last 10 or fewer like days (of any, if none is)"
    if other is not None:
        mine, theirs = _missed(seen, other), _missed(other, seen)
        why = f"missed by {theirs:.0f} W on recent days, similar days by {mine:.0f} W"
        if theirs < (1.0 - _MARGIN) * mine:
            seen, method = other, TOWT
        else:
            why = f"missed by {mine:.0f} W on recent days, temperature by {theirs:.0f} W"
    return _banded(course(seen), seen, horizon, history.load, largest_w, method, why)


def _by_temperature(history: LoadHistory, horizon: Horizon, calendar: Calendar) -> Outlook | None:
    outdoor = history.outdoor_c
    if outdoor is None:
        return None
    aligned = aligned_to(outdoor, history.load)
    measured_c = table_ahead(aligned, horizon.count, calendar).values
    profile = towt(measured_c, persistent(measured_c))
    seen = outlook(history.load, horizon.count, calendar, profile)
    return None if seen.judged_days < FEWEST or np.isnan(seen.ahead).any() else seen


def aligned_to(series: Measured, frame: Measured) -> Measured:
    """The quarters of `series` that `frame` has; NaN where it has none."""
    values = np.full(len(frame.values), np.nan)
    offset = round((series.start - frame.start).total_seconds() / 900.0)
    first, last = max(0, offset), min(len(values), offset + len(series.values))
    if last > first:
        values[first:last] = series.values[first - offset : last - offset]
    return Measured(start=frame.start, values=values)


def persistent(measured_c: Series) -> Series:
    """By day what may be expected of its temperature before it begins: the mean of the last three.

    There is no weather service here; a day without any of them is not forecast by temperature.
    """
    expected = np.full_like(measured_c, np.nan)
    for row in range(1, len(measured_c)):
        rows = measured_c[max(0, row - _WEATHER_DAYS) : row]
        known = ~np.isnan(rows)
        sums, counts = np.where(known, rows, 0.0).sum(axis=0), known.sum(axis=0)
        expected[row] = np.divide(
            sums, counts, out=np.full(rows.shape[1], np.nan), where=counts > 0
        )
        if np.isnan(expected[row]).any():
            expected[row] = expected[row - 1]
    return expected


def _missed(one: Outlook, other: Outlook) -> float:
    """Mean absolute miss of `one`, W, in quarters that both were tried on."""
    both = ~(np.isnan(one.missed) | np.isnan(other.missed))
    return float(np.abs(one.missed[both]).mean()) if both.any() else np.inf


def _banded(
    found: Course,
    seen: Outlook,
    horizon: Horizon,
    load: Measured,
    largest_w: float,
    method: str,
    why: str,
) -> Forecast:
    known = load.values[~np.isnan(load.values)]
    low_w, high_w = min(0.0, float(known.min())), max(largest_w, float(known.max()))
    p50 = np.clip(found.expected, low_w, high_w)
    p10 = np.where(np.isnan(found.low), low_w, found.low)
    p90 = np.where(np.isnan(found.high), high_w, found.high)
    return Forecast(
        horizon=horizon,
        p10=np.clip(np.minimum(p10, p50), low_w, high_w),
        p50=p50,
        p90=np.clip(np.maximum(p90, p50), low_w, high_w),
        method=method,
        trained_days=min(LOOK_BACK, _days(load)),
        why=f"{why}; band from what it missed on {seen.judged_days} days",
    )


def _days(load: Measured) -> int:
    return int(np.ceil((~np.isnan(load.values)).sum() / 96.0))


def _guess(load: Measured, seen: Outlook, horizon: Horizon, largest_w: float) -> Forecast:
    """Too few days for a band: what similar days there are, else the present load."""
    recent = load.values[-_FRESH:]
    recent = recent[~np.isnan(recent)]
    days = _days(load)
    if not np.isnan(seen.ahead).any() and days:
        method, p50 = SIMILAR_DAY, seen.ahead
    elif len(recent):
        method, p50 = PERSISTENCE, horizon.filled(float(recent[-4:].mean()))
    else:
        method, p50 = UNKNOWN, horizon.filled(_HALF * largest_w)
    p50 = np.clip(p50, min(0.0, float(p50.min())), max(largest_w, float(p50.max())))
    words = {
        SIMILAR_DAY: f"only {days} days of history",
        PERSISTENCE: "no whole day of history yet: the present load goes on",
        UNKNOWN: "no history of the last weeks: half of the largest building load",
    }
    return Forecast(
        horizon=horizon,
        p10=np.minimum(p50, 0.0),
        p50=p50,
        p90=np.maximum(p50, largest_w),
        method=method,
        trained_days=days if method is SIMILAR_DAY else 0,
        why=f"{words[method]}; the band is as wide as the building can be",
    )
