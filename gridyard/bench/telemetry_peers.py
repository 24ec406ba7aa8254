"""The floors of the telemetry bench: the same rows by the bare drivers, sent once, unmerged."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from gateway.store.bulk import ROWS_A_TRANSACTION, StoredReading

_SQLITE = (
    "CREATE TABLE bare (site_id TEXT, point TEXT, at_us INTEGER, value REAL, quality TEXT,"
    " hold_us INTEGER, PRIMARY KEY (site_id, point, at_us)) WITHOUT ROWID"
)
_POSTGRES = (
    "CREATE TABLE bare (site_id varchar, point varchar, at_us bigint, value float8,"
    " quality varchar, hold_us bigint,"
    " PRIMARY KEY (site_id, point, at_us) INCLUDE (value, quality, hold_us))"
)
_TYPES = ("text", "text", "int8", "float8", "text", "int8")


def raw_sqlite(path: Path, rows: Sequence[StoredReading]) -> float:
    """Seconds of `sqlite3` alone: `executemany`, as durable, in as large transactions."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(_SQLITE)
    start = time.perf_counter()
    for first in range(0, len(rows), ROWS_A_TRANSACTION):
        connection.execute("BEGIN IMMEDIATE")
        some = rows[first : first + ROWS_A_TRANSACTION]
        connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?)", some)
        connection.execute("COMMIT")
    spent = time.perf_counter() - start
    connection.close()
    return spent


def raw_copy(address: str, rows: Sequence[StoredReading]) -> float:
    """Seconds of binary COPY alone into a table with the same index, in as large transactions."""
    with psycopg.connect(address) as connection:
        connection.execute(_POSTGRES)
        connection.commit()
        start = time.perf_counter()
        for first in range(0, len(rows), ROWS_A_TRANSACTION):
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy,
            ):
                copy.set_types(_TYPES)
                for row in rows[first : first + ROWS_A_TRANSACTION]:
                    copy.write_row(row)
            connection.commit()
        spent = time.perf_counter() - start
        connection.execute("DROP TABLE bare")
    return spent


def vacuum(address: str) -> None:
    """What the server does by itself some time after many rows came in."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) measurement")
