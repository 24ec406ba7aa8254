"""The newest frames of one charging station, as they went over the wire."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.time import Clock

_KEPT = 500
_LONGEST = 16_384
"""Characters of a frame that are kept."""


class Direction(StrEnum):
    """Which way a frame went."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Frame:
    """One WebSocket message, cut off after 16 384 characters."""

    at: datetime
    direction: Direction
    text: str


class Trace:
    """Keeps the newest frames and tells whoever listens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._frames: deque[Frame] = deque(maxlen=_KEPT)
        self.listeners: list[Callable[[Frame], None]] = []

    def note(self, direction: Direction, message: str | bytes) -> None:
        """Keep a frame; a binary one as its representation."""
        text = message if isinstance(message, str) else repr(message[:_LONGEST])
        frame = Frame(self._clock.now(), direction, text[:_LONGEST])
        self._frames.append(frame)
        for tell in self.listeners:
            tell(frame)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Those kept, oldest first."""
        return tuple(self._frames)
