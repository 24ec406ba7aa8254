"""From a file to changes of the fleet: all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from site_agent.domain.fleet.facts import Change, Json, Source
from site_agent.domain.fleet.known import ConflictError, InvalidFactsError
from site_agent.fleet.files import cells
from site_agent.fleet.files.columns import meanings
from site_agent.fleet.files.faults import FileFaultsError, LineFault
from site_agent.fleet.files.table import Row, Table, read_table
from site_agent.fleet.trips import Trips, merged_trips
from site_agent.flows.fleet.roster import LiveRoster

_KILO = {"_kwh": "_wh", "_kw": "_w"}
_LISTS = ("id_tags", "evccids", "emaids")
_INSTANTS = ("arrives", "soc_at", "departs", "returns")
_TEXTS = ("vehicle_id", "vin", "group", "bay", "time_zone", "trip_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file has done, or (dry) would do."""

    rows: int
    trips: bool
    """It was a file of trips."""
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    dry_run: bool


@dataclass(slots=True)
class _Found:
    """What a file says, by vehicle."""

    values: dict[str, dict[str, Json]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    trips: dict[str, Trips] = field(default_factory=dict)


async def import_file(
    roster: LiveRoster, data: bytes, zone: str, now: datetime, *, dry_run: bool = False
) -> Imported:
    """Take a file of vehicles or of trips; `zone`: of times without an offset.

    Raises:
        FileFaultsError: with every fault, by line; nothing was taken.
        TransientError: it cannot be stored now; nothing was taken.
    """
    table = read_table(data)
    trips, columns = meanings(table.columns)
    found = _read(table, columns, zone, trips=trips)
    changes = [_change(roster, name, found, now, trips=trips) for name in found.values]
    try:
        moved = await roster.tell(changes, dry_run=dry_run)
    except InvalidFactsError as error:
        line = found.lines.get(error.vehicle_id, 0)
        raise FileFaultsError([
            LineFault(line=line, column=one.pointer.strip("/").partition("/")[0], detail=one.detail)
            for one in error.faults
        ]) from error  # fmt: skip
    except ConflictError as error:
        raise FileFaultsError([LineFault(line=0, column="", detail=str(error))]) from error
    return Imported(
        rows=len(table.rows),
        trips=trips,
        changed=tuple(sorted(moved)),
        unchanged=tuple(sorted(set(found.values) - moved)),
        dry_run=dry_run,
    )


def _read(table: Table, columns: Mapping[str, str], zone: str, *, trips: bool) -> _Found:
    found, faults = _Found(), list[LineFault]()
    for row in table.rows:
        told, wrong = _row(row, columns, table.delimiter, zone)
        name = told.pop("vehicle_id", None)
        if not isinstance(name, str) or len(name) > 60:  # noqa: PLR2004 (as in the settings)
            if wrong:
                faults += wrong
                continue
            wrong.append(LineFault(line=row.line, column="", detail="no vehicle_id"))
        elif trips:
            _add_trip(found, name, told, row.line, wrong)
        elif name in found.values:
            detail = f"{name!r} stands in line {found.lines[name]} already"
            wrong.append(LineFault(line=row.line, column="", detail=detail))
        else:
            found.values[name], found.lines[name] = told, row.line
        faults += wrong
    if faults:
        raise FileFaultsError(faults)
    return found


def _add_trip(
    found: _Found, name: str, told: dict[str, Json], line: int, wrong: list[LineFault]
) -> None:
    told.pop("time_zone", None)
    if "departs" not in told and not wrong:
        wrong.append(LineFault(line=line, column="", detail="no departs"))
    told.setdefault("trip_id", f"{told.get('departs')}"[:16])
    found.values.setdefault(name, {})
    found.lines.setdefault(name, line)
    trips = found.trips.setdefault(name, [])
    if any(one["trip_id"] == told["trip_id"] for one in trips):
        detail = f"trip {told['trip_id']!r} of {name!r} comes twice"
        wrong.append(LineFault(line=line, column="", detail=detail))
    trips.append(told)


def _row(
    row: Row, columns: Mapping[str, str], delimiter: str, site_zone: str
) -> tuple[dict[str, Json], list[LineFault]]:
    named = {columns[name]: (name, text) for name, text in row.cells.items()}
    told: dict[str, Json] = {}
    faults: list[LineFault] = []
    try:
        zone = ZoneInfo(named.get("time_zone", ("", site_zone))[1])
    except (ZoneInfoNotFoundError, ValueError):
        detail = "no time zone such as Europe/Berlin"
        return told, [LineFault(line=row.line, column=named["time_zone"][0], detail=detail)]
    for meaning, (column, text) in named.items():
        try:
            name, value = _cell(meaning, text, zone, comma_separates=delimiter == ",")
            told[name] = value
        except ValueError as error:
            faults.append(LineFault(line=row.line, column=column, detail=str(error)))
    return told, faults


def _cell(meaning: str, text: str, zone: ZoneInfo, *, comma_separates: bool) -> tuple[str, Json]:
    """A cell's datum and value, in W and Wh."""
    for kilo, unit in _KILO.items():
        if meaning.endswith(kilo):
            name, value = _cell(
                meaning.removesuffix(kilo) + unit, text, zone, comma_separates=comma_separates
            )
            return name, round(1000.0 * value, 3) if isinstance(value, float) else value
    if text.lower() in cells.TAKEN_BACK and meaning not in ("vehicle_id", "departs"):
        return meaning, None
    if meaning in _TEXTS:
        return meaning, text
    if meaning in _LISTS:
        return meaning, cells.words(text)
    if meaning in _INSTANTS:
        return meaning, cells.instant(text, zone).isoformat()
    return meaning, _special(meaning, text, zone, comma_separates=comma_separates)


def _special(meaning: str, text: str, zone: ZoneInfo, *, comma_separates: bool) -> Json:
    if meaning == "departure":
        return cells.departure(text, zone)
    if meaning == "arrival":
        return cells.clock_time(text)
    if meaning == "days":
        return cells.weekdays(text)
    if meaning == "in_hours":
        return cells.hours(text, comma_separates=comma_separates)
    found = cells.number(text, comma_separates=comma_separates)
    return int(found) if meaning == "rank" and found.is_integer() else found


def _change(roster: LiveRoster, name: str, found: _Found, now: datetime, *, trips: bool) -> Change:
    told = dict(found.values[name])
    measured = told.pop("soc_at", None)
    if trips:
        entry = roster.entry(name)
        told["trips"] = merged_trips(entry, found.trips[name], now)
    return Change(
        vehicle_id=name,
        values=told,
        source=Source.CSV,
        at=now,
        measured_at=None if measured is None else datetime.fromisoformat(str(measured)),
    )
