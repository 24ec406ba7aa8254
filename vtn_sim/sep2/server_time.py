"""The server's own clock, which may be wrong; all its times are by that clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.time import Clock


class ServerClock:
    """A clock that is `shift_s` seconds fast."""

    def __init__(self, clock: Clock, shift_s: float) -> None:
        self._clock = clock
        self.shift_s = shift_s

    def now(self) -> datetime:
        """What the server believes."""
        return self._clock.now() + timedelta(seconds=self.shift_s)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait at least this long."""
        await self._clock.sleep(seconds)


def whole(instant: datetime) -> datetime:
    """The second it lies in: what can be said in XML without telling of the future."""
    return instant.replace(microsecond=0)
