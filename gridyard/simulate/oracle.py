"""Whether a night could be served at all: a linear programme that knows everything beforehand.

Time in slots; energy of every vehicle in every slot at AC and at DC plugs. It is a relaxation: a
vehicle may use any plug, and parts of several, and change between them without time or people; it
knows arrivals, needs and the building's mean load in advance, uses the limit to the last watt, and
knows no rows, phases or minimum currents. So what it finds impossible is impossible, and what it
finds possible may still be out of reach for real people at real plugs. It shares no code with the
agent's plan or allocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import highspy
import numpy as np
from highspy import _core
from numpy.typing import NDArray

from contracts.power import power_from_current_w
from gridyard.simulate.night import Night, Visit
from gridyard.simulate.scenario import Case

SLOT = timedelta(minutes=15)
READY_WH = 1.0
_SAMPLES = 5
_HOUR = timedelta(hours=1)
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the programme found."""

    missing_wh: float
    """Least energy that all vehicles together miss, Wh."""

    @property
    def feasible(self) -> bool:
        """Whether every vehicle can be ready."""
        return self.missing_wh <= READY_WH


@dataclass(slots=True)
class _Yard:
    """How many plugs of a kind, and their power."""

    count: int
    power_w: float


def judge(case: Case, night: Night) -> Verdict:
    """Solve the night.

    Raises:
        RuntimeError: the solver did not end with an optimum (a fault of the program).
    """
    slots = int(case.settings.hours * _HOUR / SLOT)
    programme = _Programme(slots)
    yards = _yards(case)
    site = programme.rows(_site_wh(case, night, slots))
    plugs = [programme.rows(np.full(slots, float(yard.count))) for yard in yards]
    for visit in night.visits:
        _add(programme, visit, night, yards, site, plugs)
    return Verdict(missing_wh=programme.minimum())


class _Programme:
    """min Σ missing, built row by row."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        # The public class prints a banner before it can be silenced.
        self._highs: Any = _core._Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)

    def rows(self, most: Array) -> list[int]:
        """One row `<= most` for each value."""
        first = self._highs.getNumRow()
        for value in most:
            self._highs.addRow(-highspy.kHighsInf, float(value), 0, [], [])
        return list(range(first, first + len(most)))

    def at_least(self, value: float) -> int:
        """One row `>= value`."""
        self._highs.addRow(value, highspy.kHighsInf, 0, [], [])
        return int(self._highs.getNumRow()) - 1

    def column(self, cost: float, most: float, entries: list[tuple[int, float]]) -> None:
        """A variable from 0 to `most`."""
        rows = [row for row, _ in entries]
        values = [value for _, value in entries]
        self._highs.addCol(cost, 0.0, most, len(rows), rows, values)

    def minimum(self) -> float:
        """The optimum's value."""
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"the oracle ended with {self._highs.getModelStatus()}")
        return float(self._highs.getInfo().objective_function_value)


def _add(
    programme: _Programme,
    visit: Visit,
    night: Night,
    yards: tuple[_Yard, _Yard],
    site: list[int],
    plugs: list[list[int]],
) -> None:
    """One vehicle: energy by slot and kind of plug, and what it misses."""
    need = programme.at_least(visit.required_wh)
    programme.column(1.0, highspy.kHighsInf, [(need, 1.0)])
    takes = (visit.vehicle.max_ac_w, visit.vehicle.max_dc_w)
    here = _present(visit, night, programme.slots)
    hours = SLOT / _HOUR
    for slot in np.flatnonzero(here > 0):
        room = programme.rows(np.array([here[slot]]))[0]
        for yard, most_w, rows in zip(yards, takes, plugs, strict=True):
            wh = min(yard.power_w, most_w) * hours
            if yard.count and wh > 0:
                entries = [(need, 1.0), (site[slot], 1.0), (rows[slot], 1 / wh), (room, 1 / wh)]
                programme.column(0.0, wh, entries)


def _present(visit: Visit, night: Night, slots: int) -> Array:
    """Part of every slot it is in the yard."""
    first = (visit.arrives - night.begin) / SLOT
    last = (visit.departs - night.begin) / SLOT
    at = np.arange(slots, dtype=np.float64)
    share: Array = np.clip(np.minimum(at + 1, last) - np.maximum(at, first), 0.0, 1.0)
    return share


def _yards(case: Case) -> tuple[_Yard, _Yard]:
    """AC and DC plugs; the strongest of each stands for all (a relaxation where they differ)."""
    yards = (_Yard(0, 0.0), _Yard(0, 0.0))
    for spec in case.site.model().chargers:
        yard = yards[spec.evse_id in case.direct]
        yard.count += 1
        watts = power_from_current_w(spec.max_current_a, len(spec.phases), spec.voltage_v)
        yard.power_w = max(yard.power_w, watts)
    return yards


def _site_wh(case: Case, night: Night, slots: int) -> Array:
    """What the limit leaves for vehicles in every slot, Wh; batteries are not counted."""
    limit_w = case.site.contract_limit_w
    step_s = SLOT.total_seconds() / _SAMPLES
    found = []
    for slot in range(slots):
        at = [(slot * _SAMPLES + sample + 0.5) * step_s for sample in range(_SAMPLES)]
        others_w = sum(
            night.building.power_w(one) - sum(pv.offers_w(one) for pv in night.pv.values())
            for one in at
        )
        found.append(max(0.0, limit_w - others_w / _SAMPLES) * (SLOT / _HOUR))
    return np.array(found)
