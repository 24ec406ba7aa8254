"""Many readings at once, however often they are sent: the one way values are written.

Plain statements on the driver: with ORM objects a tenth as many rows a second were stored. On
PostgreSQL rows come in by COPY to a table of the connection's own and are merged from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from math import isfinite

from sqlalchemy import Connection
from sqlmodel import Session

from contracts.reading import Quality
from gateway.store.database import Database
from gateway.store.slot_blocks import drop_changed

StoredReading = tuple[str, str, int, float | None, str, int | None]
"""`site_id, point, at_us, value, quality, hold_us`, as the columns of `measurement`."""

ROWS_A_TRANSACTION = 50_000
"""Thousands of sites share the pages that one transaction writes and syncs; others wait for it a
fraction of a second."""
_COPY_FROM = 100
"""Fewer rows than this are inserted one by one on PostgreSQL, too."""
_COLUMNS = "site_id, point, at_us, value, quality, hold_us"
_TYPES = ("text", "text", "int8", "float8", "text", "int8")
_REPLACE = (
    " ON CONFLICT (site_id, point, at_us) DO UPDATE SET"
    " value = excluded.value, quality = excluded.quality, hold_us = excluded.hold_us"
)
_KEEP = " ON CONFLICT (site_id, point, at_us) DO NOTHING"
_INCOMING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS incoming_measurement"
    " (LIKE measurement) ON COMMIT DELETE ROWS"
)


class BulkTelemetry:
    """Readings from elsewhere than a site's outbox: an import, another database, a bench."""

    def __init__(self, database: Database) -> None:
        self._write = database.write

    async def put(self, readings: Iterable[StoredReading]) -> int:
        """Store readings, many thousand a transaction; how many were given.

        Sent again nothing changes; another value of the same instant replaces the one before. What
        is no number is kept as an invalid reading without a value.
        """
        given = 0
        rest = iter(readings)
        while some := tuple(islice(rest, ROWS_A_TRANSACTION)):
            await self._write(partial(put_readings, readings=some))
            given += len(some)
        return given


def put_readings(
    session: Session, readings: Sequence[StoredReading], *, replace: bool = True
) -> None:
    """Store readings in this transaction; of several at one instant the last one.

    Without `replace` a value that is there already stays. What is kept of slots that they change
    is dropped.
    """
    if readings:
        drop_changed(session, (row[:3] for row in readings))
        write_readings(session, readings, replace=replace)


def write_readings(
    session: Session, readings: Sequence[StoredReading], *, replace: bool = True
) -> None:
    """Store readings that change no integral: the same in another form (see `put_readings`)."""
    if not readings:
        return
    rows = _one_each(readings, replace=replace)
    connection = session.connection()
    conflict = _REPLACE if replace else _KEEP
    if connection.dialect.name == "postgresql":
        if len(rows) >= _COPY_FROM:
            _copy(connection, rows, conflict)
            return
        places = ", ".join(["%s"] * len(_TYPES))
    else:
        places = ", ".join(["?"] * len(_TYPES))
    statement = f"INSERT INTO measurement ({_COLUMNS}) VALUES ({places}){conflict}"  # noqa: S608
    connection.exec_driver_sql(statement, rows)


def _one_each(readings: Sequence[StoredReading], *, replace: bool) -> list[StoredReading]:
    """One row for each instant in order of the key, with what is no number taken out.

    In that order each page of the table is found once and not for every row.
    """
    ordered = readings if replace else reversed(readings)
    kept = {row[:3]: row for row in ordered}
    return [
        row
        if row[3] is None or isfinite(row[3])
        else (*row[:3], None, Quality.INVALID.value, row[5])
        for row in map(kept.__getitem__, sorted(kept))
    ]


def _copy(connection: Connection, rows: Sequence[StoredReading], conflict: str) -> None:
    connection.exec_driver_sql(_INCOMING)
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 (it has just run a statement)
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY incoming_measurement ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)
    connection.exec_driver_sql(
        f"INSERT INTO measurement ({_COLUMNS})"  # noqa: S608 (names of our own)
        f" SELECT {_COLUMNS} FROM incoming_measurement{conflict}"
    )
