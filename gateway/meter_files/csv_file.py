"""Meter data as CSV: a header, then a row an interval.

Columns: `start_utc`, `start` (with an offset, or on the wall of the site) or `start_local`;
`energy_wh` or `energy_kwh`; and if wanted `end` or `length_s`, `quality`, `issued_at`. Others are
passed over. With `;` between columns decimals may have a comma.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.errors import PermanentError
from gateway.domain.metering.issuing import Told
from gateway.domain.metering.stamps import instant
from gateway.meter_files.reading import (
    MOST_INTERVALS,
    ReadFile,
    Reading,
    Unread,
    bounded,
    quality_of,
)

_UTC = ZoneInfo("UTC")
_STARTS = ("start_utc", "start", "start_local")
_ENERGIES: Mapping[str, float] = {"energy_wh": 1.0, "energy_kwh": 1000.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    start: str
    energy: str
    comma: bool

    @property
    def zone(self) -> ZoneInfo | None:
        return _UTC if self.start == "start_utc" else None


def read_csv(data: bytes, reading: Reading) -> ReadFile:
    """A file's intervals; a row that cannot be read is told and holds up no other.

    Raises:
        PermanentError: it is no such file, or has too many rows.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PermanentError(f"the file is not UTF-8, at byte {error.start}") from error
    header = text.partition("\n")[0]
    comma = ";" in header and "," not in header
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if comma else ",")
    told: list[Told] = []
    unread: list[Unread] = []
    try:
        columns = _columns(rows.fieldnames or (), comma=comma)
        for number, row in enumerate(rows, 1):
            bounded(number)
            try:
                told.append(_told(row, columns, reading))
            except (ValueError, OverflowError) as error:
                unread.append(Unread(row=number, reason=str(error)))
    except csv.Error as error:
        raise PermanentError(f"row {len(told) + len(unread) + 1}: {error}") from error
    return ReadFile(told=tuple(told), unread=tuple(unread[:MOST_INTERVALS]))


def _columns(names: Sequence[str], *, comma: bool) -> _Columns:
    start = next((one for one in _STARTS if one in names), None)
    energy = next((one for one in _ENERGIES if one in names), None)
    if start is None or energy is None:
        had = ", ".join(repr(one[:40]) for one in names[:20]) or "nothing"
        raise PermanentError(
            "the first line must name the columns, among them start (or start_utc, start_local) "
            f"and energy_wh or energy_kwh; it has: {had}"
        )
    return _Columns(start=start, energy=energy, comma=comma)


def _told(row: Mapping[str | None, str | None], columns: _Columns, reading: Reading) -> Told:
    zone = columns.zone or reading.zone
    start = instant(row.get(columns.start) or "", zone)
    energy = _number(row.get(columns.energy) or "", comma=columns.comma)
    issued = (row.get("issued_at") or "").strip()
    return reading.told(
        start,
        None if energy is None else energy * _ENERGIES[columns.energy],
        length=_length(row, start, zone),
        quality=quality_of(row.get("quality") or ""),
        issued_at=instant(issued, _UTC) if issued else None,
    )


def _length(
    row: Mapping[str | None, str | None], start: datetime, zone: ZoneInfo
) -> timedelta | None:
    if end := (row.get("end_utc") or "").strip():
        return instant(end, _UTC) - start
    if end := (row.get("end") or "").strip():
        return instant(end, zone) - start
    seconds = _number(row.get("length_s") or "", comma=False)
    return None if seconds is None else timedelta(seconds=seconds)


def _number(text: str, *, comma: bool) -> float | None:
    said = text.strip()
    if not said:
        return None
    plain = said.replace(",", ".") if comma else said
    try:
        return float(plain.replace("_", "?"))  # Python reads 1_000 as a number
    except ValueError:
        raise ValueError(f"{said[:40]!r} is no number") from None
