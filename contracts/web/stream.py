"""One stream of server-sent events a page: at most one update a second, ends when we stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

from fastapi.sse import ServerSentEvent

from contracts.errors import TransientError

PERIOD_S = 1.0


async def updates(
    look: Callable[[], Awaitable[Sequence[ServerSentEvent]]],
    stopping: asyncio.Event,
    period_s: float = PERIOD_S,
) -> AsyncIterator[ServerSentEvent]:
    """What `look` gives, at once and then every period, until `stopping` is set.

    While the store is busy nothing is sent, and the page says that its figures are frozen.
    """
    while not stopping.is_set():
        with suppress(TransientError):
            for event in await look():
                yield event
        with suppress(TimeoutError):
            async with asyncio.timeout(period_s):
                await stopping.wait()
