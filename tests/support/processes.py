"""Programs as real processes: started, watched, killed; none outlives the test that began it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from contracts import die_with_parent
from support.waiting import PATIENCE_S

LOOPBACK = "127.0.0.1"
_GRIDYARD = Path(sysconfig.get_path("scripts")) / "gridyard"
_LISTEN = "0A"  # a state in /proc/net/tcp

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], timeout_s: float = PATIENCE_S, what: str = "") -> Found:
    """What `look` finds as soon as it is true; AssertionError when it does not come in time."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what or look}"
        time.sleep(0.05)
    return found


class Program:
    """One `gridyard` program; every life appends to the same log."""

    def __init__(self, name: str, command: str, config: Path) -> None:
        self.name = name
        self.log_file = config.with_suffix(".log")
        self.family: set[int] = set()
        """Every process it ever was or had."""
        self._arguments = [str(_GRIDYARD), "--log-json", command, "--config", str(config)]
        self._process: subprocess.Popen[bytes] | None = None
        self._born_at = 0

    def start(self) -> None:
        """Start it; it dies with us, however we end."""
        assert not self.running, f"{self.name} runs already"
        self._born_at = self.log_file.stat().st_size if self.log_file.exists() else 0
        wrapper = [sys.executable, "-IS", die_with_parent.__file__, str(os.getpid())]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*wrapper, sys.executable, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.family.add(self._process.pid)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def children(self) -> set[int]:
        """Its descendants now."""
        found = set(_descendants(self.pid))
        self.family |= found
        return found

    def kill(self) -> None:
        """`kill -9`, of this one process alone; returns when it is gone."""
        assert self._process is not None
        self.children()
        self._process.kill()
        self._process.wait(10)

    def terminate(self) -> None:
        """Ask it to end."""
        if self.running:
            self.children()
            os.kill(self.pid, signal.SIGTERM)

    def exit_code(self, timeout_s: float = 15.0) -> int:
        """Wait for its end."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def end(self) -> None:
        """Whatever it takes."""
        if self._process is None:
            return
        self.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def output(self) -> str:
        """Everything this life has written."""
        with self.log_file.open("rb") as log:
            log.seek(self._born_at)
            return log.read().decode(errors="replace")

    def log(self, event: str) -> list[dict[str, Any]]:
        """This life's log records with this text."""
        lines = (_record(line) for line in self.output().splitlines())
        return [line for line in lines if line.get("event") == event]


def _record(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # it ended meanwhile
        for child in children:
            yield child
            yield from _descendants(child)


def alive(pids: Iterable[int]) -> dict[int, str]:
    """Those that still run, with their command lines; the dead awaiting burial do not count."""
    found = {}
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if state != "Z":
            found[pid] = b" ".join(words).decode()
    return found


def listening(ports: Iterable[int]) -> set[int]:
    """Those that anybody listens on."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = (row.split() for row in rows)
    return {int(f[1].rpartition(":")[2], 16) for f in fields if f[3] == _LISTEN} & set(ports)
