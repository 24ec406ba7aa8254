"""The last messages, raw, both ways: what a person looks at when two programs disagree."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Direction = Literal["received", "sent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it was on the wire."""

    number: int
    at: datetime
    direction: Direction
    service: str
    name: str
    """`oadrPoll`, or empty when it could not be told."""
    ven_id: str | None
    fault: str | None
    """Why it could not be read, or what the schema finds wrong with it."""
    xml: str


class Journal:
    """A bounded record of messages, numbered from 1."""

    def __init__(self, keep: int) -> None:
        self._messages: deque[Message] = deque(maxlen=keep)
        self._number = 0
        self._arrived = asyncio.Event()

    def add(
        self,
        direction: Direction,
        service: str,
        data: bytes,
        at: datetime,
        *,
        name: str = "",
        ven_id: str | None = None,
        fault: str | None = None,
    ) -> Message:
        """Record a message."""
        self._number += 1
        message = Message(
            number=self._number,
            at=at,
            direction=direction,
            service=service,
            name=name,
            ven_id=ven_id,
            fault=fault,
            xml=data.decode("utf-8", "replace"),
        )
        self._messages.append(message)
        self._arrived.set()
        self._arrived = asyncio.Event()
        return message

    async def newer(self, after: int, timeout_s: float) -> None:
        """Wait until there is a message numbered above `after`, at most so long."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._number <= after:
                    await self._arrived.wait()
        except TimeoutError:
            return

    def message(self, number: int) -> Message | None:
        """One message, unless it has gone."""
        return next((m for m in self._messages if m.number == number), None)

    def last(self, limit: int, after: int = 0) -> Sequence[Message]:
        """The newest messages numbered above `after`, oldest first."""
        newer = [m for m in self._messages if m.number > after]
        return newer[-limit:] if limit else []
