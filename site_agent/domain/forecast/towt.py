"""Time of week and temperature: a building's load by regression.

After Mathieu, Price, Kiliccote and Piette, "Quantifying changes in building electricity use, with
application to demand response" (IEEE Transactions on Smart Grid 2, 2011): an own level for every
time of the week, and load that is piecewise linear in outdoor temperature, with other slopes while
the building is in use than while it is not. Here the week has three kinds of days, in use means a
level above the mean, and both parts are ridge regressions, so that few days suffice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.forecast.calendar import WALL, DayTable, DayType
from site_agent.domain.forecast.profiles import Profile, rows_of_past
from site_agent.domain.horizon import Series

_SEGMENTS = 6
_LEVEL_RIDGE = 0.01
"""Days' worth of the overall mean that each level is drawn to it by."""
_SLOPE_RIDGE = 10.0
_FEWEST_DAYS = 10
_KINDS = tuple(DayType)
_Cells = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    mean: float
    levels: Series
    slopes: Series
    low_c: float
    width_c: float
    in_use: NDArray[np.bool_]

    def at(self, cells: _Cells, temperature: Series) -> Series:
        """Load of quarters in these cells at these temperatures, W."""
        bent = _features(temperature, self.low_c, self.width_c, self.in_use[cells])
        found: Series = self.mean + self.levels[cells] + bent @ self.slopes
        return found


def towt(measured_c: Series, expected_c: Series) -> Profile:
    """The method for these temperatures, °C (any other scale serves as well), `[day, quarter]`.

    `measured_c` is learnt from, `expected_c` is what was known of a day before it began.
    """

    def profile(table: DayTable, row: int) -> Series | None:
        rows = rows_of_past(table, row)
        if len(rows) < _FEWEST_DAYS or np.isnan(expected_c[row]).any():
            return None
        cells = np.concatenate([_cells(table.kinds[i]) for i in rows])
        load, temperature = table.values[rows].ravel(), measured_c[rows].ravel()
        known = ~(np.isnan(load) | np.isnan(temperature))
        wanted = _cells(table.kinds[row])
        if not np.bincount(cells[known], minlength=len(_KINDS) * WALL)[wanted].all():
            return None  # no such day seen yet: a level would be made up
        fit = _fitted(cells[known], load[known], temperature[known])
        return fit.at(wanted, expected_c[row])

    return profile


def _cells(kind: DayType) -> _Cells:
    """Each quarter's time of the week."""
    return _KINDS.index(kind) * WALL + np.arange(WALL, dtype=np.intp)


def _fitted(cells: _Cells, load: Series, temperature: Series) -> _Fit:
    """Ridge by elimination: levels are one per cell, so only the slopes need a matrix."""
    size, mean = len(_KINDS) * WALL, float(load.mean())
    counts = np.bincount(cells, minlength=size) + _LEVEL_RIDGE
    surplus = np.bincount(cells, load - mean, minlength=size)
    in_use = surplus > 0.0
    low, high = float(temperature.min()), float(temperature.max())
    width = max((high - low) / _SEGMENTS, 1e-6)
    bent = _features(temperature, low, width, in_use[cells])
    sums = np.stack([np.bincount(cells, column, minlength=size) for column in bent.T], axis=1)
    matrix = bent.T @ bent + _SLOPE_RIDGE * np.eye(bent.shape[1])
    matrix -= sums.T @ (sums / counts[:, None])
    pull = bent.T @ (load - mean) - sums.T @ (surplus / counts)
    slopes = np.linalg.solve(matrix, pull).astype(np.float64)
    levels = (surplus - sums @ slopes) / counts
    return _Fit(mean=mean, levels=levels, slopes=slopes, low_c=low, width_c=width, in_use=in_use)


def _features(temperature: Series, low: float, width: float, in_use: NDArray[np.bool_]) -> Series:
    """How much of each segment lies below the temperature, 0 to 1, apart for use and disuse.

    Beyond what was seen nothing is extrapolated: the outer segments end there.
    """
    knots = low + width * np.arange(_SEGMENTS)
    below = np.clip((temperature[:, None] - knots) / width, 0.0, 1.0)
    use = in_use[:, None]
    return np.hstack([np.where(use, below, 0.0), np.where(use, 0.0, below)])
