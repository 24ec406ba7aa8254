"""A clock that can be made faster while it runs: real until something has happened, then quick."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.clock import SystemClock


class ShiftingClock:
    """A `Clock` that can be made faster while it runs."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._start = self._real.now()
        self._shown_s, self._since_s, self._speed = 0.0, self._real.monotonic(), 1.0

    def run_at(self, speed: float) -> None:
        self._shown_s, self._since_s = self.monotonic(), self._real.monotonic()
        self._speed = speed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._shown_s + (self._real.monotonic() - self._since_s) * self._speed

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds / self._speed)
