"""The site's history on SQLite: quarter hours and stays, bounded, written in batches."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

import numpy as np

from site_agent.domain.forecast.course import Measured
from site_agent.domain.forecast.record import ENOUGH, QUARTER_S, QuarterMean
from site_agent.domain.forecast.stays import PastStay
from site_agent.store.database import Database

KEPT = timedelta(days=400)
"""A year and a month: the same season can be looked up."""
MAX_STAYS = 200_000
MAX_QUARTERS = 4_000_000
"""A hundred series for 400 days; some 200 MB."""
_AT_ONCE = 5_000
_ESTIMATED, _CURTAILED, _IMPORTED = 1, 2, 4
_Row = tuple[str, int, float, float, int]

# What this agent has measured is never replaced by a file; two parts of a quarter are joined.
_ADD = f"""INSERT INTO history_quarter VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    mean = CASE WHEN flags & {_IMPORTED} THEN excluded.mean ELSE
        (mean * covered_s + excluded.mean * excluded.covered_s)
        / MAX(covered_s + excluded.covered_s, 1e-9) END,
    covered_s = CASE WHEN flags & {_IMPORTED} THEN excluded.covered_s ELSE
        MIN(covered_s + excluded.covered_s, {QUARTER_S}) END,
    flags = CASE WHEN flags & {_IMPORTED} THEN excluded.flags ELSE flags | excluded.flags END"""  # noqa: S608 (our own constants)
_IMPORT = f"""INSERT INTO history_quarter VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    mean = excluded.mean, covered_s = excluded.covered_s, flags = excluded.flags
    WHERE flags & {_IMPORTED}"""  # noqa: S608 (our own constants)
_READ = """SELECT series, quarter, mean, covered_s, flags FROM history_quarter
    WHERE series = ? AND quarter >= ? AND quarter < ? ORDER BY quarter"""
_USABLE = """SELECT quarter, mean FROM history_quarter
    WHERE series = ? AND quarter >= ? AND quarter < ? AND covered_s >= ? AND NOT flags & ?"""
_STAY = "INSERT OR REPLACE INTO history_stay VALUES (?, ?, ?, ?, ?, ?, ?)"
_STAYS = """SELECT evse_id, arrived, left, vehicle_id, energy_wh, missing_wh, max_power_w
    FROM history_stay WHERE arrived >= ? AND arrived < ? ORDER BY arrived, evse_id"""
_OLD_QUARTERS = """DELETE FROM history_quarter WHERE (series, quarter) IN (
    SELECT series, quarter FROM history_quarter WHERE quarter < ? LIMIT ?)"""
_MORE_QUARTERS = """DELETE FROM history_quarter WHERE (series, quarter) IN (
    SELECT series, quarter FROM history_quarter ORDER BY quarter LIMIT ?)"""
_OLD_STAYS = """DELETE FROM history_stay WHERE (evse_id, arrived) IN (
    SELECT evse_id, arrived FROM history_stay WHERE arrived < ?
    UNION SELECT * FROM (
        SELECT evse_id, arrived FROM history_stay ORDER BY arrived LIMIT ?))"""


class SqliteHistory:
    """`site_agent.flows.forecast.history.HistoryStore`."""

    def __init__(self, database: Database, max_stays: int = MAX_STAYS) -> None:
        self._database = database
        self._max_stays = max_stays

    async def add(self, parts: Iterable[QuarterMean]) -> None:
        """Join parts of quarters to what is known of them; durable when it returns."""
        rows = [_row(part) for part in parts]
        await self._database.run(lambda c: c.executemany(_ADD, rows))

    async def take(self, quarters: Iterable[QuarterMean]) -> int:
        """Quarters from a file; how many were stored. What was measured here stands."""
        rows = [_row(one) for one in quarters]
        return await self._database.run(lambda c: c.executemany(_IMPORT, rows).rowcount)

    async def quarters(
        self, series: str, since: datetime, until: datetime
    ) -> Sequence[QuarterMean]:
        """Of one series what began in `[since, until)`, in order."""
        span = (series, _first_from(since), _first_from(until))
        found = await self._database.run(lambda c: c.execute(_READ, span).fetchall())
        return [_quarter(row) for row in found]

    async def measured(
        self, series: str, since: datetime, until: datetime, *, free: bool = False
    ) -> Measured:
        """The same as consecutive quarters, as `measured_of` has them, made in the thread."""
        return await self._database.run(lambda c: _measured(c, series, since, until, free=free))

    async def series(self) -> Sequence[str]:
        """The names of all series there are."""
        query = "SELECT DISTINCT series FROM history_quarter ORDER BY series"
        found = await self._database.run(lambda c: c.execute(query).fetchall())
        return [str(name) for (name,) in found]

    async def add_stay(self, stay: PastStay) -> None:
        """A vehicle has left; durable when it returns, the same again changes nothing."""
        row = (
            stay.evse_id,
            _seconds(stay.arrived),
            _seconds(stay.left),
            stay.vehicle_id,
            stay.energy_wh,
            stay.missing_wh,
            stay.max_power_w,
        )
        await self._database.run(lambda c: c.execute(_STAY, row))

    async def stays(self, since: datetime, until: datetime) -> Sequence[PastStay]:
        """Stays that began in `[since, until)`, by arrival."""
        span = (_seconds(since), _seconds(until))
        found = await self._database.run(lambda c: c.execute(_STAYS, span).fetchall())
        return [_stay(row) for row in found]

    async def prune(self, now: datetime) -> None:
        """Forget what is older than 400 days or too much, in small pieces."""
        before = now - KEPT
        while await self._database.run(lambda c: self._some(c, before)):
            pass

    def _some(self, connection: sqlite3.Connection, before: datetime) -> int:
        gone = connection.execute(_OLD_QUARTERS, (_number(before), _AT_ONCE)).rowcount
        (held,) = connection.execute("SELECT COUNT(*) FROM history_quarter").fetchone()
        if held > MAX_QUARTERS:
            gone += connection.execute(_MORE_QUARTERS, (_AT_ONCE,)).rowcount
        (stays,) = connection.execute("SELECT COUNT(*) FROM history_stay").fetchone()
        surplus = min(max(0, stays - self._max_stays), _AT_ONCE)
        return gone + connection.execute(_OLD_STAYS, (_seconds(before), surplus)).rowcount


def _measured(
    connection: sqlite3.Connection, series: str, since: datetime, until: datetime, *, free: bool
) -> Measured:
    first, count = _number(since), max(0, _number(until) - _number(since))
    refused = _CURTAILED if free else 0
    found = connection.execute(
        _USABLE, (series, first, first + count, ENOUGH * QUARTER_S, refused)
    ).fetchall()
    values = np.full(count, np.nan)
    if found:
        slots, means = zip(*found, strict=True)
        values[np.array(slots) - first] = means
    return Measured(start=since, values=values)


def _number(at: datetime) -> int:
    return int(at.timestamp() // QUARTER_S)


def _first_from(at: datetime) -> int:
    """The first quarter that begins at `at` or later."""
    return ceil(at.timestamp() / QUARTER_S)


def _seconds(at: datetime) -> int:
    return round(at.timestamp())


def _row(one: QuarterMean) -> _Row:
    flags = _ESTIMATED * one.estimated | _CURTAILED * one.curtailed | _IMPORTED * one.imported
    return (one.series, _number(one.start), one.mean, one.covered_s, flags)


def _quarter(row: _Row) -> QuarterMean:
    series, number, mean, covered_s, flags = row
    return QuarterMean(
        series=series,
        start=datetime.fromtimestamp(number * QUARTER_S, UTC),
        mean=mean,
        covered_s=covered_s,
        estimated=bool(flags & _ESTIMATED),
        curtailed=bool(flags & _CURTAILED),
        imported=bool(flags & _IMPORTED),
    )


def _stay(row: tuple[str, int, int, str, float, float, float]) -> PastStay:
    evse_id, arrived, left, vehicle_id, energy_wh, missing_wh, max_power_w = row
    return PastStay(
        vehicle_id=vehicle_id,
        evse_id=evse_id,
        arrived=datetime.fromtimestamp(arrived, UTC),
        left=datetime.fromtimestamp(left, UTC),
        energy_wh=energy_wh,
        missing_wh=missing_wh,
        max_power_w=max_power_w,
    )
