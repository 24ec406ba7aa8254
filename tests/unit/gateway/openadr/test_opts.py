"""Sites leave events and come back, or are not available: what the VTN is told, also over kills."""

import itertools
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import TransientError
from contracts.openadr.payloads import CancelOpt, CreateOpt, OptType
from contracts.testing import FakeClock
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.memory import Registration, VenMemory
from gateway.utility.openadr.opts import VenOpts
from gateway.utility.openadr.outbox import VenOutbox
from gateway.utility.openadr.settings import UnavailableSettings
from support.openadr import START, DictMemory, RecordingIntake, distribution, oadr_event
from support.openadr_participation import FailingMemory, Killed, OptsHeard, Sites

REGISTRATION = Registration(ven_id="ven-1", registration_id="reg", vtn_id="VTN", poll_s=1.0)
KEY = "util/e1"
WHOLE: tuple[str, ...] = ()


class World:
    """A VEN that can be killed and born again, and a VTN that hears it."""

    def __init__(self, memory: DictMemory | None = None) -> None:
        self.memory = memory or DictMemory()
        self.clock = FakeClock(START - timedelta(minutes=10))
        self.sites = Sites()
        self.unavailable: list[UnavailableSettings] = []
        self.intake = RecordingIntake()
        self.vtn = OptsHeard()

    async def start(self) -> None:
        memory = VenMemory(self.memory, "util")
        outbox = VenOutbox(memory)
        await outbox.restore()
        self.answers = EventAnswers(
            "util", self.intake, memory, self.clock, participation=self.sites
        )
        await self.answers.restore()
        self.opts = VenOpts(
            "util", self.answers, self.sites, memory, outbox, self.clock, self.unavailable
        )
        await self.opts.restore()

    async def hears(self, *events: Any) -> dict[str, OptType]:
        answer = await self.answers.answer(distribution(*events), REGISTRATION)
        return {} if answer is None else {r.event_id: r.opt_type for r in answer.event_responses}

    async def tells(self) -> list[CreateOpt | CancelOpt]:
        await self.opts.reconcile("ven-1")
        return self.vtn.take(self.memory)

    def out(self, *sites: str) -> None:
        self.sites.out[KEY] = dict.fromkeys(sites, "the owner said so")


@pytest.fixture
async def world() -> World:
    found = World()
    await found.start()
    await found.hears(oadr_event())
    assert await found.tells() == []
    return found


@pytest.mark.row("openadr:O1")
async def test_one_site_that_leaves_is_told_by_its_resource_id(world: World) -> None:
    world.out("depot-1")
    (told,) = await world.tells()
    assert isinstance(told, CreateOpt)
    assert told.event is not None
    assert (told.event.event_id, told.event.modification_number) == ("e1", 0)
    assert (told.opt_type, told.target.resource_ids) == (OptType.OUT, ("depot-1",))
    assert await world.tells() == []
    assert await world.hears(oadr_event()) == {"e1": OptType.IN}, "the other site takes part"


@pytest.mark.row("openadr:O1", "openadr:O5")
async def test_when_all_sites_have_left_the_ven_has_and_stays_out(world: World) -> None:
    world.out("depot-1")
    await world.tells()
    world.out("depot-1", "depot-2")
    told = await world.tells()
    assert [type(t) for t in told] == [CancelOpt, CreateOpt]
    assert world.vtn.out == [WHOLE]
    for event in (oadr_event(), oadr_event(modification=1), oadr_event(modification=1)):
        assert await world.hears(event) == {"e1": OptType.OUT}
    await world.start()
    assert await world.hears(oadr_event(modification=1)) == {"e1": OptType.OUT}
    assert await world.hears(oadr_event(modification=2)) == {"e1": OptType.OUT}
    assert await world.tells() == []


@pytest.mark.row("openadr:O3")
async def test_a_site_that_is_back_has_its_opt_cancelled(world: World) -> None:
    world.out("depot-1")
    (created,) = await world.tells()
    world.out()
    (cancelled,) = await world.tells()
    assert isinstance(cancelled, CancelOpt)
    assert cancelled.opt_id == created.opt_id
    assert cancelled.request_id
    assert world.vtn.in_force == []


@pytest.mark.row("openadr:O3", "openadr:O5")
async def test_back_after_all_had_left_is_said_in_so_many_words(world: World) -> None:
    world.out("depot-1", "depot-2")
    await world.tells()
    await world.hears(oadr_event())
    world.out("depot-2")
    await world.tells()
    assert world.vtn.in_force == [("optIn", ()), ("optOut", ("depot-2",))]
    assert await world.hears(oadr_event()) == {"e1": OptType.IN}
    world.out("depot-1", "depot-2")
    await world.tells()
    assert world.vtn.in_force == [("optOut", ())]


@pytest.mark.row("openadr:O4")
async def test_opt_ids_are_never_used_twice_also_over_restarts(world: World) -> None:
    for sites in (("depot-1",), (), ("depot-1",), ("depot-1", "depot-2"), ("depot-2",), ()):
        world.out(*sites)
        await world.tells()
        await world.start()
        assert await world.tells() == []
    created = [o.opt_id for o in world.vtn.opts.values()]
    assert len(created) == len(set(created)) == 5


