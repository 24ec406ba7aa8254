"""PV from a CSV file (`time`, `power_w`) instead of a simulated sky."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ConfigError
from contracts.time import as_utc
from gridyard.simulate.scenario import Case

MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSky:
    """`depot_sim.physics.sky.Sky` from measurements, linear in between, 0 outside."""

    at_s: NDArray[np.float64]
    shares: NDArray[np.float64]

    def share(self, now_s: float) -> float:
        """Share of rated power on offer, 0 to 1."""
        return float(np.interp(now_s, self.at_s, self.shares, left=0.0, right=0.0))


def read(path: Path, case: Case) -> MeasuredSky:
    """The profile; all inverters of the site share it by their ratings.

    Times are ISO 8601, local to the depot where they have no offset; power is a magnitude, W.

    Raises:
        ConfigError: cannot be read, too large, not ascending, or no number; names the line.
    """
    rated_w = sum(inverter.rated_w for inverter in case.site.pv)
    if rated_w <= 0:
        raise ConfigError(f"{path}: the site has no PV to give it to")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes")
        with path.open(encoding="utf-8", newline="") as file:
            rows = [_row(path, line, row, case) for line, row in enumerate(csv.DictReader(file), 2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not rows or any(late[0] <= early[0] for early, late in pairwise(rows)):
        raise ConfigError(f"{path}: needs times that ascend")
    at, watts = zip(*rows, strict=True)
    return MeasuredSky(np.array(at), np.clip(np.array(watts) / rated_w, 0.0, 1.0))


def _row(path: Path, line: int, row: dict[str, str], case: Case) -> tuple[float, float]:
    try:
        at = datetime.fromisoformat(row["time"])
        watts = abs(float(row["power_w"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}:{line}: needs time (ISO 8601) and power_w: {error}") from error
    instant = as_utc(at if at.tzinfo is not None else at.replace(tzinfo=case.zone))
    return (instant - case.settings.begin).total_seconds(), watts
