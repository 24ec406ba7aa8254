"""Polling on absolute deadlines: late polls are skipped, never made up for in a burst."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import structlog

from contracts.errors import GridyardError
from contracts.time import Clock
from site_agent.ports import Wake

_log = structlog.get_logger(__name__)


def next_deadline(last_s: float, period_s: float, now_s: float) -> float:
    """The first instant after `now_s` on the grid `last_s + n * period_s`, n >= 1."""
    return last_s + period_s * max(1, math.floor((now_s - last_s) / period_s) + 1)


class Poller:
    """Calls `poll` every `period_s` for ever.

    Whatever a device answers is its own trouble: every `GridyardError` is noted (one line when it
    begins to fail and one when it recovers, with a wake of the control loop) and polling goes on.
    """

    def __init__(
        self,
        name: str,
        poll: Callable[[], Awaitable[None]],
        *,
        period_s: float,
        clock: Clock,
        wake: Wake,
    ) -> None:
        self._name = name
        self._poll = poll
        self._period_s = period_s
        self._clock = clock
        self._wake = wake
        self.answers: bool | None = None
        """Whether the last poll succeeded; None before the first has ended."""

    async def run(self) -> None:
        """Poll until cancelled."""
        due_s = self._clock.monotonic()
        while True:
            await self._once()
            now_s = self._clock.monotonic()
            due_s = next_deadline(due_s, self._period_s, now_s)
            await self._clock.sleep(due_s - now_s)

    async def _once(self) -> None:
        try:
            await self._poll()
        except GridyardError as error:
            if self.answers is not False:
                _log.warning("device does not answer", device=self._name, why=str(error))
                self._change(answers=False)
        else:
            if not self.answers:
                _log.info("device answers", device=self._name)
                self._change(answers=True)

    def _change(self, *, answers: bool) -> None:
        self.answers = answers
        self._wake()
