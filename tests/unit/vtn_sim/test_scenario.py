from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from contracts.testing import FakeClock
from vtn_sim.config import ScenarioEvent
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.scenario import play, whole_second

SIGNALS = [{"intervals": [{"duration_s": 60, "value": -120.0}]}]


def event(**content: Any) -> ScenarioEvent:
    return ScenarioEvent.model_validate({"signals": SIGNALS, **content})


async def test_events_come_at_their_time(
    vtn: Vtn, clock: FakeClock, make_ven: Callable[..., Any]
) -> None:
    begun = clock.now()
    early = event(event_id="early", relative_to="start", notice_after_s=5, start_after_s=30)
    later = event(event_id="later", notice_after_s=20, start_after_s=45)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(play([later, early], vtn, clock))
        await clock.advance(4)
        assert not vtn.events.events
        await clock.advance(1)
        assert [e.event_id for e in vtn.events.events] == ["early"]
        assert vtn.events.event("early").start == begun + timedelta(seconds=30)
        await clock.advance(95)
        make_ven(vtn).register()
        await clock.advance(19)
        assert len(vtn.events.events) == 1
        await clock.advance(1)
        assert vtn.events.event("later").start == begun + timedelta(seconds=145)
        assert task.done()


def test_events_begin_on_a_whole_second() -> None:
    now = FakeClock().now()
    assert whole_second(now) == now
    assert whole_second(now + timedelta(microseconds=1)) == now + timedelta(seconds=1)
