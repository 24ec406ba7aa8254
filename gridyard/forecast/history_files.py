"""A site's history from and to files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import typer

from contracts.errors import ConfigError
from gridyard.forecast import csv_file
from gridyard.forecast.place import everything, ground_of, history_of, settings_of
from site_agent.domain.forecast.record import LOAD_W, OUTDOOR_C, PV_W

Json = Mapping[str, object]


def imported(file: Path, site: Path) -> Sequence[Json]:
    """Take a file into the history; one item a series.

    Raises:
        ConfigError: the file or the settings cannot be read.
        TransientError: the database is locked, or the disk is full.
    """
    settings = settings_of(site)
    calendar = ground_of(settings).calendar
    rows = csv_file.by_series(csv_file.read(file, calendar.zone))
    with history_of(settings, make=True) as history:
        stored = {name: asyncio.run(history.take(found)) for name, found in rows.items()}
    return [
        {
            "series": name,
            "quarters": len(found),
            "stored": stored[name],
            "since": found[0].start.astimezone(calendar.zone).isoformat(timespec="minutes"),
            "until": found[-1].start.astimezone(calendar.zone).isoformat(timespec="minutes"),
        }
        for name, found in rows.items()
    ]


def imported_lines(found: Sequence[Json]) -> Iterator[str]:
    """A line a series."""
    for one in found:
        quarters, stored = one["quarters"], one["stored"]
        kept = "" if quarters == stored else "; the agent had measured the others itself"
        yield (
            f"{one['series']}: {stored} of {quarters} quarters taken, {one['since']} .. "
            f"{one['until']}{kept}"
        )
    if not found:
        yield "the file holds no value"


def exported(site: Path, to: Path | None) -> None:
    """Write the history of load, PV and temperature.

    Raises:
        ConfigError: there is no history, or the file exists or cannot be written.
    """
    settings = settings_of(site)
    with history_of(settings) as history:
        rows = asyncio.run(everything(history, (LOAD_W, PV_W, OUTDOOR_C)))
    lines = csv_file.write(rows, ground_of(settings).calendar.zone)
    if to is None:
        for line in lines:
            typer.echo(line)
        return
    try:
        with to.open("x", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise ConfigError(f"{to}: cannot be written: {error}") from error
