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
        self._kept: deque[tuple[datetime, Direction, str]] = deque()
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

    def note(self, direction: Direction, message: str | bytes) -> None:
        """Keep a frame; a binary one as its representation."""
        text = message if isinstance(message, str) else repr(message[:LONGEST])
        if len(text) > LONGEST:
            text = text[:LONGEST]
        at = self._clock.now()
        self._kept.append((at, direction, text))
        self._characters += len(text)
        while len(self._kept) > _MOST or self._characters > _MOST_CHARACTERS:
            self._characters -= len(self._kept.popleft()[2])
        for tell in self.listeners:
            tell(Frame(at, direction, text))

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Those kept, oldest first."""
        return tuple(Frame(*kept) for kept in self._kept)
