"""A device that runs while a test looks at it, by a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.testing import FakeClock
from site_agent.ports import Device


@asynccontextmanager
async def living(device: Device, clock: FakeClock) -> AsyncIterator[None]:
    """Run it; what it raises fails the test."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(device.run())
        await clock.advance(0.0)
        yield
        running.cancel()
