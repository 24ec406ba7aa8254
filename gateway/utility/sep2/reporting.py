"""What the utility is told without being asked each time: readings, DER information, alarms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from contracts.errors import TransientError
from contracts.time import Clock
from gateway.utility.sep2.alarms import Alarms
from gateway.utility.sep2.der_reporting import DerReporting
from gateway.utility.sep2.mirror import MirrorMetering
from gateway.utility.sep2.view import EMPTY, ServerView

_log = structlog.get_logger(__name__)
LOOK_EVERY_S = 5.0

Tell = Callable[[ServerView, datetime], Awaitable[None]]
Present = Callable[[], tuple[ServerView, datetime | None]]
"""The view as it is, and the server's time, None while that is not known."""


class Reporting:
    """Looks every few seconds at what is due. Each kind goes on when another is held up."""

    def __init__(
        self,
        metering: MirrorMetering,
        ders: DerReporting,
        alarms: Alarms,
        present: Present,
        clock: Clock,
    ) -> None:
        self._metering = metering
        self._ders = ders
        self._alarms = alarms
        self._present = present
        self._clock = clock

    async def restore(self) -> None:
        """Take up what a predecessor told; the outbox has been restored before."""
        await self._metering.restore()
        await self._ders.restore()
        self._alarms.restore()

    async def run(self) -> None:
        """Tell until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_telling("readings", self._metering.tell))
            tasks.create_task(self._keep_telling("der information", self._ders.tell))
            tasks.create_task(self._keep_telling("alarms", self._alarms.tell))

    async def _keep_telling(self, what: str, tell: Tell) -> None:
        while True:
            view, server_now = self._present()
            if server_now is not None and view is not EMPTY:
                try:
                    await tell(view, server_now)
                except TransientError as error:
                    _log.warning("sep2_report_postponed", what=what, error=str(error))
            await self._clock.sleep(LOOK_EVERY_S)
