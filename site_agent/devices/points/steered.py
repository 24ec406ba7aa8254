"""What all natures with a setpoint share: they run, are judged, and let go at an orderly end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

from contracts.time import Clock
from site_agent.devices.points.control import Control
from site_agent.devices.points.nature import live
from site_agent.devices.points.source import Source


class Steered(ABC):
    """One source and the one control that a nature has of it."""

    def __init__(self, source: Source, setpoint: Control, clock: Clock) -> None:
        self._source = source
        self._setpoint = setpoint
        self._clock = clock

    @property
    def obeys(self) -> bool:
        """False while measured power stays away from the setpoint in force."""
        return self._setpoint.obeys

    async def run(self) -> None:
        """Read, and refresh the lease, until cancelled; the last setpoint is left to lapse."""
        await live(self._source, self._clock, heard=self._heard, upkeep=self._upkeep)

    async def close(self) -> None:
        """The agent ends in order: end a setpoint that the device would not end by itself."""
        await self._setpoint.close()

    async def _heard(self) -> None:
        now = self._clock.now()
        self._setpoint.judge(self._source.board.reading("active_power", now))
        self._notice(now)

    async def _upkeep(self) -> None:
        self._notice(self._clock.now())
        await self._setpoint.upkeep()

    @abstractmethod
    def _notice(self, now: datetime) -> None:
        """Wake the control loop when the device comes or goes, or needs another setpoint."""
