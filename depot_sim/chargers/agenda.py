"""What a station has set itself to do later; its time passes with the physics, without tasks."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime

_MOST = 1000


class Agenda:
    """Bounded; when full, nothing more is taken on."""

    def __init__(self) -> None:
        self._todo: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, due: datetime, do: Callable[[], None]) -> None:
        """Do something at `due`, or at the first step after it."""
        if len(self._todo) < _MOST:
            heapq.heappush(self._todo, (due, next(self._order), do))

    def run_due(self, now: datetime) -> None:
        """Do what is due, in order."""
        while self._todo and self._todo[0][0] <= now:
            heapq.heappop(self._todo)[2]()
