"""Telemetry as Parquet files, one for each kind and UTC day, site after site: memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from contracts.errors import ConfigError
from contracts.time import Interval
from gateway.config import GatewaySettings
from gateway.store.database import Database
from gateway.store.exporting import KINDS, SqlExport

_DAY = timedelta(days=1)
_MOST_DAYS = 3700
_INTEGERS = {"at_us", "start_us", "issued_us", "received_us", "hold_us"}
_COUNTS = {"step_s", "length_s", "version"}
_FLOATS = {"value", "mean", "coverage", "energy_wh"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to export."""

    first: date
    last: date
    sites: tuple[str, ...]
    """Empty: all."""
    kinds: tuple[str, ...]

    def days(self) -> Iterator[tuple[date, Interval]]:
        """Every UTC day with its bounds."""
        for number in range((self.last - self.first).days + 1):
            day = self.first + number * _DAY
            yield day, Interval.lasting(datetime.combine(day, time(), tzinfo=UTC), _DAY)


def wanted(
    first: str, last: str, sites: Sequence[str] | None, kinds: Sequence[str] | None
) -> Wanted:
    """Understand the options.

    Raises:
        ConfigError: a day or a kind is none, or there are too many days or none.
    """
    try:
        since, until = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise ConfigError(f"--from, --to: {error}: write a day as 2026-06-01") from error
    if not 0 <= (until - since).days < _MOST_DAYS:
        raise ConfigError(f"--from {first} --to {last}: between 1 and {_MOST_DAYS} days")
    unknown = sorted(set(kinds or ()) - set(KINDS))
    if unknown:
        raise ConfigError(f"--kind {', '.join(unknown)}: there are {', '.join(KINDS)}")
    return Wanted(first=since, last=until, sites=tuple(sites or ()), kinds=tuple(kinds or KINDS))


async def export(settings: GatewaySettings, what: Wanted, folder: Path) -> list[dict[str, object]]:
    """Write the files; their paths with the rows of each.

    Raises:
        ConfigError: a site has nothing stored, the folder cannot be written, or pyarrow is missing.
    """
    database = Database.open(settings.database)
    try:
        store = SqlExport(database)
        known = await store.sites()
        unknown = sorted(set(what.sites) - set(known))
        if unknown:
            raise ConfigError(f"--site {', '.join(unknown)}: nothing is stored of it")
        _made(folder)
        written = []
        for kind in what.kinds:
            for day, window in what.days():
                path = folder / f"{kind}-{day}.parquet"
                rows = await _write(store, kind, what.sites or known, window, path)
                if rows:
                    written.append({"file": str(path), "kind": kind, "rows": rows})
        return written
    finally:
        database.close()


def lines(written: Sequence[dict[str, object]]) -> Iterator[str]:
    """The same for people."""
    yield from (f"{one['file']}: {one['rows']:,} rows" for one in written)
    if not written:
        yield "nothing is stored of these days"


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {folder}: cannot be made: {error}") from error


async def _write(
    store: SqlExport, kind: str, sites: Sequence[str], window: Interval, path: Path
) -> int:
    """One file, complete or not there at all; how many rows it has."""
    arrow, parquet = _libraries()
    schema = arrow.schema([(key, _type(arrow, key)) for key in KINDS[kind].table.c.keys()])  # noqa: SIM118
    part, rows = path.with_suffix(".part"), 0
    with ExitStack() as stack:
        writer: Any = None
        for site_id in sites:
            columns = await store.rows(kind, site_id, window)
            found = arrow.table(columns, schema=schema)
            if not found.num_rows:
                continue
            if writer is None:
                writer = stack.enter_context(
                    closing(parquet.ParquetWriter(part, schema, compression="zstd"))
                )
            writer.write_table(found)
            rows += found.num_rows
    if rows:
        part.replace(path)
    return rows


def _type(arrow: Any, column: str) -> Any:  # noqa: ANN401 (pyarrow has no types)
    """Instants stay whole microseconds since 1970, UTC; a length of time, too."""
    if column in _INTEGERS:
        return arrow.int64() if column == "hold_us" else arrow.timestamp("us", tz="UTC")
    if column in _COUNTS:
        return arrow.int32()
    return arrow.float64() if column in _FLOATS else arrow.string()


def _libraries() -> tuple[Any, Any]:
    try:
        import pyarrow  # noqa: PLC0415 (an extra)
        from pyarrow import parquet  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        raise ConfigError("Parquet files need the extra `parquet`: pip install pyarrow") from error
    return pyarrow, parquet
