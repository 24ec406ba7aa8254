"""Gets a vehicle going again that stays suspended after a pause. Pure.

Some chargers do not notice a higher limit after 0 A, some vehicles fall asleep. Only what charged
when it was paused is woken: a vehicle that is full was not charging.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

_PATIENCE = timedelta(seconds=60)
"""Between two steps, and before the first."""
_CHARGES_A = 1.0
_FULL_PCT = 99.5


class Step(Enum):
    """What to try next."""

    PROFILE = auto()
    """Tell the limit again."""
    CLEAR_AND_SET = auto()
    """Take the profile away and tell the limit anew."""
    REMOTE_START = auto()
    """Ask for the same transaction once more."""
    GIVE_UP = auto()
    """A person has to look."""


_LADDER = tuple(Step)


class Resume:
    """The ladder of one EVSE. Ask `step` now and then with what is known."""

    def __init__(self, min_current_a: float) -> None:
        self._min_a = min_current_a
        self.forget()

    def forget(self) -> None:
        """Another transaction, or none."""
        self._charged = self._paused = False
        self._next_at: datetime | None = None
        self._taken = 0

    @property
    def stuck(self) -> bool:
        """Whether every step was in vain."""
        return self._taken == len(_LADDER)

    @property
    def tried(self) -> bool:
        """Whether a step was needed in this pause."""
        return self._taken > 0

    def step(
        self, now: datetime, *, limit_a: float, drawn_a: float | None, soc_pct: float | None
    ) -> Step | None:
        """The step due at `now`, if any; `drawn_a` None: not measured."""
        if drawn_a is None:
            return None
        if drawn_a >= _CHARGES_A:
            self.forget()
            self._charged = True
            return None
        if limit_a < self._min_a:
            self._paused = self._paused or self._charged
            self._next_at = None
            return None
        if not self._paused or self.stuck or (soc_pct or 0.0) >= _FULL_PCT:
            return None
        if self._next_at is None:
            self._next_at = now + _PATIENCE
        if now < self._next_at:
            return None
        self._next_at = now + _PATIENCE
        self._taken += 1
        return _LADDER[self._taken - 1]
