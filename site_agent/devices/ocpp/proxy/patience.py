"""Waiting for an answer, but not for long."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from contracts.tasks import heed_cancellation
from contracts.time import Clock

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Coroutine[object, object, T]) -> T | None:
    """What `work` returns, or None once it has taken longer and is cancelled. It must not raise."""
    async with asyncio.TaskGroup() as group:
        job, timer = group.create_task(work), group.create_task(clock.sleep(seconds))
        await asyncio.wait((job, timer), return_when=asyncio.FIRST_COMPLETED)
        late = not job.done()
        job.cancel()
        timer.cancel()
    heed_cancellation()
    return None if late else job.result()
