"""Frames as they come: on the screen, and into a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from zoneinfo import ZoneInfo

import typer

from contracts.errors import ConfigError

if TYPE_CHECKING:
    from site_agent.devices.ocpp.operate.lines import Lines

Item = Mapping[str, Any]


class Screen:
    """Prints what a `trace` tells: readable, raw or JSON lines."""

    def __init__(self, *, raw: bool, as_json: bool) -> None:
        self._raw, self._as_json = raw, as_json
        self._lines: Lines | None = None

    def tell(self, item: Item) -> None:
        """Print one item."""
        if self._as_json:
            typer.echo(json.dumps(item))
        elif "header" in item:
            from site_agent.devices.ocpp.operate.lines import Lines

            self._lines = Lines(ZoneInfo(item["zone"]))
        elif "missed" in item:
            typer.echo(f"({item['missed']} frames missed: they came faster than they were read)")
        else:
            self._show(item["frame"])

    def _show(self, entry: Item) -> None:
        from site_agent.devices.ocpp.operate.recording import frame_of

        if self._raw:
            typer.echo(f"{entry['at']} {entry['direction']} {entry['text']}")
        elif self._lines is not None:
            typer.echo(self._lines.line(frame_of(entry)))


class Save:
    """Writes what a `trace` tells for `replay`."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.count = 0
        """Frames written."""

    def tell(self, item: Item) -> None:
        """Write one item; a reader of the file sees it at once."""
        line = item.get("header") or item.get("frame")
        if line is not None:
            self.count += "frame" in item
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


@contextmanager
def saving(path: Path) -> Iterator[Save]:
    """A new file, readable by its owner alone: it may hold id tags.

    Raises:
        ConfigError: it cannot be made, or is there already.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    with file:
        yield Save(file)
