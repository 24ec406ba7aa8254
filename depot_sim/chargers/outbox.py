"""Events waiting for the link, in order."""

from __future__ import annotations

import asyncio
import random
from collections import deque

from depot_sim.chargers.events import Event, Metered, TransactionEnded

_MOST_WAITING = 1000
_SWAPPED = 0.2
"""Share of neighbours out of order when samples are told late, beside the first two."""


class Outbox:
    """A bounded queue that forgets what is not worth telling late.

    With `keeps_samples` the samples of an outage wait apart, to be replayed.
    """

    def __init__(self, *, keeps_samples: bool = False) -> None:
        self._waiting: deque[Event] = deque(maxlen=_MOST_WAITING)
        self._late: deque[Metered] = deque(maxlen=_MOST_WAITING)
        self._keeps_samples = keeps_samples
        self._arrived = asyncio.Event()

    @property
    def waiting(self) -> tuple[Event, ...]:
        """Everything still to be told, oldest first."""
        return tuple(self._waiting)

    def holds(self, transaction_ref: str | None) -> bool:
        """Whether messages wait, of this transaction or (None) of any."""
        told = (getattr(event, "transaction", None) for event in self._waiting)
        return any(t is not None and transaction_ref in (None, t.ref) for t in told)

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
        if self._keeps_samples:
            self._late.extend(event for event in self._waiting if isinstance(event, Metered))
        durable = [event for event in self._waiting if event.durable]
        self._waiting.clear()
        self._waiting.extend(durable)

    def ends_first(self) -> bool:
        """Let the ends of transactions with an id be told first; whether there are any."""

        def comes_later(event: Event) -> bool:
            return not (isinstance(event, TransactionEnded) and event.transaction.ref)

        ordered = sorted(self._waiting, key=comes_later)
        self._waiting.clear()
        self._waiting.extend(ordered)
        return bool(ordered) and not comes_later(ordered[0])

    def take_late(self, dice: random.Random) -> list[Metered]:
        """The samples of the outage, roughly in order: the first two swapped, and some others."""
        late = list(self._late)
        self._late.clear()
        for place in range(len(late) - 1):
            if place == 0 or dice.random() < _SWAPPED:
                late[place], late[place + 1] = late[place + 1], late[place]
        return late
