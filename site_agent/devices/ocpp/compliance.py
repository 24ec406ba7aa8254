"""Whether a charger follows its limits: judged by its meter, for `Accepted` proves nothing."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

_TOLERANCE_A = 1.0
_TOLERANCE = 0.05
_STRIKES = 2
"""Samples in a row: one may be a spike of the vehicle."""


class Compliance:
    """Compares measured current with the highest limit of the last `within` (its time to follow).

    So a charger is never blamed for being as slow as it may be, however often limits change.
    """

    def __init__(self, within: timedelta) -> None:
        self._within = within
        self._limits: deque[tuple[datetime, float]] = deque()
        self._strikes = 0

    @property
    def obeys(self) -> bool:
        """False after repeated measurements above the limit, until one is within it."""
        return self._strikes < _STRIKES

    def expect(self, limit_a: float, now: datetime) -> None:
        """Another limit is in force from now."""
        if not self._limits or self._limits[-1][1] != limit_a:
            self._limits.append((now, limit_a))

    def excuse(self) -> None:
        """No limit is in force."""
        self._limits.clear()
        self._strikes = 0

    def observe(self, current_a: float, at: datetime) -> bool:
        """Take a measurement; returns True when the charger has just become disobedient."""
        limits = self._limits
        while len(limits) > 1 and limits[1][0] <= at - self._within:
            limits.popleft()
        if not limits or at < limits[0][0] + self._within:
            return False
        limit_a = max(limit_a for _, limit_a in limits)
        obeyed = self.obeys
        excess = current_a > limit_a + max(_TOLERANCE_A, _TOLERANCE * limit_a)
        self._strikes = self._strikes + 1 if excess else 0
        return obeyed and not self.obeys
