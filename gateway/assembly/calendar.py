"""The leader's calendar."""

from __future__ import annotations

import asyncio

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.flows.events.lifecycle import Lifecycle
from gateway.flows.nominating.calendar import NominationCalendar

_TICK_S = 1


async def keep_time(
    lifecycle: Lifecycle, nominations: NominationCalendar, stopping: asyncio.Event
) -> None:
    """Until `stopping` is set: one job a second; the stores fence whatever it brings about."""
    busy = asyncio.Lock()

    async def tick() -> None:
        async with busy:
            await lifecycle.tick()
            await nominations.tick()

    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.add_job(tick, "interval", seconds=_TICK_S, max_instances=1, coalesce=True)
    scheduler.start()
    try:
        await stopping.wait()
    finally:
        scheduler.pause()
        async with busy:  # a tick that is cut off would be logged as an error
            scheduler.shutdown(wait=False)
