"""Requests evenly spread: however much has piled up, the server is not flooded."""

from __future__ import annotations

from contracts.time import Clock


class Pace:
    """At most `per_s` turns a second, in the order in which they were asked for."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        self._clock = clock
        self._gap_s = 1.0 / per_s
        self._free_at = clock.monotonic()

    async def turn(self) -> None:
        """Wait until it is the caller's turn."""
        now = self._clock.monotonic()
        mine = max(now, self._free_at)
        self._free_at = mine + self._gap_s
        if mine > now:
            await self._clock.sleep(mine - now)
