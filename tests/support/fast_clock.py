"""Real time, only faster: for leases and polls that would take minutes on real sockets."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.clock import SystemClock


class FastClock:
    """A `Clock` that runs `speed` times as fast as the real one."""

    def __init__(self, speed: float) -> None:
        self._real = SystemClock()
        self._speed = speed
        self._start = self._real.now()
        self._start_s = self._real.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return (self._real.monotonic() - self._start_s) * self._speed

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds / self._speed)
