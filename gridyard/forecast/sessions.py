"""Charging sessions in a CSV file, and a backtest of habits on them.

Columns: `arrival` and `departure` (times with a zone, or the site's), `delivered_energy (kWh)` or
`energy_kwh`, `station_id` or `evse`, and `vehicle` where it is known; others are left aside. That
is the form of ACN-Data's published sessions as well. Without a vehicle each EVSE has habits.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from contracts.errors import ConfigError
from gridyard.forecast.csv_file import text_of
from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.habit_backtest import FIRST_DAYS, habit_backtest
from site_agent.domain.forecast.stays import PastStay

Json = Mapping[str, object]
_MOST = 500_000
_LARGEST_KWH = 10_000.0
_ENERGY = ("energy_kwh", "delivered_energy (kWh)")
_PLACE = ("evse", "station_id")


def read(path: Path, zone: tzinfo) -> list[PastStay]:
    """The sessions of a file.

    Raises:
        ConfigError: it cannot be read, or a line makes no sense; the message names the line.
    """
    rows = csv.DictReader(io.StringIO(text_of(path)))
    names = rows.fieldnames or ()
    energy = next((name for name in _ENERGY if name in names), None)
    place = next((name for name in _PLACE if name in names), None)
    if energy is None or place is None or not {"arrival", "departure"} <= set(names):
        raise ConfigError(f"{path}: columns arrival, departure, energy_kwh and evse are needed")
    found: list[PastStay] = []
    try:
        for row in rows:
            if len(found) == _MOST:
                raise ConfigError(f"{path}: more than {_MOST} sessions: split it")
            found.append(_stay(row, (energy, place), zone, f"{path}: line {rows.line_num}"))
    except csv.Error as error:
        raise ConfigError(f"{path}: line {rows.line_num}: {error}") from error
    return found


def _stay(
    row: Mapping[str, str | None], columns: tuple[str, str], zone: tzinfo, where: str
) -> PastStay:
    energy, place = columns
    try:
        arrived, left = (_instant(row[name] or "", zone) for name in ("arrival", "departure"))
        energy_wh = 1000.0 * float(row[energy] or "")
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
    if left <= arrived:
        raise ConfigError(f"{where}: it departs before it arrives")
    if not (math.isfinite(energy_wh) and 0.0 <= energy_wh <= 1000.0 * _LARGEST_KWH):
        raise ConfigError(f"{where}: {row[energy]} kWh is out of any range")
    evse = row[place] or "-"
    return PastStay(
        vehicle_id=row.get("vehicle") or f"unknown at {evse}",
        evse_id=evse,
        arrived=arrived,
        left=left,
        energy_wh=energy_wh,
    )


def _instant(text: str, zone: tzinfo) -> datetime:
    at = datetime.fromisoformat(text.strip())
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)


def tested(path: Path, calendar: Calendar, most_days: int) -> Json:
    """The backtest of habits on a file.

    Raises:
        ConfigError: as `read`, or there are too few days.
    """
    score = habit_backtest(read(path, calendar.zone), calendar, most_days)
    if score is None:
        raise ConfigError(f"{path}: too few sessions: habits need {FIRST_DAYS} days to learn from")
    return {
        "of": "stays",
        "days": score.days,
        "stays": score.stays,
        "arrivals_nmae_pct": round(score.arrivals_nmae_pct, 1),
        "arrivals_week_before_pct": round(score.arrivals_week_pct, 1),
        "energy_nmae_pct": round(score.energy_nmae_pct, 1),
        "energy_week_before_pct": round(score.energy_week_pct, 1),
        "energy_bias_pct": round(score.energy_bias_pct, 1),
        "arrival_median_h": round(score.arrival_median_h, 2),
        "arrival_p90_h": round(score.arrival_p90_h, 2),
        "brier": round(score.brier, 3),
    }


def lines(found: Json) -> Iterator[str]:
    """For people."""
    yield f"stays, asked at the beginning of {found['days']} days with {found['stays']} stays"
    yield (
        f"  arrivals a day: {found['arrivals_nmae_pct']} % off on average "
        f"(as a week before: {found['arrivals_week_before_pct']} %)"
    )
    yield (
        f"  energy a day:   {found['energy_nmae_pct']} % off, bias {found['energy_bias_pct']} % "
        f"(as a week before: {found['energy_week_before_pct']} %)"
    )
    yield (
        f"  first arrival:  half within {found['arrival_median_h']} h, nine of ten within "
        f"{found['arrival_p90_h']} h; Brier score of who comes {found['brier']}"
    )
