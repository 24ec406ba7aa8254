"""A clock that tests move by hand: no socket, no wall clock, no waiting."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
_MOST_TURNS = 50


class FakeClock:
    """`contracts.time.Clock` whose time moves only in `advance`.

    Only for code inside the event loop: threads and sockets do not follow it.
    """

    def __init__(self, start: datetime = _EPOCH) -> None:
        self._start = start
        self._now = start
        self._tie = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The pretended wall clock."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the pretended start."""
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved the clock this far."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=max(0.0, seconds))
        heapq.heappush(self._sleepers, (due, next(self._tie), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move the clock, waking every sleeper at its own instant, in order."""
        end = self._now + timedelta(seconds=seconds)
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not future.done():
                future.set_result(None)
            await self._settle()
        self._now = end
        await self._settle()

    @staticmethod
    async def _settle() -> None:
        """Let every runnable task run until all of them wait for something.

        The loop says what is ready, so a second takes a turn or two and not as many as might ever
        be needed. A task that never waits is left running after the most there may be.
        """
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        for _ in range(_MOST_TURNS):
            await asyncio.sleep(0)
            if not ready:
                return
