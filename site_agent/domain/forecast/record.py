"""What history keeps: means of quarter hours with how much of each was seen, and past stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from site_agent.domain.forecast.course import Measured
from site_agent.domain.horizon import QUARTER

LOAD_W, OUTDOOR_C, PV_W = "load_w", "outdoor_c", "pv_w"
"""Series: the building's load (PV apart); the outdoor temperature, °C; generation of all inverters
together, W >= 0."""
ENOUGH = 0.5
"""Share of a quarter that must have been seen for its mean to be used."""
QUARTER_S = QUARTER.total_seconds()


def pv_of(pv_id: str) -> str:
    """The series of one inverter's generation, W >= 0."""
    return f"{PV_W}/{pv_id}"


def battery_power_of(battery_id: str) -> str:
    """The series of one battery's power, W, charging positive."""
    return f"battery_w/{battery_id}"


def soc_of(battery_id: str) -> str:
    """The series of one battery's state of charge, %."""
    return f"soc_pct/{battery_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterMean:
    """One series over `[start, start + 15 min)`, or over the part of it that was seen."""

    series: str
    start: datetime
    """A whole quarter, UTC."""
    mean: float
    """Over what was seen, weighted by time."""
    covered_s: float
    """Seconds that were seen, up to 900."""
    estimated: bool = False
    """Some of it was derived instead of measured."""
    curtailed: bool = False
    """A limit held generation down in some of it: the sun would have given more."""
    imported: bool = False
    """From a file, not from this agent's own meters."""

    def joined(self, other: QuarterMean) -> QuarterMean:
        """Both parts of the same quarter together."""
        covered_s = self.covered_s + other.covered_s
        total = self.mean * self.covered_s + other.mean * other.covered_s
        return QuarterMean(
            series=self.series,
            start=self.start,
            mean=total / covered_s if covered_s > 0.0 else self.mean,
            covered_s=min(QUARTER_S, covered_s),
            estimated=self.estimated or other.estimated,
            curtailed=self.curtailed or other.curtailed,
            imported=self.imported and other.imported,
        )


def measured_of(
    rows: Iterable[QuarterMean], since: datetime, until: datetime, *, free: bool = False
) -> Measured:
    """Rows of one series as consecutive quarters of `[since, until)`, both whole quarters.

    A quarter of which too little was seen is unknown; with `free`, one that was curtailed as well.
    """
    values = np.full(max(0, (until - since) // QUARTER), np.nan)
    for row in rows:
        slot = (row.start - since) // QUARTER
        usable = row.covered_s >= ENOUGH * QUARTER_S and not (free and row.curtailed)
        if usable and 0 <= slot < len(values):
            values[slot] = row.mean
    return Measured(start=since, values=values)
