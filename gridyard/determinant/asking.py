"""What `gridyard determinant` asks and tells a running gateway.

Raises:
    PermanentError: the gateway refuses, with its reason.
    TransientError: no gateway answers there.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from contracts.errors import ConfigError
from gridyard.at_gateway.asking import asked
from gridyard.at_gateway.asking import told as said

Json = dict[str, Any]
_COLUMNS = ("what", "subject", "value", "currency", "source")
_MOST_BYTES, _MOST_ROWS = 2_000_000, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One figure as it was written down."""

    what: str
    subject: str
    value: str
    currency: str
    source: str

    def document(self, program: str, by: str) -> Json:
        """For the gateway's API."""
        value = {"at": self.value} if self.what == "peak" else {"value": self.value}
        currency = {"currency": self.currency} if self.currency else {}
        about = {"program_id": program, "what": self.what, "subject": self.subject}
        return {**about, **value, **currency, "source": self.source, "told_by": by}


def every(url: str, program: str) -> list[Json]:
    """All that was told about a program."""
    query = urlencode({"program_id": program})
    return cast("list[Json]", asyncio.run(asked(url, f"determinants?{query}")))


def tell(url: str, program: str, by: str, told: Sequence[Told]) -> list[Json]:
    """Keep these; as they are kept."""
    body = [one.document(program, by) for one in told]
    return cast("list[Json]", asyncio.run(said(url, "determinants", body)))


def of_file(path: Path) -> list[Told]:
    """The figures of a CSV file.

    Raises:
        ConfigError: it cannot be read, or a row is not whole.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{path}: larger than {_MOST_BYTES} bytes")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not rows or len(rows) > _MOST_ROWS:
        raise ConfigError(f"{path}: 1 to {_MOST_ROWS} rows are needed below a header")
    return [_row(path, n, row) for n, row in enumerate(rows, 2)]


def lines(found: Sequence[Json]) -> Iterator[str]:
    """A line each."""
    if not found:
        yield "nothing was told"
    for one in found:
        since = "" if one["holds"] else ", replaced since"
        yield (
            f"{one['number']}  {one['what']} {one['subject']}: {one['figure']}  "
            f"({one['source']}; by {one['told_by']} at {one['told_at']}{since})"
        )


def _row(path: Path, number: int, row: dict[str, Any]) -> Told:
    missing = [name for name in _COLUMNS if not isinstance(row.get(name), str)]
    if missing:
        raise ConfigError(f"{path}, line {number}: columns are missing: {', '.join(missing)}")
    return Told(**{name: row[name].strip() for name in _COLUMNS})
