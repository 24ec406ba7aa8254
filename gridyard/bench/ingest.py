"""Telemetry ingest: our idempotent, acknowledged batches beside raw inserts into the same table."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts.reading import Quality
from contracts.site_link.messages import MAX_BATCH_ROWS, Batch, Measurement, NumberedRow
from gateway.store.database import Database
from gateway.store.telemetry import SqlTelemetry
from gridyard.bench.core import Bench, Row, at_most

_BATCHES = 100
_START = datetime(2026, 6, 1, tzinfo=UTC)


def _batches() -> list[Batch]:
    return [
        Batch(
            site_id="depot-1",
            epoch="e",
            rows=tuple(
                NumberedRow(seq=batch * MAX_BATCH_ROWS + n + 1, row=_row(batch, n))
                for n in range(MAX_BATCH_ROWS)
            ),
            sent_at=_START,
        )
        for batch in range(_BATCHES)
    ]


def _row(batch: int, n: int) -> Measurement:
    at = _START + timedelta(seconds=2 * (batch * 20 + n // 10))
    return Measurement(at=at, point=f"point-{n % 10}", value=float(n), quality=Quality.GOOD)


async def _ours(path: Path, batches: Sequence[Batch]) -> float:
    database = Database.open(path)
    store = SqlTelemetry(database, max_hold=timedelta(minutes=5))
    start = time.perf_counter()
    for batch in batches:
        await store.ingest(batch, _START)
    spent = time.perf_counter() - start
    database.close()
    return spent


def _raw(path: Path, batches: Sequence[Batch]) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE m (site TEXT, point TEXT, at INTEGER, value REAL, quality TEXT,"
        " PRIMARY KEY (site, point, at)) WITHOUT ROWID"
    )
    start = time.perf_counter()
    for batch in batches:
        rows = [
            (batch.site_id, r.row.point, int(r.row.at.timestamp() * 1e6), r.row.value, "good")
            for r in batch.rows
            if isinstance(r.row, Measurement)
        ]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR IGNORE INTO m VALUES (?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    spent = time.perf_counter() - start
    connection.close()
    return spent


def _run() -> Sequence[Row]:
    batches = _batches()
    rows = _BATCHES * MAX_BATCH_ROWS
    with tempfile.TemporaryDirectory() as folder:
        ours = asyncio.run(_ours(Path(folder) / "ours.sqlite", batches))
        raw = _raw(Path(folder) / "raw.sqlite", batches)
    spread = f"{rows / ours:,.0f} rows/s, raw {rows / raw:,.0f} rows/s"
    return [
        at_most(
            "ingest 100 batches of 200 rows, durable each",
            "µs/row",
            ours * 1e6 / rows,
            raw * 1e6 / rows,
            "sqlite3 executemany, same table and durability",
            6.0,
            spread,
        )
    ]


BENCH = Bench(
    name="ingest",
    about="telemetry batches into SQLite, acknowledged after commit",
    run=_run,
    packages=("sqlalchemy", "sqlmodel"),
)
