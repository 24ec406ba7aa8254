"""Events waiting for the link, in order."""

from __future__ import annotations

import asyncio
from collections import deque

from depot_sim.chargers.events import Event

_MOST_WAITING = 1000


class Outbox:
    """A bounded queue that forgets what is not worth telling late."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque(maxlen=_MOST_WAITING)
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        """Append; when full, the oldest event is lost."""
        self._waiting.append(event)
        self._arrived.set()

    async def first(self) -> Event:
        """The oldest event, as soon as there is one; it stays until `done`."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting[0]

    def done(self, event: Event) -> None:
        """The event has been told, or never will be."""
        if self._waiting and self._waiting[0] is event:
            self._waiting.popleft()

    def keep_durable(self) -> None:
        """The link is lost: keep only what must still be told."""
        durable = [event for event in self._waiting if event.durable]
        self._waiting.clear()
        self._waiting.extend(durable)
