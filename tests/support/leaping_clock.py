"""Pretended time over real sockets: it stands still while there is work, and leaps otherwise.

Programs on both ends of a socket may live in one event loop. As soon as neither of them has
anything to do, nor the kernel anything to deliver, whoever sleeps next is woken. So hours pass in
no time, and however slow the machine is, nothing ever comes late.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import count
from typing import Any, ParamSpec, TypeVar

Asked = ParamSpec("Asked")
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
        return _Loop(self)

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


def leaping(
    test: Callable[Asked, Coroutine[Any, Any, None]],
) -> Callable[Asked, None]:
    """A test that is run by a clock of its own; it finds it by `leaping_clock`."""

    @wraps(test)
    def run(*args: Asked.args, **kwargs: Asked.kwargs) -> None:
        LeapingClock().run(test(*args, **kwargs))

    return run


def leaping_clock() -> LeapingClock | None:
    """The clock that runs whoever asks, if one does."""
    loop = asyncio.get_running_loop()
    return loop.clock if isinstance(loop, _Loop) else None


class _Loop(asyncio.SelectorEventLoop):
    """Knows how much is under way in threads."""

    def __init__(self, clock: LeapingClock) -> None:
        self.clock = clock
        self.in_threads = 0
        super().__init__(_IdleSelector(self))

    def run_in_executor(  # type: ignore[override]  # of any work
        self, executor: Any, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        """Time stands still until it is done."""
        work = super().run_in_executor(executor, func, *args)
        self.in_threads += 1
        work.add_done_callback(self._done)
        return work

    def _done(self, _: object) -> None:
        self.in_threads -= 1


class _IdleSelector(selectors.DefaultSelector):
    """Notices that the loop has nothing to do: no callback is ready, no socket and no thread."""

    def __init__(self, loop: _Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        ready = super().select(_QUIET_S)
        if not ready and not self._loop.in_threads:
            self._loop.clock.leap()
        return ready
