"""Pretended time over real sockets: it stands still while there is work, and leaps otherwise.

Programs on both ends of a socket may live in one event loop. As soon as neither of them has
anything to do, nor the kernel anything to deliver, whoever sleeps next is woken. So hours pass in
no time, and however slow the machine is, nothing ever comes late.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

Returned = TypeVar("Returned")
_STEP_S = 0.05
"""Whoever is to be woken within this much is woken together."""
_QUIET_S = 0.001
"""So long nothing may come, in real time."""


class LeapingClock:
    """A `Clock` for programs that are run by `run`."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or datetime.now(UTC)
        self._elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:  # what is done at one instant stays at one instant
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        due_s = self._elapsed_s + seconds
        heapq.heappush(self._sleepers, (due_s, next(self._order), woken))
        await woken

    def run(self, work: Coroutine[Any, Any, Returned]) -> Returned:
        """`asyncio.run` in this clock's time."""
        with asyncio.Runner(loop_factory=self._loop) as runner:
            return runner.run(work)

    def _loop(self) -> asyncio.SelectorEventLoop:
        return asyncio.SelectorEventLoop(_IdleSelector(self))

    def leap(self) -> None:
        """To the next sleeper, if there is one."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if not self._sleepers:
            return
        self._elapsed_s = max(self._elapsed_s, self._sleepers[0][0]) + _STEP_S
        while self._sleepers and self._sleepers[0][0] <= self._elapsed_s:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)


class _IdleSelector(selectors.DefaultSelector):
    """Notices that the loop has nothing to do: no callback is ready, and no socket."""

    def __init__(self, clock: LeapingClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        ready = super().select(_QUIET_S)
        if not ready:
            self._clock.leap()
        return ready
