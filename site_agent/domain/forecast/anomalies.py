"""What is far from what was to be expected, for long: a load, PV, a battery.

Each is judged from history alone, so a restart finds the same. What has begun ends only when
things have clearly been well again for a while: nothing flaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np

from site_agent.domain.device import BatterySpec
from site_agent.domain.forecast.calendar import WALL, Calendar
from site_agent.domain.forecast.course import Measured, Outlook, usual_misses
from site_agent.domain.forecast.pv import clearness
from site_agent.domain.horizon import QUARTER, Series

_BEGINS, _ENDS = 8, 4
"""Quarters: a load is unusual after two hours outside, and usual again after one hour inside."""
_MARGIN = 0.1
"""Share of the expected load (at least 2 % of the largest) that it must lie beyond the band."""
_LEAST = 0.02
_FEWEST_DAYS = 7
_PV_LOW, _PV_WELL = 0.85, 0.92
"""Of its own clear days: less, and more, on two clear days in turn begins and ends it."""
_CLEAR_SHARE = 0.45
"""A calm day below this share of clear ones was overcast and says nothing."""
_CALM = 0.03
"""Clearness that moves less than this from quarter to quarter has no clouds passing."""
_CALM_QUARTERS = 8
_BRIGHT = 0.3
"""Of the largest clear-sky power: lower suns say little."""
_CLEAR_DAYS, _REFERENCE_DAYS = 2, 5
_SWING_PCT = 20.0
"""Smallest discharge that shows a capacity."""
_SWINGS, _FEWEST_SWINGS = 5, 3
_WEAK = 0.8
_DISCHARGES = 0.02
_QUARTER_H = QUARTER / timedelta(hours=1)


class Kind(StrEnum):
    """What is unusual."""

    LOAD_HIGH = "load above expectation"
    LOAD_LOW = "load below expectation"
    PV_LOW = "PV below its clear days"
    BATTERY_WEAK = "battery gives less than its capacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One finding that stands now."""

    kind: Kind
    subject: str
    """`building`, or the device's id."""
    since: datetime
    size: float
    """How far off: W for a load, share (0 to 1) of what is missing for PV and batteries."""
    words: str


def load_anomaly(
    seen: Outlook, load: Measured, largest_w: float, calendar: Calendar
) -> Anomaly | None:
    """Whether the building has drawn clearly more or less than usual, for two hours or longer.

    Usual is the band of what the forecast missed at this time of day before the last day.
    """
    if seen.judged_days < _FEWEST_DAYS:
        return None
    recent = min(2 * WALL, len(seen.missed) - WALL)
    missed = seen.missed[-recent:]
    low, high = usual_misses(seen, recent)
    expected = load.values[-recent:] - missed
    margin = np.maximum(_MARGIN * np.abs(expected), _LEAST * largest_w)
    for kind, beyond in ((Kind.LOAD_HIGH, missed - high), (Kind.LOAD_LOW, low - missed)):
        began = _standing(beyond, margin)
        if began is not None:
            since = load.end - (recent - began) * QUARTER
            return _load_words(kind, missed[began:], expected[began:], since, calendar)
    return None


def _standing(beyond: Series, margin: Series) -> int | None:
    """Where what stands at the end began; None: all is well at the end."""
    began, outside, inside, stands = 0, 0, 0, False
    for i, (far, most) in enumerate(zip(beyond, margin, strict=True)):
        if np.isnan(far) or np.isnan(most):
            continue
        if far > most:
            began, outside, inside = (i if outside == 0 and not stands else began), outside + 1, 0
        elif far <= 0.5 * most:
            inside, outside = inside + 1, 0
        stands = (stands or outside >= _BEGINS) and inside < _ENDS
    return began if stands else None


def _load_words(
    kind: Kind, missed: Series, expected: Series, since: datetime, calendar: Calendar
) -> Anomaly:
    size_w = abs(float(np.nanmean(missed)))
    course_w = float(np.nanmean(expected))
    more = "more" if kind is Kind.LOAD_HIGH else "less"
    local = since.astimezone(calendar.zone)
    words = (
        f"draws {size_w / 1000.0:.1f} kW {more} than the {course_w / 1000.0:.1f} kW expected "
        f"since {local:%Y-%m-%d %H:%M} local time"
    )
    return Anomaly(kind=kind, subject="building", since=since, size=size_w, words=words)


