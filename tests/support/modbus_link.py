"""A register link that runs while a test needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.clock import SystemClock
from contracts.time import Clock
from site_agent.devices.modbus.link import Framing, LinkSettings, RegisterLink


@asynccontextmanager
async def linked(
    port: int,
    framing: Framing = Framing.TCP,
    timeout_s: float = 0.3,
    clock: Clock | None = None,
) -> AsyncIterator[RegisterLink]:
    """A running link to a socket on loopback."""
    settings = LinkSettings(host="127.0.0.1", port=port, framing=framing, timeout_s=timeout_s)
    async with running(settings, clock) as link:
        yield link


@asynccontextmanager
async def running(
    settings: LinkSettings, clock: Clock | None = None
) -> AsyncIterator[RegisterLink]:
    """A running link."""
    link = RegisterLink(settings, clock or SystemClock())
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(link.run())
        try:
            yield link
        finally:
            serving.cancel()
