"""Waiting for something that only polling can see, with a deadline instead of a guess."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 60.0
"""How long a test waits for what must come. It costs nothing where it comes, and a machine that is
busy with something else must not look like a fault."""


async def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Return as soon as `condition` holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 (what is waited for here has no event)
            await asyncio.sleep(0.005)
