"""The dialect of a GX device, made after public documentation.

`N/<portal>/<service>/<instance>/<path>` says a value as it changes, as `{"value": x}`, never
retained, and only for 60 s after somebody has written to `R/<portal>/keepalive`, which also makes
it say everything (unless it asks for `suppress-republish`). `R/...` of a path, or of the beginning
of several, reads; `W/...` writes. Source: github.com/victronenergy/dbus-flashmq, README. Setpoints
of ESS mode 3 lapse after 60 s (www.victronenergy.com/live/ess:ess_mode_2_and_3).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.errors import ProtocolError
from depot_sim.mqtt.words import Facts, Message, Order

KEEPALIVE = timedelta(seconds=60)
SETPOINT_S = 60.0
GRID, VEBUS, BATTERY, PVINVERTER = "grid/30", "vebus/276", "battery/512", "pvinverter/20"
"""Service and instance of each device here."""
_MAX_BYTES = 4096


class GxWords:
    """A GX device with one device behind it; facts are named by their paths below the portal.

    `setpoints` are the paths that may be written, one a phase; an order is their sum.
    """

    def __init__(self, portal: str, setpoints: Sequence[str] = ()) -> None:
        self._portal = portal
        self._setpoints = dict.fromkeys(setpoints, 0.0)
        self._heard: datetime | None = None
        self._said: dict[str, float | None] = {}

    @property
    def will(self) -> Message | None:
        """None: it is missed, no more."""
        return None

    @property
    def wants(self) -> Sequence[str]:
        """Reads and writes."""
        return [f"R/{self._portal}/#", f"W/{self._portal}/#"]

    def births(self) -> Sequence[Message]:
        """Nothing."""
        return []

    def says(self, facts: Facts, now: datetime) -> Sequence[Message]:
        """What has changed, while somebody listens."""
        if self._heard is None or now - self._heard > KEEPALIVE:
            return []
        everything = self._everything(facts)
        news = {path: v for path, v in everything.items() if self._said.get(path, math.nan) != v}
        self._said = everything
        return [self._value(path, value) for path, value in news.items()]

    def order(self, topic: str, payload: bytes) -> Order | None:
        """A write of one phase's setpoint: the sum of all as it will be."""
        kind, path = self._split(topic)
        if kind != "W":
            return None
        if path not in self._setpoints:
            raise ProtocolError(f"nothing to write at {path[:100]!r}")
        phases = {**self._setpoints, path: _read(payload)}
        return Order(value=sum(phases.values()), valid_for_s=SETPOINT_S)

    def answers(
        self, topic: str, payload: bytes, facts: Facts, now: datetime, refusal: str
    ) -> Sequence[Message]:
        """To a read request or keep-alive; a write has none but the change it makes."""
        kind, path = self._split(topic)
        if kind == "W":
            self._setpoints[path] = self._setpoints[path] if refusal else _read(payload)
            return []
        everything = self._everything(facts)
        if path != "keepalive":
            wanted = [p for p in everything if p == path or p.startswith(f"{path}/")]
            return [self._value(p, everything[p]) for p in wanted]
        self._heard = now
        if b"suppress-republish" in payload:
            return []
        return [self._value(p, value) for p, value in everything.items()]

    def _everything(self, facts: Facts) -> dict[str, float | None]:
        return {**facts, **self._setpoints}

    def _value(self, path: str, value: float | None) -> Message:
        said = None if value is None else round(value, 3)
        return Message(topic=f"N/{self._portal}/{path}", payload=json.dumps({"value": said}))

    def _split(self, topic: str) -> tuple[str, str]:
        """R or W, and the path; all topics we hear are of our portal."""
        kind, _, rest = topic.partition("/")
        return kind, rest.removeprefix(f"{self._portal}/")


def _read(payload: bytes) -> float:
    try:
        value = json.loads(payload[:_MAX_BYTES])["value"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProtocolError('not {"value": x}') from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ProtocolError("no number")
    return float(value)
