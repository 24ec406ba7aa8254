"""Play the events of a scenario, each at its time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from contracts.time import Clock
from vtn_sim.config import ScenarioEvent
from vtn_sim.openadr.vtn import Vtn

_log = structlog.get_logger(__name__)


async def play(scenario: Sequence[ScenarioEvent], vtn: Vtn, clock: Clock) -> None:
    """Announce every event; returns after the last."""
    started = clock.now()
    async with asyncio.TaskGroup() as tasks:
        for event in scenario:
            tasks.create_task(_announce(event, vtn, clock, started))


async def _announce(event: ScenarioEvent, vtn: Vtn, clock: Clock, started: datetime) -> None:
    anchor = started
    if event.relative_to == "registration":
        await vtn.first_registration.wait()
        anchor = clock.now()
    notice_at = anchor + timedelta(seconds=event.notice_after_s)
    await clock.sleep((notice_at - clock.now()).total_seconds())
    start = whole_second(anchor + timedelta(seconds=event.start_after_s))
    added = vtn.events.add(event, start, clock.now())
    _log.info("vtn_event_announced", event_id=added.event_id, start=start.isoformat())


def whole_second(instant: datetime) -> datetime:
    """The next whole second: events begin on one."""
    rest = timedelta(microseconds=instant.microsecond)
    return instant if not rest else instant - rest + timedelta(seconds=1)
