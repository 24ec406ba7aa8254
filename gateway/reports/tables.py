"""Tables as files: CSV, Excel and Parquet, whatever they are about.

Text from outside is never a formula: in CSV such a cell gets an apostrophe before it, in Excel it
is written as a string (CWE-1236).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import xlsxwriter
from xlsxwriter.format import Format

from contracts.errors import PermanentError
from gateway.reports.locales import Style

Cell = str | int | float | Decimal | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHEET_NAME = 31
"""Characters a sheet's name may have."""
_WIDEST = 60
_EXACT_DIGITS = 15
"""Decimals of a number in Excel, which is a float; longer ones stay text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns and rows; None is an empty cell, unknown."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


def as_csv(table: Table, style: Style | None = None) -> bytes:
    """One table by RFC 4180, UTF-8; numbers with points, for machines.

    With a `style` for a spreadsheet of that country: its decimal sign, semicolons between cells
    where that sign is a comma, and a byte order mark by which Excel knows UTF-8.
    """
    out = io.StringIO()
    comma = style is not None and style.decimal == ","
    writer = csv.writer(out, lineterminator="\r\n", delimiter=";" if comma else ",")
    writer.writerow(table.columns)
    writer.writerows(tuple(_written(cell, comma) for cell in row) for row in table.rows)
    return out.getvalue().encode("utf-8" if style is None else "utf-8-sig")


def _written(cell: Cell, comma: bool) -> Cell:
    if comma and isinstance(cell, float | Decimal):
        return str(cell).replace(".", ",")
    return harmless(cell)


def as_xlsx(tables: Sequence[Table], created_at: datetime) -> bytes:
    """A workbook with a sheet for each table; the same tables give the same bytes."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": created_at.replace(tzinfo=None), "author": "Gridyard"})
        head = book.add_format({"bold": True, "bottom": 1})
        for table in tables:
            _sheet(book, head, table)
    return out.getvalue()


def as_parquet(table: Table) -> bytes:
    """One table with Zstandard compression; amounts of money stay decimals.

    Raises:
        PermanentError: pyarrow, which the extra `parquet` brings, is not installed.
    """
    try:
        import pyarrow  # noqa: PLC0415 (an extra: 170 MB few installations need)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise PermanentError("Parquet needs pyarrow: pip install 'gridyard[parquet]'") from error
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    data = {
        name: pyarrow.array(list(column))
        for name, column in zip(table.columns, columns, strict=True)
    }
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(data), out, compression="zstd")
    return out.getvalue()


def harmless(cell: Cell) -> Cell:
    """Text that a spreadsheet would run as a formula is made plain text; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _sheet(book: xlsxwriter.Workbook, head: Format, table: Table) -> None:
    sheet = book.add_worksheet(table.name[:_SHEET_NAME])
    sheet.freeze_panes(1, 0)
    for n, column in enumerate(table.columns):
        sheet.write_string(0, n, column, head)
        texts = [column, *(str(row[n]) for row in table.rows[:200])]
        sheet.set_column(n, n, min(_WIDEST, 2 + max(map(len, texts))))
    for k, row in enumerate(table.rows, 1):
        for n, cell in enumerate(row):
            if isinstance(cell, str) or len(str(cell)) > _EXACT_DIGITS:
                sheet.write_string(k, n, str(cell))
            elif cell is not None:
                sheet.write_number(k, n, float(cell))
