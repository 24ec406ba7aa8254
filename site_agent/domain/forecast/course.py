"""From day profiles to a course with a band: what past forecasts missed says how far off this is.

For every past day the method is asked as if that day lay ahead; what it missed are the residuals.
Two things follow from them, each for the lead time of a slot (how far ahead it lies): how much of
the last hour's miss is still there then (a regression through the origin), and the 10 % and 90 %
quantiles of what is missed after that, over the last days at about the same time of day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.forecast.calendar import WALL, Calendar, DayTable, DayType, day_table
from site_agent.domain.forecast.profiles import Profile
from site_agent.domain.forecast.scores import HIGH, LOW
from site_agent.domain.horizon import QUARTER, Series

JUDGED_DAYS = 28
"""Past days whose misses count."""
_RECENT = 4
"""Quarters whose misses are carried on: the last hour."""
_NEAR = 4
"""Quarters before and after that count as about the same time of day."""
_CARRIED = 96
"""Quarters ahead after which nothing of the last hour's miss is left."""
FEWEST = 3
"""Days with residuals for a band."""
_KIND_DAYS = 5
"""Days of the same kind for a band of its own; with fewer all kinds count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Quarters from `start` on, in order; NaN: not known, or not to be believed."""

    start: datetime
    values: Series

    @property
    def end(self) -> datetime:
        """Where the last quarter ends."""
        return self.start + len(self.values) * QUARTER

    def since(self, start: datetime) -> Measured:
        """Only what began at `start` or later."""
        skip = max(0, -((self.start - start) // QUARTER))
        return Measured(start=self.start + skip * QUARTER, values=self.values[skip:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The last quarters with what was expected of them, and the quarters ahead."""

    missed: Series
    """Actual less expected of every quarter that is over; NaN: one of them is not known."""
    ahead: Series
    """What the method alone expects of the quarters after these; NaN: it has too little."""
    judged_days: int
    """Past days that the method was tried on."""
    walls: NDArray[np.intp]
    """Quarter of the wall clock, 0..95, of all of them."""
    workdays: NDArray[np.bool_]
    """Whether each lies in a workday."""


def table_ahead(history: Measured, ahead: int, calendar: Calendar) -> DayTable:
    """The history as local days, with `ahead` unknown quarters after it."""
    values = np.concatenate([history.values, np.full(ahead, np.nan)])
    return day_table(history.start, values, calendar)


def outlook(history: Measured, ahead: int, calendar: Calendar, profile: Profile) -> Outlook:
    """What the method says of the last days and of `ahead` quarters after the history."""
    table = table_ahead(history, ahead, calendar)
    days, places = calendar.wall(history.start, len(history.values) + ahead)
    today = int(places[len(history.values)]) // WALL
    first = max(0, today - JUDGED_DAYS)
    said = np.full((len(days), WALL), np.nan)
    for row in range(first, len(days)):
        found = profile(table if row <= today else _known_at_dawn(table, today), row)
        if found is not None:
            said[row] = found
    tried = ~np.isnan(said[:today]).any(axis=1) & ~np.isnan(table.values[:today]).all(axis=1)
    begins, past = int((places < WALL * first).sum()), len(history.values)
    expected = said.ravel()[places]
    work = np.array([kind is DayType.WORKDAY for kind in table.kinds], dtype=np.bool_)
    return Outlook(
        missed=(history.values - expected[:past])[begins:],
        ahead=expected[past:],
        judged_days=int(tried.sum()),
        walls=(places % WALL)[begins:],
        workdays=work[places // WALL][begins:],
    )


def _known_at_dawn(table: DayTable, today: int) -> DayTable:
    """Without what has been measured of today: past days were judged without it too."""
    values = table.values.copy()
    values[today:] = np.nan
    return replace(table, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Expected values and quantiles of the quarters ahead; NaN: too little is known."""

    expected: Series
    low: Series
    high: Series


def course(seen: Outlook) -> Course:
    """The quarters ahead, corrected by the last hour, with their band."""
    recent = _last_hour(seen.missed)
    filled = np.nan_to_num(recent)
    now = float(filled[-1])
    count = len(seen.ahead)
    expected, low, high = seen.ahead.copy(), np.full(count, np.nan), np.full(count, np.nan)
    for lead in range(count):
        carried = _carried(seen.missed, recent, lead)
        left = seen.missed - carried * _lagged(filled, lead, 0.0)
        expected[lead] += carried * now
        if seen.judged_days >= FEWEST:
            low[lead], high[lead] = expected[lead] + _alike(left, seen, lead)
    return Course(expected=expected, low=low, high=high)


def _last_hour(missed: Series) -> Series:
    """At every quarter, the mean miss of the last hour before it; one more than `missed` has."""
    known = ~np.isnan(missed)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, missed, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    before = np.maximum(np.arange(len(sums)) - _RECENT, 0)
    seen = counts - counts[before]
    mean: Series = np.divide(
        sums - sums[before], seen, out=np.full(len(sums), np.nan), where=seen > 0
    )
    return mean


def _lagged(recent: Series, lead: int, before: float = np.nan) -> Series:
    """What the last hour's miss was, `lead` quarters before each quarter began."""
    count = len(recent) - 1
    lagged = np.full(count, before)
    if lead < count:
        lagged[lead:] = recent[: count - lead]
    return lagged


def _carried(missed: Series, recent: Series, lead: int) -> float:
    """Which share of the last hour's miss is still there `lead` quarters later, 0 to 1."""
    if lead >= _CARRIED:
        return 0.0
    before = _lagged(recent, lead)
    pairs = ~(np.isnan(missed) | np.isnan(before))
    if pairs.sum() < WALL:
        return 0.0
    power = float(before[pairs] @ before[pairs])
    share = float(missed[pairs] @ before[pairs]) / power if power > 0.0 else 0.0
    return min(1.0, max(0.0, share))


def usual_misses(seen: Outlook, recent: int) -> tuple[Series, Series]:
    """The band of misses for each of the `recent` last quarters, from those before them."""
    before = seen.missed[:-recent]
    found = [_alike(before, seen, i) for i in range(recent)]
    band = np.array(found, dtype=np.float64).reshape(recent, 2)
    return band[:, 0], band[:, 1]


def _alike(left: Series, seen: Outlook, later: int) -> Series:
    """Quantiles of what was missed at about the time of day of the quarter `later` after `left`.

    On workdays or on other days, where there are enough of the kind; NaN: never at this time.
    """
    past = len(left)
    apart = np.abs(seen.walls[:past] - seen.walls[past + later])
    near = (np.minimum(apart, WALL - apart) <= _NEAR) & ~np.isnan(left)
    same = near & (seen.workdays[:past] == seen.workdays[past + later])
    if same.sum() >= _KIND_DAYS * (2 * _NEAR + 1):
        near = same
    return _deciles(left[near])


def _deciles(values: Series) -> Series:
    """The 10 % and 90 % quantiles, linear between values; NaN: of too few."""
    if len(values) < FEWEST:
        return np.full(2, np.nan)
    ordered = np.sort(values)
    found: Series = np.interp(
        np.array((LOW, HIGH)) * (len(ordered) - 1), np.arange(len(ordered)), ordered
    )
    return found
