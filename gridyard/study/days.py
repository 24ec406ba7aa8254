"""Recorded charging sessions as days of a single limit: reading, checking, and the sample."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from math import floor
from pathlib import Path

from contracts.errors import ConfigError
from contracts.time import as_utc

STEP_H = 1 / 12
"""Sessions are laid on a grid of 5 minutes, both ends rounded down."""
VOLTAGE_V, MOST_A, LEAST_A = 208.0, 32.0, 6.0
"""The outlets the sessions were recorded at: two phases of a 208 V network."""
POWER_W = MOST_A * VOLTAGE_V
COLUMNS = ("day", "arrival", "departure", "energy_wh")
_MOST_BYTES, _MOST_SESSIONS = 8 << 20, 2_000
_LONGEST_H, _MOST_WH = 72.0, 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One stay; instants in steps of the grid since the day's first hour, energy in Wh."""

    name: str
    arrives: int
    departs: int
    energy_wh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day's sessions, in order of arrival."""

    date: date
    sessions: Sequence[Session]

    @property
    def energy_wh(self) -> float:
        """All that was asked for."""
        return sum(one.energy_wh for one in self.sessions)


def read_days(path: Path) -> list[Day]:
    """The days of a CSV file with the columns `day,arrival,departure,energy_wh`, in order.

    `arrival` and `departure` are instants with an offset (ISO 8601). Lines that begin with `#`
    are remarks.

    Raises:
        ConfigError: the file cannot be read, or a line of it makes no sense; says which.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{path}: larger than {_MOST_BYTES >> 20} MiB; give fewer days")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a table of sessions ({error})") from error
    table = csv.DictReader(line for line in lines if line and not line.startswith("#"))
    if tuple(table.fieldnames or ()) != COLUMNS:
        raise ConfigError(f"{path}: the first line must be {','.join(COLUMNS)}")
    rows = [_row(path, number, one) for number, one in enumerate(table, start=1)]
    days = [_day(of, list(those)) for of, those in groupby(rows, key=lambda row: row[0])]
    if not days or len({day.date for day in days}) < len(days):
        raise ConfigError(f"{path}: no sessions, or the lines of a day do not stand together")
    if any(len(day.sessions) > _MOST_SESSIONS for day in days):
        raise ConfigError(f"{path}: a day has more than {_MOST_SESSIONS} sessions")
    return days


_Row = tuple[date, datetime, datetime, float]


def _row(path: Path, number: int, row: Mapping[str, str]) -> _Row:
    try:
        arrives, departs = (as_utc(datetime.fromisoformat(row[k])) for k in COLUMNS[1:3])
        found = (date.fromisoformat(row["day"]), arrives, departs, float(row["energy_wh"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{path}: session {number} makes no sense ({error})") from error
    stay_h = (departs - arrives).total_seconds() / 3600
    if not 0 < stay_h <= _LONGEST_H:
        raise ConfigError(f"{path}: session {number} lasts {stay_h:.1f} h; more than 0, up to 72")
    if not 0 <= found[3] <= _MOST_WH:
        raise ConfigError(f"{path}: session {number} asks for {found[3]:g} Wh; 0 to 1000000")
    return found


def _day(of: date, rows: Iterable[_Row]) -> Day:
    ordered = sorted(rows, key=lambda row: row[1])
    first = ordered[0][1].replace(minute=0, second=0, microsecond=0)

    def step(at: datetime) -> int:
        return floor((at - first).total_seconds() / 3600 / STEP_H + 1e-9)

    sessions = [
        Session(name=f"s{n:03}", arrives=step(row[1]), departs=step(row[2]), energy_wh=row[3])
        for n, row in enumerate(ordered)
    ]
    return Day(date=of, sessions=[one for one in sessions if one.energy_wh > 0])
