"""The demo as a person starts it: one process, real sockets, told in JSON lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class RunningDemo:
    """`gridyard demo --quick --json` in a process of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.lines: list[Line] = []
        self._news = threading.Condition()
        self._errors = (data.parent / "stderr.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gridyard", "demo", "--quick", "--json", "--data", str(data)],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(
        self, kind: str, seconds: float, where: Callable[[Line], bool] = lambda _: True
    ) -> Line:
        """The first line of this kind, waiting for it if need be."""

        def found() -> Line | None:
            return next((n for n in self.lines if n["kind"] == kind and where(n)), None)

        with self._news:
            self._news.wait_for(lambda: found() or self.process.poll() is not None, seconds)
            line = found()
        assert line is not None, f"no {kind!r} from the demo within {seconds} s:\n{self.log()}"
        return line

    def all(self, kind: str) -> list[Line]:
        """Every line of this kind so far."""
        with self._news:
            return [line for line in self.lines if line["kind"] == kind]

    @property
    def url(self) -> str:
        """Base address of the dashboard."""
        return str(self.wait_for("dashboard", 60)["url"])

    def log(self) -> str:
        """What went to stderr, and the end of its log."""
        log = self.data / "demo.log"
        written = log.read_text() if log.exists() else ""
        return Path(self._errors.name).read_text() + written[-8000:]

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        self._reader.join(5)
        return code

    def close(self) -> None:
        """Whatever happened, leave nothing running."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._errors.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            with self._news:
                self.lines.append(json.loads(text))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()
