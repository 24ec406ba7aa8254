"""The newest reading of every point of a device, each ageing at its own rate."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from contracts.reading import Quality, Reading
from site_agent.devices.freshness import Freshness
from site_agent.devices.points.vocabulary import POINTS

_AHEAD = timedelta(seconds=1)
"""No source tells of a time to come. Where one seems to, our clock was set back: what was told
before is forgotten, or whatever is told until then would count as late."""
DEFAULT_FRESHNESS = Freshness(stale_after=timedelta(seconds=5))


class PointBoard:
    """Filled by a source, read by a nature; asks for values, never gets a default."""

    def __init__(
        self,
        points: Iterable[str],
        now: datetime,
        freshness: Mapping[str, Freshness] | None = None,
    ) -> None:
        self._freshness = freshness or {}
        self._readings = {point: Reading.missing(now) for point in points}
        unknown = self._readings.keys() - POINTS.keys()
        if unknown:
            raise ValueError(f"no such points: {', '.join(sorted(unknown))}")
        self._told = 0
        self._telling = asyncio.Event()

    @property
    def points(self) -> tuple[str, ...]:
        """The points this device can show."""
        return tuple(self._readings)

    def put(
        self, point: str, value: float | None, at: datetime, quality: Quality = Quality.GOOD
    ) -> None:
        """A reading has come. No number, or one beyond all bounds, is INVALID; late ones fall."""
        if at < self._readings[point].at:
            return
        self._tell()
        bounds = POINTS[point]
        sound = value is not None and math.isfinite(value) and bounds.low <= value <= bounds.high
        self._readings[point] = (
            Reading(value=value, quality=quality, at=at)
            if sound
            else Reading.missing(at, Quality.INVALID)
        )

    def lose(self, at: datetime) -> None:
        """The device has said it is gone (a last will): nothing it told counts any more."""
        for point in self._readings:
            self._readings[point] = Reading.missing(at)
        self._tell()

    async def news(self, told: int = 0) -> int:
        """Return how often something has been told, once that is more than `told`.

        What a source puts without an await in between is told at once.
        """
        while self._told <= told:
            self._telling.clear()
            await self._telling.wait()
        return self._told

    def reading(self, point: str, now: datetime) -> Reading:
        """The reading as it must be taken at `now`; OFFLINE for a point the device has not got."""
        held = self._readings.get(point)
        if held is None:
            return Reading.missing(now)
        if held.at - now > _AHEAD:
            held = self._readings[point] = Reading.missing(now)
        return self._freshness.get(point, DEFAULT_FRESHNESS).at(held, now)

    def fresh(self, point: str, now: datetime) -> float | None:
        """The value if it may be used at `now`, else None."""
        reading = self.reading(point, now)
        return reading.value if reading.quality.usable else None

    def _tell(self) -> None:
        self._told += 1
        self._telling.set()
