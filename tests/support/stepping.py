"""Lets time pass for simulated hardware while a test looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from contracts.time import Clock

STEP_S = 0.2


class Stepped(Protocol):
    """Hardware that time passes for."""

    def step(self, now_s: float, dt_s: float) -> None: ...


@asynccontextmanager
async def stepping(clock: Clock, *devices: Stepped) -> AsyncIterator[None]:
    """Errors of a device fail the test."""
    async with asyncio.TaskGroup() as tasks:
        lives = [tasks.create_task(_live(device, clock)) for device in devices]
        try:
            yield
        finally:
            for life in lives:
                life.cancel()


async def _live(device: Stepped, clock: Clock) -> None:
    last_s = clock.monotonic()
    while True:
        await clock.sleep(STEP_S)
        now_s = clock.monotonic()
        device.step(now_s, now_s - last_s)
        last_s = now_s
