"""Pictures of live values on a terminal, or as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import typer

from gridyard.device import words

if TYPE_CHECKING:
    from site_agent.devices.commissioning.live import Picture, Row

_HOME = "\x1b[H\x1b[J"
"""Cursor to the top, and the rest wiped."""


class Screen:
    """Shows the rows whose names are wanted; a terminal is painted over, a file is not."""

    def __init__(self, only: Sequence[str], *, as_json: bool) -> None:
        self._only = tuple(only)
        self._as_json = as_json

    def show(self, picture: Picture) -> None:
        """One picture."""
        rows = [row for row in picture.rows if self._wanted(row.name)]
        if self._as_json:
            told = {"at": picture.at.isoformat(), "trouble": picture.trouble}
            typer.echo(json.dumps(told | {"points": [row.as_dict(picture.at) for row in rows]}))
            return
        paint = _HOME if sys.stdout.isatty() else ""
        typer.echo(paint + "\n".join(_lines(picture, rows)))

    def _wanted(self, name: str) -> bool:
        return not self._only or any(fnmatchcase(name, one) for one in self._only)


def _lines(picture: Picture, rows: Sequence[Row]) -> Iterator[str]:
    yield f"{picture.at:%Y-%m-%d %H:%M:%S} UTC"
    if picture.trouble:
        yield f"! {picture.trouble}"
    device = None
    for row in rows:
        if row.device != device:
            device = row.device
            yield f"  {device}"
        yield f"    {_line(row, picture.at)}"


def _line(row: Row, now: datetime) -> str:
    told = words.value(row.value)
    shown = f"{told:<14}" if isinstance(row.value, str) else f"{told:>14}"
    age_s = (now - row.at).total_seconds()
    meaning = f"  ({row.meaning})" if row.meaning else ""
    when = f"{row.at:%H:%M:%S} {age_s:6.1f} s ago"
    return f"{row.name:<22} {shown} {row.unit:<5} {row.quality.value:<9} {when}{meaning}"
