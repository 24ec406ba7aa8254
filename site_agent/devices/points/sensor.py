"""A `Sensor` from any source: every point it shows, as it is.

When the agent dies nothing happens to a sensor; when the sensor dies its readings turn STALE and
vanish, each at its own age.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from contracts.reading import Reading
from contracts.time import Clock
from site_agent.devices.points.nature import Edge, live
from site_agent.devices.points.source import Source
from site_agent.devices.points.vocabulary import POINTS
from site_agent.ports import Wake

_ENDINGS = {"": "", "W/m2": "_w_m2", "degC": "_c"}


def quantity(point: str) -> str:
    """A point of the vocabulary with its unit at its end."""
    unit = POINTS[point].unit
    return point + _ENDINGS.get(unit, f"_{unit.lower()}")


class PointSensor:
    """Whatever is measured; the control loop is woken when a contact moves."""

    def __init__(self, source: Source, *, name: str, clock: Clock, wake: Wake) -> None:
        self._source = source
        self._clock = clock
        self._edge = Edge(name, wake)

    async def run(self) -> None:
        """Read until cancelled."""
        await live(self._source, self._clock, heard=self._notice, upkeep=self._notice)

    def readings(self, now: datetime) -> Mapping[str, Reading]:
        """The newest readings, aged to `now`, by their point's name and unit."""
        board = self._source.board
        return {quantity(point): board.reading(point, now) for point in board.points}

    async def _notice(self) -> None:
        contact = self._source.board.fresh("contact", self._clock.now())
        self._edge.see(self._source.answers, contact)
