"""Backtests as people and machines read them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from contracts.days import Holidays, holiday
from contracts.errors import ConfigError
from gridyard.forecast import csv_file, sim_sky
from gridyard.forecast.place import everything, ground_of, history_of, settings_of
from site_agent.domain.forecast.backtest import (
    FIRST_DAYS,
    Ahead,
    Backtest,
    backtest,
    load_methods,
    pv_methods,
)
from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.clear_sky import Place, PvArray
from site_agent.domain.forecast.course import Measured
from site_agent.domain.forecast.record import LOAD_W, OUTDOOR_C, PV_W, QuarterMean, measured_of
from site_agent.domain.horizon import QUARTER


@dataclass(frozen=True, slots=True)
class When:
    """How many days, when on each, and how far ahead (None: to the end of the day)."""

    days: int = 60
    begin: timedelta = timedelta(0)
    length: timedelta | None = None

    @property
    def words(self) -> str:
        """For people."""
        if self.length is None:
            return "day ahead at midnight"
        hours = self.begin / timedelta(hours=1), self.length / timedelta(hours=1)
        return f"{hours[1]:g} h ahead at {hours[0]:g} h"


Json = Mapping[str, object]
Rows = Mapping[str, Sequence[QuarterMean]]


def of_rows(
    rows: Rows,
    calendar: Calendar,
    when: When,
    arrays: Sequence[PvArray] = (),
    place: Place | None = None,
) -> Sequence[Json]:
    """Load, and PV where modules are known, each by every method.

    Raises:
        ConfigError: too little is known for any.
    """
    found = []
    load = _series(rows, LOAD_W, calendar)
    if load is not None:
        outdoor = _series(rows, OUTDOOR_C, calendar)
        methods = load_methods(load, outdoor, calendar)
        found.append(_document("load", load, methods, calendar, when))
    made = _series(rows, PV_W, calendar, free=True)
    if made is not None and arrays:
        methods = pv_methods(arrays, place, calendar)
        found.append(_document("pv", made, methods, calendar, when))
    if not any(one["days"] for one in found):
        raise ConfigError(
            f"too little history: a backtest needs {FIRST_DAYS} days to learn from and whole days "
            "(no gap) after them, each with a whole day one and seven days before it"
        )
    return found


def calendar_of(zone: str, holidays: Sequence[str]) -> Calendar:
    """From words on a command line.

    Raises:
        ConfigError: there is no such zone, or a holiday makes no sense.
    """
    try:
        rules = tuple(holiday(text) for text in holidays)
        return Calendar(zone=ZoneInfo(zone), holidays=Holidays(rules=rules))
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise ConfigError(f"--zone or --holiday: {error}") from error


def of(
    data: Path | None, site: Path | None, sky: int | None, calendar: Calendar, when: When
) -> Sequence[Json]:
    """Of what is named; `calendar` is for a file without a site.

    Raises:
        ConfigError: nothing to test on is named, or too much.
    """
    if sky is not None and data is None and site is None:
        return of_sky(sky, when)
    if site is not None and sky is None:
        return of_site(site, data, when)
    if data is not None and sky is None:
        return of_file(data, calendar, when)
    raise ConfigError(
        "say what to test on: --data FILE, --site FILE (or both), --sky SEED, or --sessions FILE"
    )


def of_file(path: Path, calendar: Calendar, when: When) -> Sequence[Json]:
    """Of a CSV file."""
    return of_rows(csv_file.by_series(csv_file.read(path, calendar.zone)), calendar, when)


def of_site(site: Path, data: Path | None, when: When) -> Sequence[Json]:
    """Of a site's own history, or of a file about it."""
    settings = settings_of(site)
    ground = ground_of(settings)
    if data is None:
        with history_of(settings) as history:
            rows = asyncio.run(everything(history, (LOAD_W, PV_W, OUTDOOR_C)))
    else:
        rows = csv_file.by_series(csv_file.read(data, ground.calendar.zone))
    return of_rows(rows, ground.calendar, when, ground.arrays, ground.place)


def of_sky(seed: int, when: When) -> Sequence[Json]:
    """Of PV under the simulator's sun and clouds."""
    days = min(sim_sky.MOST_DAYS, FIRST_DAYS + when.days)
    made, calendar = sim_sky.made(seed, days), Calendar()
    methods = pv_methods([sim_sky.ARRAY], sim_sky.PLACE, calendar)
    return [_document("pv", made, methods, calendar, when)]


def _series(rows: Rows, name: str, calendar: Calendar, *, free: bool = False) -> Measured | None:
    """The series from the local midnight before its first quarter on."""
    found = rows.get(name)
    if not found:
        return None
    starts = [one.start for one in found]
    since = calendar.begins(calendar.day_of(min(starts)))
    return measured_of(found, since, max(starts) + QUARTER, free=free)


def _document(
    of: str, known: Measured, methods: Mapping[str, Ahead], calendar: Calendar, when: When
) -> Json:
    tested = backtest(
        known, methods, calendar, most_days=when.days, begin=when.begin, length=when.length
    )
    missing = float(np.isnan(known.values).mean())
    return {
        "of": of,
        "since": _local(known.start, calendar),
        "until": _local(known.end, calendar),
        "unknown_pct": round(100.0 * missing, 1),
        "asked": when.words,
        "days": len(tested.days),
        "first_day": str(tested.days[0]) if tested.days else None,
        "last_day": str(tested.days[-1]) if tested.days else None,
        "methods": list(_scores(tested)),
    }


def _local(at: datetime, calendar: Calendar) -> str:
    return at.astimezone(calendar.zone).isoformat(timespec="minutes")


def _scores(tested: Backtest) -> Iterator[Json]:
    """Best first."""
    for name, score in sorted(tested.scores.items(), key=lambda item: item[1].nmae_pct):
        yield {
            "method": name,
            "nmae_pct": round(score.nmae_pct, 2),
            "bias_pct": round(score.bias_pct, 2),
            "covered_pct": None if score.covered_pct is None else round(score.covered_pct, 1),
            "pinball_pct": None if score.pinball_pct is None else round(score.pinball_pct, 2),
        }


def lines(found: Sequence[Json]) -> Iterator[str]:
    """A table for people."""
    for one in found:
        yield (
            f"{one['of']}, {one['asked']}: {one['days']} whole days "
            f"{one['first_day']} .. {one['last_day']}; {one['unknown_pct']} % of quarters unknown"
        )
        yield f"  {'method':<42}{'nMAE %':>8}{'bias %':>8}{'P10-P90 holds %':>17}{'pinball %':>11}"
        methods = one["methods"]
        for row in methods if isinstance(methods, list) else ():
            cells = [row["nmae_pct"], row["bias_pct"], row["covered_pct"], row["pinball_pct"]]
            first, second, third, last = ("-" if cell is None else str(cell) for cell in cells)
            yield f"  {row['method']:<42}{first:>8}{second:>8}{third:>17}{last:>11}"
