"""A folder that other systems drop CSV files into: they are taken, and then put aside."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from contracts.errors import TransientError
from contracts.time import Clock
from site_agent.fleet.files.faults import FileFaultsError
from site_agent.fleet.files.importing import import_file
from site_agent.fleet.files.table import MAX_BYTES
from site_agent.flows.fleet.roster import LiveRoster

DONE, FAILED = "done", "failed"
_EVERY_S = 5.0
_MOST_KEPT = 200
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A file as it was at the last look; one that still grows is left alone."""

    size: int
    changed_ns: int


class DropFolder:
    """Takes `*.csv` of a folder.

    Afterwards they lie in `done` or, each with a `.txt` of its faults, in `failed`. A file counts
    once it has stayed the same from one look to the next.
    """

    def __init__(self, folder: Path, roster: LiveRoster, zone: str, clock: Clock) -> None:
        self._folder = folder
        self._roster = roster
        self._zone = zone
        self._clock = clock
        self._seen: dict[str, _Look] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except (OSError, TransientError) as error:
                _log.error("fleet files not taken", folder=str(self._folder), why=str(error))
            await self._clock.sleep(_EVERY_S)

    async def look(self) -> None:
        """Take what has not changed since the last look, the oldest first."""
        found = await asyncio.to_thread(self._files)
        for name, look in sorted(found.items(), key=lambda one: (one[1].changed_ns, one[0])):
            if self._seen.get(name) == look:
                await self._take(self._folder / name)
                found = {other: seen for other, seen in found.items() if other != name}
        self._seen = found

    def _files(self) -> dict[str, _Look]:
        found = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.lower().endswith(".csv") and entry.is_file(follow_symlinks=False):
                    stat = entry.stat(follow_symlinks=False)
                    found[entry.name] = _Look(size=stat.st_size, changed_ns=stat.st_mtime_ns)
        return found

    async def _take(self, path: Path) -> None:
        data = await asyncio.to_thread(_read, path)
        now = self._clock.now()
        try:
            done = await import_file(self._roster, data, self._zone, now)
        except FileFaultsError as error:
            _log.warning("fleet file refused", file=path.name, why=str(error)[:500])
            await asyncio.to_thread(_put_aside, path, FAILED, now, str(error))
            return
        _log.info("fleet file taken", file=path.name, rows=done.rows, changed=len(done.changed))
        await asyncio.to_thread(_put_aside, path, DONE, now, None)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _put_aside(path: Path, folder: str, now: datetime, faults: str | None) -> None:
    """Move a file out of the way, and forget the oldest of those that were moved before."""
    aside = path.parent / folder
    aside.mkdir(exist_ok=True)
    target = aside / f"{now:%Y%m%dT%H%M%S%f}-{path.name}"
    path.replace(target)
    if faults is not None:
        target.with_name(f"{target.name}.txt").write_text(faults + "\n", encoding="utf-8")
    kept = sorted(one for one in aside.iterdir() if one.is_file())
    for old in kept[:-_MOST_KEPT]:
        old.unlink(missing_ok=True)
