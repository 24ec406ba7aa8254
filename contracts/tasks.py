"""A small word for structured concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


async def first_of(*work: Coroutine[object, object, object]) -> None:
    """Run all of them; when one returns, cancel the others and wait for them to end.

    Raises:
        BaseExceptionGroup: what any of them raised (catch with `except*`).
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            # Here, not while the group is left: a failure then would look like an order to end
            # (Python before 3.13: the group cancels its own task and does not take it back).
            await asyncio.wait(tasks)
    finally:
        heed_cancellation()


def heed_cancellation() -> None:
    """End this task if somebody has asked it to and the order got lost on the way.

    Python before 3.12 and 3.13 loses it in two places, and a loop that goes on after an error
    would then never end: `asyncio.wait_for`, on which nats-py, pymodbus and aiomqtt rest, returns
    or raises its own outcome when that comes together with the cancellation (cpython issue 86296);
    and a TaskGroup that is failing when its task is cancelled reports the failure alone. Call it
    after such an await, on the way of success and on the way of failure.

    Raises:
        asyncio.CancelledError: it is so.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
