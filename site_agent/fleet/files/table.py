"""From the bytes of a CSV file to rows by column name (RFC 4180, and what spreadsheets make of it).

Byte order marks, UTF-8, UTF-16 and Windows-1252; commas, semicolons or tabs between the cells.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from site_agent.fleet.files.faults import FileFaultsError, LineFault

MAX_BYTES = 1024 * 1024
MAX_LINES = 5_000
MAX_COLUMNS = 60
MAX_CELL = 2_000
_DELIMITERS = (";", "\t", ",")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line's cells, by their column's name as the file has it; empty ones are left out."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file's header and rows."""

    columns: Sequence[str]
    rows: Sequence[Row]
    delimiter: str


def read_table(data: bytes) -> Table:
    """The table in a file.

    Raises:
        FileFaultsError: it is too large, no text, has no header, or a line has too many cells.
    """
    if len(data) > MAX_BYTES:
        raise _whole(f"larger than {MAX_BYTES} bytes")
    text = _text(data)
    if "\0" in text:
        raise _whole("it holds NUL bytes, so it is no text")
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num, [cell.strip() for cell in cells]))
            if len(lines) > MAX_LINES:
                raise _whole(f"more than {MAX_LINES} lines")
    except csv.Error as error:
        raise FileFaultsError(
            [LineFault(line=reader.line_num, column="", detail=str(error))]
        ) from error
    if not lines:
        raise _whole("it is empty")
    return _checked(lines, delimiter)


def _checked(lines: list[tuple[int, list[str]]], delimiter: str) -> Table:
    (head_line, columns), *rest = lines
    if len(columns) > MAX_COLUMNS:
        raise _whole(f"more than {MAX_COLUMNS} columns")
    faults = [
        LineFault(line=head_line, column=name, detail="the column comes twice")
        for name in sorted({one for one in columns if one and columns.count(one) > 1})
    ]
    for line, cells in rest:
        if any(cells[len(columns) :]):
            detail = f"{len(cells)} cells, but the header has {len(columns)}"
            faults.append(LineFault(line=line, column="", detail=detail))
        if any(len(cell) > MAX_CELL for cell in cells):
            detail = f"a cell of more than {MAX_CELL} characters"
            faults.append(LineFault(line=line, column="", detail=detail))
    if faults:
        raise FileFaultsError(faults)
    rows = [
        Row(line=line, cells={n: c for n, c in zip(columns, cells, strict=False) if n and c})
        for line, cells in rest
    ]
    return Table(columns=[name for name in columns if name], rows=rows, delimiter=delimiter)


def _text(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise _whole(f"no {encoding} text: {error.reason}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _whole(detail: str) -> FileFaultsError:
    return FileFaultsError([LineFault(line=0, column="", detail=detail)])
