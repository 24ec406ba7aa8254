"""How good each method would have been: day by day, told only what was known before the day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from site_agent.domain.forecast.calendar import Calendar, day_table
from site_agent.domain.forecast.clear_sky import Place, PvArray
from site_agent.domain.forecast.course import Measured, course, outlook, table_ahead
from site_agent.domain.forecast.load import aligned_to, persistent
from site_agent.domain.forecast.profiles import Profile, last_week, similar_day, yesterday
from site_agent.domain.forecast.pv import pv_forecast
from site_agent.domain.forecast.scores import Score, scored
from site_agent.domain.forecast.towt import towt
from site_agent.domain.horizon import QUARTER, Horizon, Series

FIRST_DAYS = 21
"""Days that every method may learn from before it is judged."""

Ahead = Callable[[Measured, int], tuple[Series, Series, Series]]
"""From what is known and the quarters asked for: P10, P50 and P90 (NaN where it cannot say)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Scores by method, all on the same days."""

    days: tuple[date, ...]
    scores: Mapping[str, Score]


def load_methods(
    history: Measured, outdoor: Measured | None, calendar: Calendar
) -> Mapping[str, Ahead]:
    """Everything that forecasts load, by name; temperature in two ways where there is one.

    `measured`: as if the weather forecast were right. `expected`: what the agent can know by
    itself, the mean of the last three days.
    """
    methods: dict[str, Profile] = {
        "similar days": similar_day,
        "naive, 1 day": yesterday,
        "seasonal naive, 7 days": last_week,
    }
    if outdoor is not None:
        aligned = aligned_to(outdoor, history)
        measured_c = table_ahead(aligned, 0, calendar).values
        methods["time of week and temperature, measured"] = towt(measured_c, measured_c)
        expected_c = persistent(measured_c)
        methods["time of week and temperature, expected"] = towt(measured_c, expected_c)
    return {name: _ahead(profile, calendar) for name, profile in methods.items()}


def pv_methods(
    arrays: Sequence[PvArray], place: Place | None, calendar: Calendar
) -> Mapping[str, Ahead]:
    """Everything that forecasts PV, by name; from the sun only where a place is known."""
    methods = {
        "mean of the last 10 days": _pv_ahead(arrays, None, calendar),
        "naive, 1 day": _ahead(yesterday, calendar),
        "seasonal naive, 7 days": _ahead(last_week, calendar),
    }
    if place is not None:
        methods["clear sky and recent clearness"] = _pv_ahead(arrays, place, calendar)
    return methods


def _pv_ahead(arrays: Sequence[PvArray], place: Place | None, calendar: Calendar) -> Ahead:
    def asked(known: Measured, count: int) -> tuple[Series, Series, Series]:
        horizon = Horizon(start=known.end, count=count)
        found = pv_forecast(known, horizon, calendar, arrays, place)
        return found.p10, found.p50, found.p90

    return asked


def _ahead(profile: Profile, calendar: Calendar) -> Ahead:
    def asked(known: Measured, count: int) -> tuple[Series, Series, Series]:
        found = course(outlook(known, count, calendar, profile))
        return found.low, found.expected, found.high

    return asked


def backtest(
    history: Measured,
    methods: Mapping[str, Ahead],
    calendar: Calendar,
    *,
    most_days: int = 365,
    begin: timedelta = timedelta(0),
    length: timedelta | None = None,
) -> Backtest:
    """Ask every method once a local day, for the last `most_days` days without a gap.

    Each is asked `begin` after midnight for the next `length` (None: until the next midnight).
    Days count that every method could forecast.
    """
    table = day_table(history.start, history.values, calendar)
    rows = [i for i in range(FIRST_DAYS, len(table.days)) if table.whole[i]]
    asked: list[tuple[date, dict[str, _Day]]] = []
    for row in reversed(rows):
        start = calendar.begins(table.days[row]) + begin
        until = calendar.begins(table.days[row] + timedelta(days=1))
        count = ((until - start) if length is None else length) // QUARTER
        found = _said(Horizon(start=start, count=count), history, methods)
        if found is not None:
            asked.append((table.days[row], found))
        if len(asked) == most_days:
            break
    asked.reverse()
    said = {name: [found[name] for _, found in asked] for name in methods}
    scores = {name: _score(found) for name, found in said.items() if found}
    return Backtest(
        days=tuple(day for day, _ in asked),
        scores={name: score for name, score in scores.items() if score is not None},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    actual: Series
    low: Series
    expected: Series
    high: Series


def _said(
    asked: Horizon, history: Measured, methods: Mapping[str, Ahead]
) -> dict[str, _Day] | None:
    """What each method said of a span; None when one of them had too little to go by."""
    since = (asked.start - history.start) // QUARTER
    actual = history.values[since : since + asked.count]
    known = Measured(start=history.start, values=history.values[:since])
    found = {}
    for name, ahead in methods.items():
        low, expected, high = ahead(known, len(actual))
        if np.isnan(expected).any():
            return None
        found[name] = _Day(actual=actual, low=low, expected=expected, high=high)
    return found


def _score(days: list[_Day]) -> Score | None:
    actual = np.concatenate([day.actual for day in days])
    expected = np.concatenate([day.expected for day in days])
    band = (
        np.concatenate([day.low for day in days]),
        np.concatenate([day.high for day in days]),
    )
    banded = not np.isnan(band[0]).any()
    return scored(actual, expected, band if banded else None, len(days))
