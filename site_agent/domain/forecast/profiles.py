"""What a day should look like from the days before it: the methods that compete in a backtest.

Each takes a table of local days and the row of the day that is asked for, and looks only at rows
before it. None: it has too little to go by.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from site_agent.domain.forecast.calendar import WALL, DayTable
from site_agent.domain.horizon import Series

MOST_DAYS = 10
"""Days that are averaged at most."""
LOOK_BACK = 60
"""Days further back say little about the present season."""
_WEEK = 7

Profile = Callable[[DayTable, int], Series | None]
"""96 quarters of the wall clock for one row of a table."""


def similar_day(table: DayTable, row: int) -> Series | None:
    """Mean of the last <= 10 whole days of the same kind.

    Without any, of the last days of the same kind with gaps, then of any kind; a quarter that none
    of them has is taken from the quarters around it in their mean.
    """
    past = rows_of_past(table, row)
    same = [i for i in past if table.kinds[i] is table.kinds[row]]
    whole = [i for i in same if table.whole[i]]
    rows = (whole or same or past)[-MOST_DAYS:]
    return _mean(table.values[rows]) if rows else None


def yesterday(table: DayTable, row: int) -> Series | None:
    """As the day before: the naive forecast."""
    return _copied(table, row - 1)


def last_week(table: DayTable, row: int) -> Series | None:
    """As seven days before: the seasonal naive forecast."""
    return _copied(table, row - _WEEK)


def rows_of_past(table: DayTable, row: int) -> list[int]:
    """The rows a method may learn from for `row`."""
    rows = _before(table, row)
    known = np.flatnonzero((~np.isnan(table.values[rows])).any(axis=1))
    return [rows[int(i)] for i in known]


def _before(table: DayTable, row: int) -> list[int]:
    return list(range(max(0, row - LOOK_BACK), row))


def _copied(table: DayTable, row: int) -> Series | None:
    if row < 0 or not table.whole[row]:
        return None
    return _mean(table.values[row : row + 1])


def _mean(days: Series) -> Series:
    """By quarter over days; quarters nobody has (a skipped hour, a standing gap) are bridged."""
    known = ~np.isnan(days)
    counts = known.sum(axis=0)
    sums = np.where(known, days, 0.0).sum(axis=0)
    mean: Series = np.divide(sums, counts, out=np.full(WALL, np.nan), where=counts > 0)
    if not counts.all():
        quarters = np.arange(WALL)
        there = counts > 0
        mean = np.interp(quarters, quarters[there], mean[there], period=WALL)
    return mean
