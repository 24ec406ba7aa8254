"""What all natures share: a source that runs, is heard, and is judged able or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from contracts.errors import ConfigError
from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.points.board import PointBoard
from site_agent.devices.points.source import Controllable, Source
from site_agent.domain.device import Lapse
from site_agent.ports import Wake

UPKEEP_S = 1.0
_UPKEEPS_A_LAPSE = 6.0
_log = structlog.get_logger(__name__)


def require(source: Source, nature: str, *points: str) -> None:
    """Check that a source shows what a nature cannot do without; `a|b`: either will do.

    Raises:
        ConfigError: it does not.
    """
    shown = set(source.board.points)
    missing = [point for point in points if not shown & set(point.split("|"))]
    if missing:
        raise ConfigError(f"a {nature} must show {', '.join(missing)}")


def able(source: Source, now: datetime) -> bool:
    """Whether a device answers, is ready by its own word and not in fault.

    One that has a word for it but does not say it counts as not ready.
    """
    board = source.board
    ready = "online" not in board.points or board.fresh("online", now) == 1.0
    sound = "fault" not in board.points or board.fresh("fault", now) == 0.0
    return source.answers and ready and sound


def answered(reading: Reading) -> bool:
    """Whether a reading is of the present, be it a value or a word of not knowing."""
    return reading.quality not in (Quality.STALE, Quality.OFFLINE)


def lapse_of(source: Source, configured: Lapse) -> Lapse:
    """Whether setpoints end by themselves; an operator's word that they do not stands."""
    if configured is Lapse.NONE or not isinstance(source, Controllable) or source.lapse_s is None:
        return Lapse.NONE
    return Lapse.DEVICE


class Edge:
    """Wakes the control loop when a device comes or goes."""

    def __init__(self, name: str, wake: Wake) -> None:
        self._name = name
        self._wake = wake
        self._before: tuple[object, ...] | None = None

    def see(self, *state: object) -> None:
        """The device's state now; the first element says whether it is online."""
        if state == self._before:
            return
        if self._before is None or self._before[0] != state[0]:
            _log.info("device status", device=self._name, online=state[0])
        self._before = state
        self._wake()


async def live(
    source: Source,
    clock: Clock,
    *,
    heard: Callable[[], Awaitable[None]],
    upkeep: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run a source until cancelled: `heard` at each of its news, `upkeep` about every second."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(source.run())
        tasks.create_task(_hear(source.board, heard))
        if upkeep is not None:
            tasks.create_task(_keep(clock, upkeep, _upkeep_s(source)))


def _upkeep_s(source: Source) -> float:
    lapse_s = source.lapse_s if isinstance(source, Controllable) else None
    return UPKEEP_S if lapse_s is None else min(UPKEEP_S, lapse_s / _UPKEEPS_A_LAPSE)


async def _hear(board: PointBoard, heard: Callable[[], Awaitable[None]]) -> None:
    told = 0
    while True:
        told = await board.news(told)
        await heard()


async def _keep(clock: Clock, upkeep: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        await clock.sleep(every_s)
        await upkeep()
