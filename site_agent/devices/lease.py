"""A setpoint on loan: told again while the control loop lives, left to lapse once it is silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Generic[V]):
    """What a device holds on loan."""

    value: V
    expires_in_s: float
    """Until the device drops it, unless it is told again; infinite where it never does."""
    cause: str
    """Why it was asked for."""


class Lease(Generic[V]):
    """What the loop asked for, what the device was told, and when it must be told again.

    `valid_for_s` is the device's own timer: without a refresh the setpoint ends by itself. The
    adapter refreshes at a third of it, but only while the loop has asked within `patience_s`; so a
    dead loop leaves the device free after `patience_s + valid_for_s` at most, a dead process after
    `valid_for_s`. Times are seconds of a monotonic clock.
    """

    def __init__(self, *, valid_for_s: float, patience_s: float) -> None:
        self.valid_for_s = valid_for_s
        self._patience_s = patience_s
        self._asked: tuple[V, float] | None = None
        self._told: tuple[V, float] | None = None
        self._doubted = False
        self.cause = ""

    def ask(self, value: V, now_s: float, cause: str = "") -> bool:
        """The loop wants `value`, and why; returns whether the device must be told."""
        self._asked = (value, now_s)
        self.cause = cause
        return self._told is None or self._told[0] != value or self._due(now_s)

    def told(self, value: V, now_s: float) -> None:
        """The device holds `value`; `now_s` is when the telling began, for its timer ran since."""
        self._told = (value, now_s)
        self._doubted = False

    def doubt(self) -> None:
        """The device may have been told otherwise by somebody: tell it again at the next chance."""
        self._doubted = True

    def forget(self) -> None:
        """What the device holds is no longer known: the next `ask` tells it."""
        self._told = None

    def held(self, now_s: float) -> V | None:
        """What the device holds, None when that is unknown or has lapsed."""
        if self._told is None or now_s - self._told[1] > self.valid_for_s:
            return None
        return self._told[0]

    def terms(self, now_s: float) -> Terms[V] | None:
        """On what terms the device holds something; None as `held`."""
        if self._told is None or self.held(now_s) is None:
            return None
        value, told_s = self._told
        left_s = told_s + self.valid_for_s - now_s
        return Terms(value=value, expires_in_s=left_s, cause=self.cause)

    def refresh(self, now_s: float) -> V | None:
        """The value to tell again now, None when there is nothing to do."""
        if self._told is None or self._asked is None:
            return None
        value, asked_s = self._asked
        alive = now_s - asked_s <= self._patience_s
        return value if alive and self._due(now_s) else None

    def _due(self, now_s: float) -> bool:
        if self._told is None:
            return False
        return self._doubted or now_s - self._told[1] >= self.valid_for_s / 3
