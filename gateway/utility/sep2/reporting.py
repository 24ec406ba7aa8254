"""What is done for a utility beside steering: its server looked after, kind by kind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

from contracts.errors import TransientError
from contracts.time import Clock
from gateway.utility.sep2.view import EMPTY, ServerView

_log = structlog.get_logger(__name__)
LOOK_EVERY_S = 5.0

Tell = Callable[[ServerView, datetime], Awaitable[None]]
Present = Callable[[], tuple[ServerView, datetime | None]]
"""The view as it is, and the server's time, None while that is not known."""


class Reporting:
    """Looks every few seconds at what is due. Each kind goes on when another is held up."""

    def __init__(self, kinds: Mapping[str, Tell], present: Present, clock: Clock) -> None:
        self._kinds = kinds
        self._present = present
        self._clock = clock

    async def run(self) -> None:
        """Tell until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for what, tell in self._kinds.items():
                tasks.create_task(self._keep_telling(what, tell))

    async def _keep_telling(self, what: str, tell: Tell) -> None:
        while True:
            view, server_now = self._present()
            if server_now is not None and view is not EMPTY:
                try:
                    await tell(view, server_now)
                except TransientError as error:
                    _log.warning("sep2_report_postponed", what=what, error=str(error))
            await self._clock.sleep(LOOK_EVERY_S)
