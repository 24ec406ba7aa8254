"""How good habits would have been: each day asked at its beginning, beside a week before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, median

import numpy as np

from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.stays import (
    DAY_BEGINS,
    LOOK_BACK,
    PastStay,
    depot_day,
    habitual_stays,
)
from site_agent.domain.horizon import QUARTER, Horizon

FIRST_DAYS = 30
"""Days to learn from before any is judged."""
_WEEK, _DAY = timedelta(days=7), timedelta(days=1)
_Days = Mapping[date, Sequence[PastStay]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HabitScore:
    """Of expected stays against those that came."""

    days: int
    stays: int
    arrivals_nmae_pct: float
    """Error of a day's number of arrivals, as a share of the mean number."""
    arrivals_week_pct: float
    """The same, had it been as seven days before."""
    energy_nmae_pct: float
    energy_week_pct: float
    energy_bias_pct: float
    arrival_median_h: float
    """By how much the first arrival of a vehicle that came was missed: the middle of all cases."""
    arrival_p90_h: float
    brier: float
    """Mean squared error of the probability that a vehicle comes (Brier, Monthly Weather Review 78,
    1950): 0 is perfect, 0.25 is a coin."""


def habit_backtest(
    past: Sequence[PastStay], calendar: Calendar, most_days: int
) -> HabitScore | None:
    """Ask at the beginning of each of the last `most_days` days; None: too little to go by."""
    by_day: dict[date, list[PastStay]] = defaultdict(list)
    for stay in sorted(past, key=lambda one: one.arrived):
        by_day[depot_day(stay.arrived, calendar)].append(stay)
    if not by_day:
        return None
    first, last = min(by_day), max(by_day)
    begin = max(first + FIRST_DAYS * _DAY, last - (most_days - 1) * _DAY)
    days = [begin + i * _DAY for i in range((last - begin).days + 1)]
    said = {day: _said(day, by_day, calendar) for day in days}
    return _score(said, by_day) if any(said.values()) else None


def _said(day: date, by_day: _Days, calendar: Calendar) -> Sequence[ExpectedStay]:
    begins = calendar.begins(day) + DAY_BEGINS
    since = day - LOOK_BACK
    known = [stay for on, stays in by_day.items() if since <= on < day for stay in stays]
    horizon = Horizon(start=begins, count=_DAY // QUARTER)
    found = habitual_stays(known, horizon, calendar)
    return [one for one in found if depot_day(one.arrives, calendar) == day]


def _score(said: Mapping[date, Sequence[ExpectedStay]], by_day: _Days) -> HabitScore:
    counts, energies = [], []
    late_h: list[float] = []
    squares: list[float] = []
    for day, expected in said.items():
        came, before = by_day.get(day, ()), by_day.get(day - _WEEK, ())
        counts.append((sum(one.probability for one in expected), len(came), len(before)))
        wh = sum(one.probability * one.required_wh for one in expected)
        energies.append((wh, sum(_need(one) for one in came), sum(_need(one) for one in before)))
        arrivals = {one.vehicle_id: one.arrived for one in reversed(came)}
        for one in _firsts(expected):
            at = arrivals.get(one.vehicle_id)
            squares.append((one.probability - (at is not None)) ** 2)
            if at is not None:
                late_h.append(abs((at - one.arrives).total_seconds()) / 3600.0)
    return HabitScore(
        days=len(said),
        stays=sum(count for _, count, _ in counts),
        arrivals_nmae_pct=_nmae(counts, 0),
        arrivals_week_pct=_nmae(counts, 2),
        energy_nmae_pct=_nmae(energies, 0),
        energy_week_pct=_nmae(energies, 2),
        energy_bias_pct=_bias(energies),
        arrival_median_h=median(late_h) if late_h else float("nan"),
        arrival_p90_h=float(np.quantile(late_h, 0.9)) if late_h else float("nan"),
        brier=fmean(squares),
    )


def _firsts(expected: Sequence[ExpectedStay]) -> Sequence[ExpectedStay]:
    """The first stay of each vehicle."""
    ordered = sorted(expected, key=lambda one: one.arrives, reverse=True)
    return list({one.vehicle_id: one for one in ordered}.values())


def _need(one: PastStay) -> float:
    return one.energy_wh + one.missing_wh


def _nmae(rows: Sequence[tuple[float, float, float]], which: int) -> float:
    total = sum(row[1] for row in rows)
    return 100.0 * sum(abs(row[which] - row[1]) for row in rows) / max(total, 1e-9)


def _bias(rows: Sequence[tuple[float, float, float]]) -> float:
    total = sum(row[1] for row in rows)
    return 100.0 * (sum(row[0] for row in rows) - total) / max(total, 1e-9)
