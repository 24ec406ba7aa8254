"""A source that runs on a real link while a test needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.points.source import Source
from site_agent.ports import Device
from support.waiting import until


@asynccontextmanager
async def running(*devices: Device | Source) -> AsyncIterator[None]:
    """Run them; what they raise fails the test."""
    async with asyncio.TaskGroup() as tasks:
        runs = [tasks.create_task(device.run()) for device in devices]
        yield
        for run in runs:
            run.cancel()


async def read_all(source: Source, clock: Clock) -> Mapping[str, Reading]:
    """The first readings of all its points."""
    board = source.board

    def told() -> bool:
        readings = [board.reading(point, clock.now()) for point in board.points]
        return all(reading.quality is not Quality.OFFLINE for reading in readings)

    async with running(source):
        await until(told)
        return {point: board.reading(point, clock.now()) for point in board.points}
