"""Past load, PV and temperature in a CSV file, read into quarter hours and written from them.

One row a step of up to an hour, named by its beginning: `start,load_kw,pv_kw,outdoor_c` (any of
the values may be missing; `_w` and `_f` serve as well). Without a heading the two columns are start
and load in kW. An empty cell, `nan` and `null` are not known. Times without a zone are the site's.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from statistics import median

from contracts.errors import ConfigError
from site_agent.domain.forecast.averaging import Averager
from site_agent.domain.forecast.record import LOAD_W, OUTDOOR_C, PV_W, QuarterMean
from site_agent.domain.horizon import QUARTER

MAX_BYTES = 200 << 20
_MAX_ROWS = 3_000_000
_LARGEST = 1e10
_UNKNOWN = {"", "nan", "null", "none", "na", "n/a", "-"}
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's series and how its unit becomes ours: `value * factor + offset`."""

    series: str
    factor: float = 1.0
    offset: float = 0.0


COLUMNS: Mapping[str, _Column] = {
    "load_kw": _Column(LOAD_W, 1000.0),
    "load_w": _Column(LOAD_W),
    "pv_kw": _Column(PV_W, 1000.0),
    "pv_w": _Column(PV_W),
    "outdoor_c": _Column(OUTDOOR_C),
    "outdoor_f": _Column(OUTDOOR_C, 5.0 / 9.0, -160.0 / 9.0),
}
WRITTEN = ("load_kw", "pv_kw", "outdoor_c")


def read(path: Path, zone: tzinfo) -> list[QuarterMean]:
    """Quarter hours of every series in the file, each with how much of it the file covers.

    Raises:
        ConfigError: it cannot be read, or a line makes no sense; the message names the line.
    """
    lines = csv.reader(io.StringIO(text_of(path)))
    try:
        rows = list(_rows(lines, zone, path))
    except csv.Error as error:
        raise ConfigError(f"{path}: line {lines.line_num}: {error}") from error
    if len(rows) < 2:  # noqa: PLR2004 (a step needs two)
        raise ConfigError(f"{path}: fewer than two rows of data")
    _refuse_turned_pv(rows, path)
    return _averaged(rows, _step(rows, path))


def by_series(found: Iterable[QuarterMean]) -> Mapping[str, Sequence[QuarterMean]]:
    """The same, each series by itself, by time."""
    rows: dict[str, list[QuarterMean]] = {}
    for one in sorted(found, key=lambda one: one.start):
        rows.setdefault(one.series, []).append(one)
    return rows


@dataclass(frozen=True, slots=True)
class _Row:
    at: datetime
    values: Sequence[tuple[str, float]]


def text_of(path: Path) -> str:
    """A whole file, unpacked, of bounded size.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            found = file.read(MAX_BYTES + 1)
        text = found.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if len(found) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES >> 20} MB: split it")
    return text


def _rows(lines: Iterable[Sequence[str]], zone: tzinfo, path: Path) -> Iterator[_Row]:
    columns: Sequence[_Column] | None = None
    before: datetime | None = None
    for number, cells in enumerate(lines, start=1):
        if not any(cell.strip() for cell in cells):
            continue
        if number > _MAX_ROWS:
            raise ConfigError(f"{path}: more than {_MAX_ROWS} lines: split it")
        where = f"{path}: line {number}"
        if columns is None:
            columns, heading = _heading(cells, where)
            if heading:
                continue
        if len(cells) != len(columns) + 1:
            raise ConfigError(f"{where}: {len(cells)} cells, not {len(columns) + 1}")
        at = _instant(cells[0], zone, before, where)
        values = [
            _value(cell, column, where) for cell, column in zip(cells[1:], columns, strict=True)
        ]
        before = at
        yield _Row(at, [one for one in values if one is not None])


def _heading(cells: Sequence[str], where: str) -> tuple[Sequence[_Column], bool]:
    """The columns, and whether this line names them."""
    names = [cell.strip().lower() for cell in cells]
    if names[0] in ("start", "time", "timestamp"):
        unknown = [name for name in names[1:] if name not in COLUMNS]
        if unknown or len(names) == 1:
            raise ConfigError(
                f"{where}: column {', '.join(unknown) or 'of values missing'}: name them start and "
                f"any of {', '.join(COLUMNS)}"
            )
        return [COLUMNS[name] for name in names[1:]], True
    if len(names) == 2:  # noqa: PLR2004 (start and load)
        return [COLUMNS["load_kw"]], False
    raise ConfigError(f"{where}: no heading: begin with start,{','.join(WRITTEN)}")


def _instant(cell: str, zone: tzinfo, before: datetime | None, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(cell.strip())
    except ValueError as error:
        raise ConfigError(f"{where}: {cell!r} is no time such as 2026-03-01T08:15") from error
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
        if before is not None and at.astimezone(UTC) <= before:
            at = at.replace(fold=1)  # the hour that comes twice, for the second time
    instant = at.astimezone(UTC)
    if before is not None and instant <= before:
        raise ConfigError(f"{where}: {cell.strip()} is not after the line before")
    return instant


def _value(cell: str, column: _Column, where: str) -> tuple[str, float] | None:
    if cell.strip().lower() in _UNKNOWN:
        return None
    try:
        value = float(cell)
    except ValueError as error:
        raise ConfigError(f"{where}: {cell.strip()!r} is no number") from error
    value = value * column.factor + column.offset
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise ConfigError(f"{where}: {cell.strip()!r} is out of any range")
    return column.series, value


def _refuse_turned_pv(rows: Iterable[_Row], path: Path) -> None:
    made = [value for row in rows for series, value in row.values if series == PV_W and value]
    if made and median(made) < 0.0:
        raise ConfigError(f"{path}: pv is generation: give it as positive numbers")


def _step(rows: Sequence[_Row], path: Path) -> timedelta:
    """What one row stands for: the usual distance of rows."""
    apart = (later.at - row.at for row, later in pairwise(rows))
    step = timedelta(seconds=median(one.total_seconds() for one in apart))
    if step > _HOUR or (step > QUARTER and step % QUARTER):
        raise ConfigError(f"{path}: rows are {step} apart: 15 min or less, 30 min or an hour serve")
    return step


def _averaged(rows: Sequence[_Row], step: timedelta) -> list[QuarterMean]:
    averager = Averager()
    pieces = max(1, step // QUARTER)
    for row in rows:
        for piece in range(1, pieces + 1):
            end = row.at + piece * (step / pieces)
            for series, value in row.values:
                known = max(0.0, value) if series == PV_W else value
                averager.add(series, end, known, step / pieces)
    return [replace(one, imported=True) for one in averager.drain()]


def write(rows: Mapping[str, Sequence[QuarterMean]], zone: tzinfo) -> Iterator[str]:
    """Lines of a file that `read` takes; times in the site's zone, with their offset."""
    yield ",".join(("start", *WRITTEN))
    by_start: dict[datetime, dict[str, float]] = {}
    for series, means in rows.items():
        for one in means:
            by_start.setdefault(one.start, {})[series] = one.mean
    for start, values in sorted(by_start.items()):
        cells = [start.astimezone(zone).isoformat(timespec="minutes")]
        for name in WRITTEN:
            column = COLUMNS[name]
            value = values.get(column.series)
            cells.append("" if value is None else f"{value / column.factor:.6g}")
        yield ",".join(cells)
