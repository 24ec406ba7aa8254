"""The newest frames of one charging station, as they went over the wire."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.time import Clock

_MOST, _MOST_CHARACTERS = 500, 256 * 1024
"""Kept of one station: hours of a quiet one, some forty minutes of one that meters every 10 s."""
LONGEST = 16_384
"""Characters of a frame that are kept."""


class Direction(StrEnum):
    """Which way a frame went; `LINK` tells of the connection itself."""

    IN = "in"
    OUT = "out"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Frame:
    """One WebSocket message, cut off after 16 384 characters; or `open VERSION`, `closed CODE`."""

    at: datetime
    direction: Direction
    text: str

    @property
    def cut(self) -> bool:
        """Whether it may have been longer."""
        return len(self.text) >= LONGEST


class Trace:
    """Keeps the newest frames and tells whoever listens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: deque[tuple[datetime, Direction, str | bytes]] = deque()
        self._characters = 0
        self.listeners: list[Callable[[Frame], None]] = []
        self.connected_at: datetime | None = None
        """Since when it is connected; None: it is not."""

    def opened(self, version: str) -> None:
        """A connection has begun."""
        self.connected_at = self._clock.now()
        self.note(Direction.LINK, f"open {version}")

    def closed(self, code: int, *, replaced: bool = False) -> None:
        """A connection is over; `replaced`: by a newer one."""
        if not replaced:
            self.connected_at = None
            self.note(Direction.LINK, f"closed {code}")

    def note(self, direction: Direction, message: str | bytes, at: datetime | None = None) -> None:
        """Keep a frame; made readable only for those who look. `at`: None: now."""
        if len(message) > LONGEST:
            message = message[:LONGEST]
        kept = (at or self._clock.now(), direction, message)
        self._kept.append(kept)
        self._characters += len(message)
        while len(self._kept) > _MOST or self._characters > _MOST_CHARACTERS:
            self._characters -= len(self._kept.popleft()[2])
        for tell in self.listeners:
            tell(_frame(*kept))

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Those kept, oldest first."""
        return tuple(_frame(*kept) for kept in self._kept)


def _frame(at: datetime, direction: Direction, message: str | bytes) -> Frame:
    """What we send is text as bytes; bytes that come in are a binary frame, shown as such."""
    if isinstance(message, str):
        return Frame(at, direction, message)
    if direction is Direction.OUT:
        return Frame(at, direction, message.decode(errors="replace"))
    return Frame(at, direction, repr(message)[:LONGEST])
