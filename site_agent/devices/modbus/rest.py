"""Patience with a peer that does not answer, so that it cannot stall the others on its link."""

from __future__ import annotations

from contracts.time import Clock


class Rest:
    """Counts failures in a row; the n-th costs `step_s * (n - 1)` of silence, at most `cap_s`.

    The first failure costs nothing: one lost reply is ordinary and must not age a meter.
    """

    def __init__(self, clock: Clock, *, step_s: float, cap_s: float) -> None:
        self._clock = clock
        self._step_s = step_s
        self._cap_s = cap_s
        self._failures = 0
        self._until = 0.0

    def remaining_s(self) -> float:
        """Seconds until the peer may be asked again; 0 when it may be asked now."""
        return max(0.0, self._until - self._clock.monotonic()) if self._failures else 0.0

    def failed(self) -> None:
        """It did not answer, or answered with nonsense."""
        self._failures += 1
        pause_s = min(self._step_s * (self._failures - 1), self._cap_s)
        self._until = self._clock.monotonic() + pause_s

    def worked(self) -> None:
        """It answered."""
        self._failures = 0
