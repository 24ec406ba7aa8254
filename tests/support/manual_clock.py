"""A clock whose seconds the test lets pass; sleeps take real time."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.clock import SystemClock


class ManualClock:
    """A `Clock` that stands still until `pass_s`."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._start = self._real.now()
        self._passed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        """Seconds that have passed."""
        return self._passed_s

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)

    def pass_s(self, seconds: float) -> None:
        """Let so much time pass."""
        self._passed_s += seconds
