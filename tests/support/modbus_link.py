"""A register link that runs while a test needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.clock import SystemClock
from site_agent.devices.modbus.link import Framing, LinkSettings, RegisterLink


@asynccontextmanager
async def linked(
    port: int, framing: Framing = Framing.TCP, timeout_s: float = 0.15, pace_s: float = 0.0
) -> AsyncIterator[RegisterLink]:
    """A running link."""
    settings = LinkSettings(
        host="127.0.0.1", port=port, framing=framing, timeout_s=timeout_s, pace_s=pace_s
    )
    link = RegisterLink(settings, SystemClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(link.run())
        try:
            yield link
        finally:
            running.cancel()
