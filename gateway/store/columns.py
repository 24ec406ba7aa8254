"""A long series as arrays: for what reckons over months, far quicker than step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from contracts.time import Interval
from gateway.store.database import Database
from gateway.store.instants import micros

_QUERY = (
    "SELECT at_us, CASE WHEN quality IN ('good', 'estimated') THEN coalesce(value, {none})"
    " ELSE {none} END, coalesce(hold_us, -1)"
    " FROM measurement WHERE site_id = {mark} AND point = {mark} AND at_us >= {mark}"
    " AND at_us < {mark} ORDER BY at_us"
)
# SQLite has no NaN, but an infinity, which no stored value is.
_SQLITE = _QUERY.format(mark="?", none="9e999")
_POSTGRES = _QUERY.format(mark="%s", none="'Infinity'::float8")
_FOR_EVER = 1 << 62
_ROW = np.dtype([("at_us", np.int64), ("value", np.float64), ("hold_us", np.int64)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Values of one point in order of time, one entry each."""

    at_us: NDArray[np.int64]
    """Microseconds since 1970."""
    value: NDArray[np.float64]
    """NaN: none that may be used."""
    hold_us: NDArray[np.int64]
    """How long it holds; -1: until the next one."""


class SqlColumns:
    """Reads whole series; see `SqlTelemetry.series` for what a value means."""

    def __init__(self, database: Database) -> None:
        self._read = database.read

    async def columns(self, site_id: str, point: str, window: Interval) -> Columns:
        """What was measured inside a window."""
        start, end = micros(window.start), _FOR_EVER if window.end is None else micros(window.end)
        return await self._read(lambda session: read_columns(session, site_id, point, start, end))


def read_columns(session: Session, site_id: str, point: str, start_us: int, end_us: int) -> Columns:
    """Rows as the driver makes them, straight into arrays; from PostgreSQL as binary."""
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 (a transaction has begun on it)
    values = (site_id, point, start_us, end_us)
    if connection.dialect.name == "postgresql":
        with driver.cursor(binary=True) as cursor:
            rows = np.fromiter(cursor.execute(_POSTGRES, values), _ROW)
    else:
        rows = np.fromiter(driver.execute(_SQLITE, values), _ROW)
    value = rows["value"]
    return Columns(
        at_us=np.ascontiguousarray(rows["at_us"]),
        value=np.where(np.isinf(value), np.nan, value),
        hold_us=np.ascontiguousarray(rows["hold_us"]),
    )
