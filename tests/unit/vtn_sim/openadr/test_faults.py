from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from contracts.openadr import codec
from contracts.openadr.payloads import (
    DistributeEvent,
    Poll,
    RequestEvent,
)
from contracts.testing import FakeClock
from vtn_sim.openadr.faults import Effect, FaultBook, OadrFaultSpec, Passing
from vtn_sim.openadr.habits import OadrHabits, rewritten
from vtn_sim.spec import EventSpec

T0 = FakeClock().now()
POLL = Passing(ven_id="ven-1", service="OadrPoll", received="oadrPoll", sent="oadrResponse")


def spec(effect: str = "empty", **content: Any) -> OadrFaultSpec:
    return OadrFaultSpec.model_validate({"effect": effect, **content})


@pytest.mark.parametrize(
    ("content", "strikes"),
    [
        ({}, True),
        ({"ven": "ven-1"}, True),
        ({"ven": "ven-2"}, False),
        ({"service": "OadrPoll"}, True),
        ({"service": "EiEvent"}, False),
        ({"received": "oadrPoll", "sent": "oadrResponse"}, True),
        ({"sent": "oadrDistributeEvent"}, False),
        ({"taken": False}, False),
    ],
)
def test_whom_a_fault_concerns(content: dict[str, Any], strikes: bool) -> None:
    book = FaultBook()
    book.add(spec(**content), T0)
    assert (book.strike(POLL, T0, taken=True) is not None) is strikes


def test_so_many_times_after_so_many_and_so_long() -> None:
    book = FaultBook()
    book.add(spec(skip=1, times=2), T0)
    hits = [book.strike(POLL, T0, taken=True) is not None for _ in range(5)]
    assert hits == [False, True, True, False, False]
    book.add(spec(for_s=10), T0)
    assert book.strike(POLL, T0 + timedelta(seconds=9.9), taken=True)
    assert book.strike(POLL, T0 + timedelta(seconds=10), taken=True) is None
    assert book.all(T0 + timedelta(seconds=10)) == ()
    book.add(spec(), T0)
    book.clear()
    assert book.all(T0) == ()


@pytest.mark.parametrize("content", [{"effect": "tampered"}, {"effect": "empty", "sent": "x"}])
def test_what_is_not_taken_has_no_answer_to_choose_by(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="not taken"):
        OadrFaultSpec.model_validate({**content, "taken": False})


@pytest.mark.parametrize("effect", get_args(Effect))
async def test_what_each_effect_does_to_the_answer_to_a_poll(world: Any, effect: str) -> None:
    """A VEN that checks everything believes only what the profile lets it believe."""
    believed = {"delay", "content-type", "wrong-ven-id", "wrong-request-id", "duplicate"}
    believed |= {"wrong-vtn-id", "out-of-order"}
    async with world(signed=True, poll_frequency_s=1000) as w:
        w.ven.poll_s = 1e6
        await w.clock.advance(1)
        await w.ven.send("EiEvent", RequestEvent(request_id="e", ven_id="ven-1"))
        w.vtn.events.owe("ven-1")
        fault = spec(effect, delay_s=0, size_bytes=2 << 20)
        w.vtn.faults.add(fault, w.clock.now())
        answer = await _advancing(w, w.ven.send("OadrPoll", Poll(ven_id="ven-1")))
        assert (answer is not None) is (effect in believed)
        w.vtn.faults.clear()
        if effect not in believed or effect == "duplicate":
            again = await w.ven.send("OadrPoll", Poll(ven_id="ven-1"))
            assert isinstance(again, DistributeEvent)


async def _advancing(world: Any, work: Any) -> Any:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        await world.clock.advance(1)
    return task.result()


HABITS = ["lower_case_simple", "empty_test_event", "zoneless_instants"]


@pytest.mark.parametrize("habit", [*HABITS, "unqualified_schema_version"])
async def test_habits_change_the_text_and_can_be_read(world: Any, habit: str) -> None:
    signals = [{"name": "SIMPLE", "type": "level", "intervals": [{"duration_s": 60, "value": 1}]}]
    async with world(habits={habit: True}) as w:
        await w.clock.advance(1)
        event = EventSpec.model_validate({"signals": signals})
        w.vtn.events.add(event, w.clock.now() + timedelta(minutes=10), w.clock.now())
        batch = w.vtn.distribute(w.vtn.registry.ven("ven-1"), "")
        plain = codec.encode(batch)
        data = rewritten(plain, w.vtn.habits)
        assert data != plain
        received = codec.receive(data)
        assert isinstance(received.payload, DistributeEvent)
        assert len(received.tolerances) == 1
    assert rewritten(plain, OadrHabits()) == plain


async def test_one_message_a_period(world: Any) -> None:
    habits = {"one_message_a_period": True}
    async with world(poll_frequency_s=10, habits=habits) as w:
        w.ven.poll_s = 1e6
        await w.clock.advance(1)
        for _ in range(2):
            w.vtn.ask_reregistration("ven-1")
        kinds = []
        for _ in range(3):
            answer = await w.ven.send("OadrPoll", Poll(ven_id="ven-1"))
            kinds.append(type(answer).__name__)
            await w.clock.advance(5)
        assert kinds == ["RequestReregistration", "Response", "RequestReregistration"]
