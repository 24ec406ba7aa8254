"""A small word for structured concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


async def first_of(*work: Coroutine[object, object, object]) -> None:
    """Run all of them; when one returns, cancel the others and wait for them to end.

    Raises:
        BaseExceptionGroup: what any of them raised (catch with `except*`).
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
