"""An answer that a person changes later reaches the VTN at once, and nothing is told twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.openadr import codec
from contracts.openadr.payloads import CreatedEvent, OptType, ResponseRequired
from contracts.testing import FakeClock
from gateway.domain.event import Opt
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.memory import Registration, Unsent, VenMemory
from gateway.utility.openadr.opts import VenOpts
from gateway.utility.openadr.outbox import VenOutbox
from support.openadr import START, DictMemory, RecordingIntake, distribution, oadr_event
from support.openadr_participation import Sites

REGISTRATION = Registration(ven_id="ven-1", registration_id="reg", vtn_id="VTN", poll_s=1.0)
KEY = "util/e1"


class World:
    """A VEN whose gateway leaves events to a person."""

    def __init__(self) -> None:
        self.memory, self.sites, self.intake = DictMemory(), Sites(), RecordingIntake()
        self.clock = FakeClock(START - timedelta(minutes=10))
        self.intake.opt, self.sites.opts[KEY] = Opt.OUT, Opt.OUT

    async def start(self) -> World:
        memory = VenMemory(self.memory, "util")
        self.outbox = VenOutbox(memory)
        await self.outbox.restore()
        shared: Any = {"participation": self.sites}
        self.answers = EventAnswers("util", self.intake, memory, self.clock, **shared)
        await self.answers.restore()
        self.opts = VenOpts("util", self.answers, self.sites, memory, self.outbox, self.clock)
        await self.opts.restore()
        return self

    async def hears(
        self, modification: int, wants: ResponseRequired = ResponseRequired.ALWAYS
    ) -> list[OptType]:
        event = replace(oadr_event(modification=modification), response_required=wants)
        answer = await self.answers.answer(distribution(event), REGISTRATION)
        return [] if answer is None else [one.opt_type for one in answer.event_responses]

    async def decided(self, opt: Opt) -> list[CreatedEvent]:
        """A person decides; what waits for the VTN then, which takes it."""
        self.sites.opts[KEY] = opt
        await self.opts.reconcile("ven-1")
        waiting = await VenMemory(self.memory, "util").all(Unsent)
        found = [codec.decode(one.xml.encode()) for one in waiting.values()]
        await VenMemory(self.memory, "util").drop(Unsent, waiting)
        await self.outbox.restore()
        return [one for one in found if isinstance(one, CreatedEvent)]


@pytest.fixture
async def world() -> World:
    return await World().start()


@pytest.mark.row("portfolio:A7")
async def test_a_later_yes_is_told_as_an_answer_to_the_same_modification(world: World) -> None:
    assert await world.hears(modification=0) == [OptType.OUT]
    assert await world.decided(Opt.OUT) == []
    (told,) = await world.decided(Opt.IN)
    (response,) = told.event_responses
    assert (response.event_id, response.modification_number) == ("e1", 0)
    assert (response.opt_type, response.code) == (OptType.IN, 200)
    assert response.request_id == distribution().request_id
    assert response.description == "as it stands now"
    assert await world.decided(Opt.IN) == []
    assert await world.hears(modification=0) == [OptType.IN], "the poll hears the same"
    assert (KEY, "told optIn since", "as it stands now") in world.intake.noted


async def test_each_change_of_mind_is_told_also_after_a_restart(world: World) -> None:
    await world.hears(modification=0)
    for opt in (Opt.IN, Opt.OUT, Opt.IN):
        (told,) = await world.decided(opt)
        assert told.event_responses[0].opt_type.value == opt.value
        await world.start()
    assert await world.decided(Opt.IN) == []


async def test_a_word_about_a_modification_the_utility_has_not_heard_of_waits(world: World) -> None:
    await world.hears(modification=0)
    world.sites.modifications[KEY] = 1
    assert await world.decided(Opt.IN) == []


async def test_who_wants_no_answer_gets_none(world: World) -> None:
    await world.hears(modification=0, wants=ResponseRequired.NEVER)
    assert await world.decided(Opt.IN) == []


async def test_a_yes_while_every_site_is_out_is_told_when_one_returns(world: World) -> None:
    await world.hears(modification=0)
    world.sites.out[KEY] = {"depot-1": "vans", "depot-2": "vans"}
    assert await world.decided(Opt.IN) == []
    world.sites.out[KEY] = {"depot-1": "vans"}
    (told,) = await world.decided(Opt.IN)
    assert told.event_responses[0].opt_type is OptType.IN


async def test_after_a_no_sites_that_leave_or_return_are_no_news(world: World) -> None:
    world.intake.opt = Opt.IN
    await world.hears(modification=0)
    (told,) = await world.decided(Opt.OUT)
    assert told.event_responses[0].opt_type is OptType.OUT
    world.sites.out[KEY] = {"depot-1": "vans"}
    assert await world.decided(Opt.OUT) == []
    world.sites.out[KEY] = {}
    assert await world.decided(Opt.OUT) == []
