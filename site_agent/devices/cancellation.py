"""A cancellation that a library has swallowed, raised after all."""

from __future__ import annotations

import asyncio


def raise_if_cancelled() -> None:
    """Call after awaiting a library that uses `asyncio.wait_for`.

    On Python 3.11 it returns normally when its result comes in the same instant as a cancellation
    (cpython issue 86296, mended in 3.12), and a task that loops for ever would then never end.

    Raises:
        asyncio.CancelledError: this task has been asked to end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
