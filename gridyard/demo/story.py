"""How the demo tells what happens: lines for people, or JSON lines for programs."""

from __future__ import annotations

import json
from datetime import datetime

import typer

from contracts.time import Clock


class Story:
    """Prints each happening with its time since the start."""

    def __init__(self, clock: Clock, *, as_json: bool) -> None:
        self._clock = clock
        self._as_json = as_json
        self.begun: datetime = clock.now()

    def elapsed_s(self) -> float:
        """Seconds since the demo began."""
        return (self._clock.now() - self.begun).total_seconds()

    def tell(self, kind: str, text: str, **facts: object) -> None:
        """One happening; `facts` go into the JSON line only."""
        elapsed = self.elapsed_s()
        if self._as_json:
            typer.echo(json.dumps({"t": round(elapsed, 1), "kind": kind, "text": text, **facts}))
        else:
            minutes, seconds = divmod(elapsed, 60.0)
            typer.echo(f"T+{int(minutes)}:{seconds:04.1f}  {text}")


def kw(power_w: float | None) -> str:
    """A power for people."""
    return "unknown" if power_w is None else f"{power_w / 1000.0:.0f} kW"
