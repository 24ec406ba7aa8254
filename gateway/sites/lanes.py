"""One lane per site: in order within a site, side by side between sites."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

_DEPTH = 32
"""Four times what an honest site has under way."""


class Lanes(Generic[Item]):
    """Hands items to `work(site_id, item)`; a slow site delays nobody but itself."""

    def __init__(
        self, group: asyncio.TaskGroup, work: Callable[[str, Item], Awaitable[None]]
    ) -> None:
        self._group = group
        self._work = work
        self._queues: dict[str, asyncio.Queue[Item]] = {}

    def put(self, site_id: str, item: Item) -> bool:
        """Queue an item; False when the site already has too many waiting."""
        queue = self._queues.get(site_id)
        if queue is None:
            queue = self._queues[site_id] = asyncio.Queue(_DEPTH)
            self._group.create_task(self._drain(site_id, queue))
        try:
            queue.put_nowait(item)
        except asyncio.QueueFull:
            return False
        return True

    async def _drain(self, site_id: str, queue: asyncio.Queue[Item]) -> None:
        while True:
            await self._work(site_id, await queue.get())
