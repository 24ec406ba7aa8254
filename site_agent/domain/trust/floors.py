"""The least that the building may be taken at while a fall of it is not confirmed."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from site_agent.domain.trust.belief import Belief, Granted

Levels = tuple[float | None, ...]
"""W, then A of each phase; None: not measured."""
_SPACING = timedelta(seconds=0.4)
_NONE: Levels = (None, None, None, None)


class Floors:
    """The most of the last few seconds, of the power and of each phase."""

    def __init__(self) -> None:
        self._levels: deque[tuple[datetime, Levels]] = deque()
        self._most: Levels = _NONE

    def clear(self) -> None:
        """Forget: too much time has passed."""
        self._levels.clear()
        self._most = _NONE

    def add(
        self, at: datetime, within: timedelta, power_w: float, *phases_a: float | None
    ) -> float:
        """Take one more level and forget those older than `within`.

        Returns by how much the power's floor has fallen, W.
        """
        levels: Levels = (power_w, *phases_a)
        if self._levels and at - self._levels[-1][0] < _SPACING:
            begun, before = self._levels.pop()
            levels, at = _higher(levels, before), begun
        self._levels.append((at, levels))
        while at - self._levels[0][0] > within:
            self._levels.popleft()
        floor_w = self._most[0]
        self._most = _NONE
        for _, one in self._levels:
            self._most = _higher(self._most, one)
        return 0.0 if floor_w is None or self._most[0] is None else floor_w - self._most[0]

    def belief(self, most: Granted | None) -> Belief:
        """The floors as the room respects them."""
        power_w, one, two, three = self._most
        return Belief(floor_w=power_w, floor_a=(one, two, three), most=most)


def _higher(levels: Levels, others: Levels) -> Levels:
    return tuple(
        b if a is None else a if b is None else max(a, b)
        for a, b in zip(levels, others, strict=True)
    )
