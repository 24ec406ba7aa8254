"""Webhooks on their way: what is queued lasts until it was delivered, or is too old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """One event for one endpoint."""

    endpoint: str
    event_id: str
    """The same in every attempt."""
    subject: str
    """Events of one subject are delivered in order."""
    at: datetime
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvent:
    """One that waits."""

    seq: int
    event_id: str
    subject: str
    at: datetime
    body: str
    tries: int


class WebhookQueue(Protocol):
    """Durable, in order."""

    async def state(self) -> str | None:
        """What `append` was last given as state."""
        ...

    async def append(self, events: Sequence[NewEvent], state: str) -> None:
        """Store events, and the state they lead to: both or neither.

        Raises:
            TransientError: the disk is full or the file is locked.
        """
        ...

    async def heads(self, endpoint: str, now: datetime, limit: int) -> Sequence[QueuedEvent]:
        """The first event of every subject, of those that are due, by number."""
        ...

    async def next_due(self, endpoint: str) -> datetime | None:
        """When the next first event of a subject is due; None: nothing waits."""
        ...

    async def delivered(self, seq: int) -> None:
        """It has been heard."""
        ...

    async def failed(self, seq: int, due_at: datetime) -> None:
        """It has not been heard; try again then."""
        ...

    async def drop(self, endpoint: str, before: datetime, most: int) -> int:
        """Forget events older than this, and the oldest beyond `most`; how many."""
        ...
