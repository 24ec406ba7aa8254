"""A source that a test fills by hand, with a device behind it that takes setpoints, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from contracts.reading import Quality
from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.points.board import PointBoard


class HandSource:
    """A `Source` whose board the test fills."""

    def __init__(
        self, points: Iterable[str], clock: Clock, freshness: Mapping[str, Freshness] | None = None
    ) -> None:
        self._clock = clock
        self.board = PointBoard(points, clock.now(), freshness)
        self.answers = True

    async def run(self) -> None:
        await asyncio.Event().wait()

    def show(self, quality: Quality = Quality.GOOD, **values: float | None) -> None:
        """Readings of this instant."""
        for point, value in values.items():
            self.board.put(point, value, self._clock.now(), quality)


class HandControllable(HandSource):
    """A `Controllable` that notes what is written; `refuse` is raised instead, if set."""

    def __init__(
        self,
        points: Iterable[str],
        clock: Clock,
        freshness: Mapping[str, Freshness] | None = None,
        *,
        lapse_s: float | None = 30.0,
    ) -> None:
        super().__init__(points, clock, freshness)
        self.lapse_s = lapse_s
        self.refuse: Exception | None = None
        self.written: list[tuple[str, float | None]] = []

    async def write(self, control: str, value: float | None) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.written.append((control, value))
