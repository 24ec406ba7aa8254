"""A linear programme as plain arrays, and HiGHS, kept warm from one to the next.

minimise cost x, subject to row_lower <= A x <= row_upper and lower <= x <= upper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from highspy import _core
from numpy.typing import ArrayLike, NDArray

from contracts.errors import PermanentError
from site_agent.domain.horizon import Series

Ints = NDArray[np.int32]
_PERTURBED = "dual_simplex_cost_perturbation_multiplier"


class NoPlanError(PermanentError):
    """No plan could be made; the message says why. The site goes on without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Column by column: `start` of each in `row` and `value`."""

    start: Ints
    row: Ints
    value: Series

    def same(self, other: Matrix) -> bool:
        """Whether the other is this one."""
        return (
            np.array_equal(self.start, other.start)
            and np.array_equal(self.row, other.row)
            and np.array_equal(self.value, other.value)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One linear programme."""

    matrix: Matrix
    cost: Series
    lower: Series
    upper: Series
    row_lower: Series
    row_upper: Series


class Writer:
    """Collects columns, rows and entries."""

    def __init__(self) -> None:
        self._columns: list[tuple[Series, Series, Series]] = []
        self._rows: list[tuple[Series, Series]] = []
        self._entries: list[tuple[NDArray[np.intp], NDArray[np.intp], Series]] = []
        self._width = self._height = 0

    def columns(
        self,
        count: int,
        *,
        cost: ArrayLike = 0.0,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
    ) -> NDArray[np.intp]:
        """New variables; their numbers."""
        self._columns.append((_wide(cost, count), _wide(lower, count), _wide(upper, count)))
        self._width += count
        return np.arange(self._width - count, self._width)

    def rows(self, lower: ArrayLike, upper: ArrayLike, count: int) -> NDArray[np.intp]:
        """New rows; their numbers."""
        self._rows.append((_wide(lower, count), _wide(upper, count)))
        self._height += count
        return np.arange(self._height - count, self._height)

    def entries(self, rows: ArrayLike, columns: NDArray[np.intp], values: ArrayLike) -> None:
        """One entry for each of these columns."""
        count = len(columns)
        if not isinstance(rows, np.ndarray) or rows.shape != (count,):
            rows = np.full(count, rows, dtype=np.intp)
        self._entries.append((rows, columns, _wide(values, count)))

    def programme(self) -> Programme:
        """All of it."""
        rows, columns, values = (
            np.concatenate(parts) for parts in zip(*self._entries, strict=True)
        )
        order = np.argsort(columns, kind="stable")
        start = np.zeros(self._width + 1, dtype=np.int32)
        np.cumsum(np.bincount(columns, minlength=self._width), out=start[1:])
        cost, lower, upper = (np.concatenate(parts) for parts in zip(*self._columns, strict=True))
        row_lower, row_upper = (np.concatenate(parts) for parts in zip(*self._rows, strict=True))
        return Programme(
            matrix=Matrix(start=start, row=rows[order].astype(np.int32), value=values[order]),
            cost=cost,
            lower=lower,
            upper=upper,
            row_lower=row_lower,
            row_upper=row_upper,
        )


def _wide(value: ArrayLike, count: int) -> Series:
    if isinstance(value, np.ndarray) and value.shape == (count,):
        return value.astype(np.float64, copy=False)
    return np.full(count, value, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """The best there is."""

    x: Series
    objective: float
    warm: bool
    """Whether it was found from the optimum before."""


class Engine:
    """HiGHS; one programme at a time."""

    def __init__(self, time_limit_s: float = 5.0) -> None:
        # The public class prints a banner before it can be silenced.
        self._highs: Any = _core._Highs()
        self._last: Programme | None = None
        """What the solver holds, at its optimum."""
        self._time_limit_s = time_limit_s
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("solver", "simplex"),
            ("presolve", "off"),  # costs more than it saves on plans, and ends warm starts
        ):
            self._highs.setOptionValue(name, value)

    def solve(self, programme: Programme) -> Optimum:
        """The optimum.

        Raises:
            NoPlanError: there is none, or it was not found in time.
        """
        before, self._last = self._last, None
        warm = before is not None and before.matrix.same(programme.matrix)
        if warm and before is not None:
            self._change(before, programme)
        else:
            self._pass(programme)
        # HiGHS counts its time over all runs of one object, and so against the limit.
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + self._time_limit_s)
        # Perturbed costs break ties on the long way from nothing; on a short way they are a detour.
        self._highs.setOptionValue(_PERTURBED, 0.0 if warm else 1.0)
        self._highs.run()
        status = self._highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            words = self._highs.modelStatusToString(status)
            raise NoPlanError(f"the solver found no optimum: {words.lower()}")
        self._last = programme
        x = np.array(self._highs.getSolution().col_value, dtype=np.float64)
        if not np.isfinite(x).all():
            raise NoPlanError("the solver's optimum is no number")
        return Optimum(x=x, objective=float(programme.cost @ x), warm=warm)

    def _change(self, old: Programme, new: Programme) -> None:
        """Only what differs, so that the solver keeps what it knows of the rest."""
        highs = self._highs
        costs = _where(old.cost != new.cost)
        if len(costs):
            highs.changeColsCost(len(costs), costs, new.cost[costs])
        columns = _where((old.lower != new.lower) | (old.upper != new.upper))
        if len(columns):
            lower, upper = new.lower[columns], new.upper[columns]
            highs.changeColsBounds(len(columns), columns, lower, upper)
        rows = _where((old.row_lower != new.row_lower) | (old.row_upper != new.row_upper))
        if len(rows):
            highs.changeRowsBounds(len(rows), rows, new.row_lower[rows], new.row_upper[rows])

    def _pass(self, one: Programme) -> None:
        # As plain arrays: the attributes of a HighsLp would be copied number by number.
        status = self._highs.passModel(
            len(one.cost),
            len(one.row_lower),
            len(one.matrix.value),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            one.cost,
            one.lower,
            one.upper,
            one.row_lower,
            one.row_upper,
            one.matrix.start,
            one.matrix.row,
            one.matrix.value,
            np.zeros(len(one.cost), dtype=np.int32),  # no variable is a whole number
        )
        if status == highspy.HighsStatus.kError:
            raise NoPlanError("the solver does not take the problem: a number in it is no number")


def _where(flags: NDArray[np.bool_]) -> Ints:
    return np.flatnonzero(flags).astype(np.int32)