def pv_anomaly(pv_id: str, made: Measured, clear_w: Series, calendar: Calendar) -> Anomaly | None:
    """Whether an inverter makes clearly less on clear days than it did on clear days before.

    `made`: W >= 0 without curtailed quarters; `clear_w`: under a clear sky, for the same quarters.
    Calm hours (no clouds passing) of bright sun are compared; a dark calm day was overcast.
    """
    days = _calm_days(made, clear_w, calendar)
    if len(days) < _REFERENCE_DAYS + _CLEAR_DAYS:
        return None
    best = float(np.quantile([share for _, share in days], 0.9))
    clear = [(day, share / best) for day, share in days if share >= _CLEAR_SHARE * best]
    began: date | None = None
    for i in range(_REFERENCE_DAYS, len(clear) - _CLEAR_DAYS + 1):
        pair = [share for _, share in clear[i : i + _CLEAR_DAYS]]
        if began is None and max(pair) < _PV_LOW:
            began = clear[i][0]
        elif began is not None and min(pair) > _PV_WELL:
            began = None
    if began is None:
        return None
    missing = 1.0 - float(np.mean([share for _, share in clear[-_CLEAR_DAYS:]]))
    words = (
        f"makes {100.0 * missing:.0f} % less on clear days than before, since {began}: look for "
        "dirt, shade or a string that is off"
    )
    since = calendar.begins(began)
    return Anomaly(kind=Kind.PV_LOW, subject=pv_id, since=since, size=missing, words=words)


def _calm_days(made: Measured, clear_w: Series, calendar: Calendar) -> Sequence[tuple[date, float]]:
    """`(day, median clearness of its calm and bright quarters)` of days that have enough."""
    share = clearness(made.values, clear_w)
    share = np.where(clear_w >= _BRIGHT * clear_w.max(initial=1.0), share, np.nan)
    step = np.abs(np.diff(share))
    calm = np.zeros(len(share), dtype=np.bool_)
    calm[1:-1] = (step[:-1] < _CALM) & (step[1:] < _CALM)  # NaN compares as not calm
    days, places = calendar.wall(made.start, len(share))
    found = []
    for row, day in enumerate(days):
        here = share[calm & (places // WALL == row)]
        if len(here) >= _CALM_QUARTERS:
            found.append((day, float(np.median(here))))
    return found


def battery_anomaly(spec: BatterySpec, power: Measured, soc: Measured) -> Anomaly | None:
    """Whether a battery gives clearly less between two states of charge than its capacity says.

    `power` in W, charging positive, and `soc` in %, for the same quarters.
    """
    swings = _swings(spec, power, soc)[-_SWINGS:]
    if len(swings) < _FEWEST_SWINGS:
        return None
    gives_wh = float(np.median([wh for _, wh in swings]))
    share = gives_wh / (spec.capacity_wh * spec.efficiency)
    if share >= _WEAK:
        return None
    words = (
        f"gives {gives_wh / 1000.0:.0f} kWh from full to empty by its own state of charge, "
        f"{100.0 * (1.0 - share):.0f} % less than its capacity says"
    )
    return Anomaly(
        kind=Kind.BATTERY_WEAK,
        subject=spec.battery_id,
        since=swings[0][0],
        size=1.0 - share,
        words=words,
    )


def _swings(spec: BatterySpec, power: Measured, soc: Measured) -> list[tuple[datetime, float]]:
    """`(begin, Wh from 100 to 0 %)` as each long discharge shows it."""
    discharging = power.values < -_DISCHARGES * spec.max_discharge_w
    steady = discharging & ~np.isnan(soc.values)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], steady, [False]]).astype(np.int8)))
    found = []
    for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
        fell_pct = soc.values[first] - soc.values[last]
        if fell_pct >= _SWING_PCT:
            # Means stand for the middle of their quarter: half of the first and of the last count.
            out_w = -power.values[first : last + 1]
            given_wh = (out_w.sum() - 0.5 * (out_w[0] + out_w[-1])) * _QUARTER_H
            begin = power.start + int(first) * QUARTER
            found.append((begin, float(given_wh / fell_pct * 100.0)))
    return found