async def test_of_an_event_that_was_refused_nobody_needs_to_opt_out() -> None:
    world = World()
    await world.start()
    await world.hears(oadr_event(signals=()))
    world.out("depot-1", "depot-2")
    assert await world.tells() == []


async def test_a_new_registration_is_told_everything_anew_with_new_ids(world: World) -> None:
    world.out("depot-1")
    (before,) = await world.tells()
    await world.opts.forget_all()
    (after,) = await world.tells()
    assert before.opt_id != after.opt_id
    assert isinstance(after, CreateOpt)
    assert after.target.resource_ids == ("depot-1",)


def schedule(name: str = "holidays", **more: Any) -> UnavailableSettings:
    spans = [
        {"start": START - timedelta(minutes=5), "duration": 3600},
        {"start": START + timedelta(days=1), "duration": "PT8H"},
    ]
    return UnavailableSettings.model_validate({"name": name, "spans": spans, **more})


@pytest.mark.row("openadr:O2")
async def test_a_schedule_is_published_once_with_all_its_spans(world: World) -> None:
    world.unavailable = [schedule(site_id="depot-1", market_context="http://utility.example/peak")]
    await world.start()
    told = [t for t in await world.tells() if isinstance(t, CreateOpt) and t.availability]
    assert [(a.start, a.duration) for a in told[0].availability] == [
        (START - timedelta(minutes=5), timedelta(hours=1)),
        (START + timedelta(days=1), timedelta(hours=8)),
    ]
    assert (told[0].event, told[0].target.resource_ids) == (None, ("depot-1",))
    assert told[0].market_context == "http://utility.example/peak"
    await world.start()
    assert await world.tells() == []


@pytest.mark.row("openadr:O2")
async def test_a_site_is_taken_out_of_events_it_is_not_available_for(world: World) -> None:
    world.unavailable = [schedule(site_id="depot-1")]
    await world.start()
    await world.tells()
    assert set(world.sites.out[KEY]) == {"depot-1"}
    assert world.vtn.out == [("depot-1",), ("depot-1",)]
    world.out()  # a person takes it in again: that word stands
    await world.tells()
    assert world.sites.out[KEY] == {}


@pytest.mark.row("openadr:O2")
async def test_a_schedule_of_another_market_context_touches_no_event(world: World) -> None:
    world.unavailable = [schedule(market_context="http://other.example")]
    await world.start()
    await world.tells()
    assert world.sites.out == {}


@pytest.mark.row("openadr:O2", "openadr:O3")
async def test_a_changed_schedule_replaces_the_old_and_a_deleted_one_is_cancelled(
    world: World,
) -> None:
    later = {"market_context": "http://other.example"}
    world.unavailable = [schedule(**later)]
    await world.start()
    await world.tells()
    world.unavailable = [schedule(reason="mustRun", **later)]
    await world.start()
    assert [type(t) for t in await world.tells()] == [CancelOpt, CreateOpt]
    world.unavailable = []
    await world.start()
    assert [type(t) for t in await world.tells()] == [CancelOpt]
    assert world.vtn.in_force == []
    assert await world.tells() == []


async def test_a_schedule_that_is_over_is_forgotten_without_a_word(world: World) -> None:
    world.unavailable = [schedule(market_context="http://other.example")]
    await world.start()
    await world.tells()
    await world.clock.advance(timedelta(days=3).total_seconds())
    assert await world.tells() == []
    await world.start()
    assert await world.tells() == []


async def _story(world: World) -> None:
    """Sites leave and come back, with a schedule beside; the VTN hears at the end of each step."""
    world.unavailable = [schedule(market_context="http://other.example")]
    for sites in (("depot-1",), ("depot-1", "depot-2"), ("depot-2",)):
        world.out(*sites)
        await world.start()
        await world.hears(oadr_event())
        await world.tells()


@pytest.mark.row("openadr:O4")
@pytest.mark.parametrize("late", [False, True], ids=["before the write", "after it"])
@pytest.mark.parametrize("error", [TransientError("disk full"), Killed()], ids=["full", "killed"])
async def test_a_failure_at_any_write_loses_no_opt_and_doubles_none(
    error: BaseException,
    late: bool,
) -> None:
    for fail_at in itertools.count(1):
        memory = FailingMemory()
        memory.fail_at, memory.error, memory.done_before_failing = fail_at, error, late
        world = World(memory)
        with suppress(TransientError, Killed):
            await _story(world)
        failed, memory.fail_at = memory.writes >= fail_at, None
        world.vtn.take(memory)
        await _story(world)
        assert world.vtn.in_force == [("optIn", ()), ("optOut", ()), ("optOut", ("depot-2",))]
        assert await world.hears(oadr_event()) == {"e1": OptType.IN}
        if not failed:
            break
    assert fail_at > 10
