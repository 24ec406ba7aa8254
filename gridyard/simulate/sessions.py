"""Vehicles from a CSV file of sessions instead of drawn ones.

Columns: `arrival`, `departure` (ISO 8601 with offset, or local to the depot) and `required_kwh`
(or `requested_energy`, as ACN-Data has it, kWh). Others may be left out: `vehicle_id` (else
`session_id`), `evse_id` (else `station_id`, where the depot has such an EVSE), `max_ac_kw`,
`max_dc_kw`, `capacity_kwh`, `rank`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from contracts.errors import ConfigError
from contracts.time import as_utc
from depot_sim.physics.vehicle import Vehicle
from gridyard.simulate.night import Visit
from gridyard.simulate.scenario import Case

MAX_BYTES = 20_000_000
MAX_ROWS = 20_000
_EFFICIENCY = 0.92
_MOST_W = 1e7
_SPARE = 1.25
"""Battery over need where the file tells no capacity."""


def read(path: Path, case: Case) -> tuple[Visit, ...]:
    """The sessions that lie within the scenario's time.

    Raises:
        ConfigError: cannot be read, too large, or a row that makes no sense; names the line.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes")
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(_visits(path, csv.DictReader(file), case))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not rows:
        raise ConfigError(f"{path}: no session lies within the scenario's time")
    return tuple(rows)


def _visits(path: Path, rows: Iterator[Mapping[str, str]], case: Case) -> Iterator[Visit]:
    names: set[str] = set()
    for line, row in enumerate(rows, start=2):
        if line > MAX_ROWS:
            raise ConfigError(f"{path}: more than {MAX_ROWS} rows")
        try:
            visit = _visit(row, case, line)
        except (KeyError, ValueError) as error:
            raise ConfigError(f"{path}:{line}: {_words(error)}") from error
        if case.settings.begin <= visit.arrives and visit.departs <= case.end:
            if visit.visit_id in names:
                raise ConfigError(f"{path}:{line}: vehicle {visit.visit_id!r} comes twice")
            names.add(visit.visit_id)
            yield visit


def _visit(row: Mapping[str, str], case: Case, line: int) -> Visit:
    arrives, departs = _at(_any(row, "arrival"), case), _at(_any(row, "departure"), case)
    if departs <= arrives:
        raise ValueError("departure must lie after arrival")
    need_wh = _kilo(_any(row, "required_kwh", "requested_energy"))
    stored_wh = need_wh * _EFFICIENCY
    capacity_wh = max(1000.0, _kilo(row.get("capacity_kwh") or "0") or stored_wh * _SPARE)
    required_pct = min(100.0, 100.0 * min(stored_wh, capacity_wh) / capacity_wh)
    known = {spec.id for spec in case.site.chargers}
    evse = row.get("evse_id") or row.get("station_id") or ""
    name = row.get("vehicle_id") or row.get("session_id") or f"session-{line}"
    vehicle = Vehicle(
        id=name,
        id_tag=name[:20],
        capacity_wh=capacity_wh,
        soc_pct=0.0,
        max_ac_w=_kilo(row.get("max_ac_kw") or "7.2"),
        max_dc_w=_kilo(row.get("max_dc_kw") or "0"),
        taper_from_pct=95.0,
        efficiency=_EFFICIENCY,
        required_soc_pct=required_pct,
    )
    return Visit(
        vehicle=vehicle,
        expected=arrives,
        arrives=arrives,
        departs=departs,
        required_soc_pct=required_pct,
        rank=int(row.get("rank") or 0),
        evse_id=evse if evse in known else None,
        expected_wh=need_wh,
    )


def _any(row: Mapping[str, str], *names: str) -> str:
    for name in names:
        if row.get(name):
            return row[name]
    raise ValueError(f"column {names[0]!r} is missing or empty")


def _at(text: str, case: Case) -> datetime:
    at = datetime.fromisoformat(text)
    return as_utc(at if at.tzinfo is not None else at.replace(tzinfo=case.zone))


def _kilo(text: str) -> float:
    value = float(text) * 1000.0
    if not 0.0 <= value <= _MOST_W:
        raise ValueError(f"{text}: not between 0 and 10 000")
    return value


def _words(error: Exception) -> str:
    return f"column {error} is missing" if isinstance(error, KeyError) else str(error)
