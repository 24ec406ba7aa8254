"""The clairvoyant optimum of a day: a mixed-integer program that knows every stay in advance.

First as many demands met as possible, then as much energy as possible beside them. Currents are
fluid here (no 6 A minimum, no steps), so no rule that keeps to those can do better.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import highspy
import numpy as np
from highspy import _core

from gridyard.study.days import POWER_W, STEP_H, VOLTAGE_V, Day, Session
from gridyard.study.sharing import Outcome, outcome

_LESS_THAN_ONE = 0.99
"""Demands are whole: a bound this near to what was found proves it."""
_PATIENCE_S = 60.0


class UnprovenError(RuntimeError):
    """The solver has not proved its answer within a minute."""


def optimum(day: Day, cap_a: float) -> Outcome:
    """The best that can be had from a day.

    Raises:
        UnprovenError: the solver took too long.
    """
    program = _Program(day.sessions, cap_a * VOLTAGE_V)
    got_wh = program.solved()
    missing = [max(0.0, one.energy_wh - got) for one, got in zip(day.sessions, got_wh, strict=True)]
    return outcome(day, {one.name: wh for one, wh in zip(day.sessions, missing, strict=True)})


class _Program:
    """Energy of every session between any two arrivals or departures, kWh."""

    def __init__(self, sessions: Sequence[Session], cap_w: float) -> None:
        self._sessions = sessions
        self._solver: Any = _core._Highs()  # the public class prints a banner
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)  # as everywhere: HiGHS has one pool a process
        self._solver.setOptionValue("mip_abs_gap", _LESS_THAN_ONE)
        self._solver.setOptionValue("mip_rel_gap", 0.0)
        self._solver.setOptionValue("time_limit", _PATIENCE_S)
        self._solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        edges = sorted({edge for one in sessions for edge in (one.arrives, one.departs)})
        pieces = list(pairwise(edges))
        self._energy = [self._columns(one, pieces) for one in sessions]
        self._met = [
            self._met_column(one, mine) for one, mine in zip(sessions, self._energy, strict=True)
        ]
        for piece, (start, end) in enumerate(pieces):
            here = [mine[piece] for mine in self._energy if piece in mine]
            self._row(-highspy.kHighsInf, cap_w / 1e3 * STEP_H * (end - start), here)

    def solved(self) -> list[float]:
        """Wh of every session."""
        self._run()
        values = self._solver.getSolution().col_value
        for column in self._met:
            self._solver.changeColBounds(column, float(round(values[column])), 1.0)
            self._solver.changeColIntegrality(column, highspy.HighsVarType.kContinuous)
            self._solver.changeColCost(column, 0.0)
        for mine in self._energy:
            for column in mine.values():
                self._solver.changeColCost(column, 1.0)
        self._run()
        values = self._solver.getSolution().col_value
        return [1e3 * sum(values[column] for column in mine.values()) for mine in self._energy]

    def _run(self) -> None:
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise UnprovenError("the optimum of a day was not proved within a minute")

    def _columns(self, one: Session, pieces: Sequence[tuple[int, int]]) -> dict[int, int]:
        mine: dict[int, int] = {}
        for piece, (start, end) in enumerate(pieces):
            if one.arrives <= start and end <= one.departs:
                mine[piece] = self._solver.getNumCol()
                self._solver.addVar(0.0, POWER_W / 1e3 * STEP_H * (end - start))
        return mine

    def _met_column(self, one: Session, mine: dict[int, int]) -> int:
        met: int = self._solver.getNumCol()
        self._solver.addVar(0.0, 1.0)
        self._solver.changeColIntegrality(met, highspy.HighsVarType.kInteger)
        self._solver.changeColCost(met, 1.0)
        most_kwh = one.energy_wh / 1e3
        self._row(-highspy.kHighsInf, most_kwh, list(mine.values()))
        columns, factors = [*mine.values(), met], [1.0] * len(mine) + [-most_kwh]
        self._solver.addRow(
            0.0, highspy.kHighsInf, len(columns), np.array(columns, np.int32), np.array(factors)
        )
        return met

    def _row(self, low: float, high: float, columns: list[int]) -> None:
        self._solver.addRow(
            low, high, len(columns), np.array(columns, np.int32), np.ones(len(columns))
        )
