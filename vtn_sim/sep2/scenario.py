"""Play the steps of a scenario, each at its time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from contracts.errors import PermanentError
from contracts.time import Clock
from vtn_sim.sep2.actions import ScenarioStep
from vtn_sim.sep2.director import Director
from vtn_sim.sep2.utility import Utility

_log = structlog.get_logger(__name__)


async def play(
    steps: Sequence[ScenarioStep], utility: Utility, director: Director, clock: Clock
) -> None:
    """Do every step; returns after the last. One that is not possible is logged and left out."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_from_anchor("start", steps, utility, director, clock))
        tasks.create_task(_from_anchor("contact", steps, utility, director, clock))


async def _from_anchor(
    anchor: str, steps: Sequence[ScenarioStep], utility: Utility, director: Director, clock: Clock
) -> None:
    """The steps of one anchor one after the other, in order of time."""
    if anchor == "contact":
        await utility.first_contact.wait()
    begun = clock.now()
    for step in sorted((s for s in steps if s.relative_to == anchor), key=lambda s: s.after_s):
        due = begun + timedelta(seconds=step.after_s)
        await clock.sleep((due - clock.now()).total_seconds())
        try:
            result = director.perform(step.do)
        except PermanentError as error:
            _log.error("sep2_step_failed", action=step.do.action, error=str(error))
        else:
            _log.info("sep2_step", action=step.do.action, result=result)
