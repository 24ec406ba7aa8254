"""Rules of the program and limits of the owners in the answer to an event, end to end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.site_link.messages import VehicleReadiness
from contracts.time import Interval
from gateway.domain.enrolment import OwnerLimits
from gateway.domain.event import EventSource, GridEvent, Opt, SignalKind
from gateway.domain.program import Policy, Program, Rules
from gateway.domain.program.notice import Notice
from gateway.domain.program.promise import SignalRule
from gateway.domain.program.quota import Per, Quota
from gateway.store.database import Database

World = Any
Event = Callable[..., GridEvent]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RELIEF = Program(
    program_id="relief",
    name="Peak relief",
    utility_id="u1",
    on_breach=Policy.OPT_OUT,
    rules=Rules(
        quotas=(Quota(limit=2, per=Per.MONTH),),
        notices=(Notice(lead=HOUR / 2),),
    ),
)


@pytest.fixture
def made(make_world: Callable[..., World]) -> Callable[..., Any]:
    @asynccontextmanager
    async def start(**parts: Any) -> AsyncIterator[World]:
        database = Database.in_memory()
        async with make_world(database, **parts).running() as world:
            await world.ready()
            yield world
        database.close()

    return start


def later(event: GridEvent, days: int) -> GridEvent:
    start = event.window.start + days * DAY
    assert event.window.duration is not None
    window = Interval.lasting(start, event.window.duration)
    signals = tuple(
        replace(s, series=type(s.series).of([(window, s.series.steps[0].value)]))
        for s in event.signals
    )
    return replace(event, event_id=f"e{days}", window=window, signals=signals)


@pytest.mark.row("portfolio:A8")
async def test_an_event_beyond_a_quota_is_answered_by_the_policy_and_journaled(
    made: Any, event: Event
) -> None:
    async with made(program=RELIEF) as world:
        for days in (1, 2, 3):
            await world.intake.receive([later(event(), days)])
        answers = [(await world.ledger.event(f"u1/e{n}")).decision for n in (1, 2, 3)]
        assert [answer.opt for answer in answers] == [Opt.IN, Opt.IN, Opt.OUT]
        assert "3 events with it from 2026-03-01 to 2026-03-31" in answers[2].cause
        rules, entry = await world.ledger.journal("u1/e3")
        assert rules.cause.startswith("kept: notice; quota (breach): 3 events with it")
        assert (entry.action, entry.cause) == ("new event: optOut", answers[2].cause)
        await world.intake.withdraw("u1/e1", "not listed")
        again = replace(later(event(), 3), modification=1)
        assert (await world.intake.receive([again]))["u1/e3"].opt is Opt.IN


@pytest.mark.row("portfolio:A7")
async def test_a_person_may_accept_what_the_policy_has_left_open(made: Any, event: Event) -> None:
    program = replace(RELIEF, on_breach=Policy.ASK)
    async with made(program=program) as world:
        late = event(start=-20, end=20)
        answer = (await world.intake.receive([late]))["u1/e1"]
        assert answer.opt is Opt.OUT
        assert "so a person decides: notice (breach): told 20 min before" in answer.cause
        await world.desk.decide("u1/e1", Opt.IN, "the operator says yes")
        await world.settle()
        stored = await world.ledger.event("u1/e1")
        assert (stored.decision.opt, stored.decision.cause) == (Opt.IN, "the operator says yes")
        assert len(await world.ledger.plans("u1/e1")) == 1
        with pytest.raises(PermanentError, match="no event"):
            await world.desk.decide("u1/e9", Opt.IN, "x")


async def test_notice_counts_from_when_the_start_was_told(made: Any, event: Event) -> None:
    async with made(program=RELIEF) as world:
        assert (await world.intake.receive([event()]))["u1/e1"].opt is Opt.IN
        await world.pass_time(30)
        same_start = event(value=-30_000.0, modification=1)
        assert (await world.intake.receive([same_start]))["u1/e1"].opt is Opt.IN
        sooner = event(start=5, end=30, modification=2)
        assert (await world.intake.receive([sooner]))["u1/e1"].opt is Opt.OUT


@pytest.mark.row("portfolio:A2")
async def test_an_owners_limit_takes_a_site_out_with_its_reason(made: Any, event: Event) -> None:
    owners = {"depot-1": OwnerLimits(max_duration=timedelta(minutes=20))}
    async with made(owners=owners) as world:
        assert (await world.intake.receive([event()]))["u1/e1"].opt is Opt.IN
        await world.settle()
        stored = await world.ledger.event("u1/e1")
        assert stored.opted_out_sites == {"depot-1"}
        cause = "the owner's limits: the event lasts 30 min; the owner allows 20 min"
        assert cause in [entry.cause for entry in await world.ledger.journal("u1/e1")]
        assert cause in [entry.cause for entry in await world.ledger.journal("depot-1")]
        assert world.sites["depot-1"].taken == []
        assert len(world.sites["depot-2"].taken) == 1
        shorter = event(end=15, modification=1)
        await world.intake.receive([shorter])
        await world.settle()
        assert (await world.ledger.event("u1/e1")).opted_out_sites == frozenset()
        assert len(world.sites["depot-1"].taken) == 1


async def test_a_site_that_a_person_took_out_stays_out_at_a_modification(
    made: Any, event: Event
) -> None:
    async with made(owners={"depot-2": OwnerLimits(max_events_per_month=9)}) as world:
        await world.intake.receive([event()])
        await world.intake.opt_out_site("u1/e1", "depot-1", "a person")
        await world.intake.receive([event(end=15, modification=1)])
        assert (await world.ledger.event("u1/e1")).opted_out_sites == {"depot-1"}


@pytest.mark.row("portfolio:A2")
async def test_when_every_owner_objects_the_event_is_refused(made: Any, event: Event) -> None:
    none = OwnerLimits(max_events_per_month=0)
    async with made(owners=dict.fromkeys(("depot-1", "depot-2", "depot-3"), none)) as world:
        answer = (await world.intake.receive([event()]))["u1/e1"]
        assert answer.opt is Opt.OUT
        assert "keep every site out: depot-1: event 1 of the month" in answer.cause


@pytest.mark.row("portfolio:A2")
async def test_vehicles_that_are_not_on_track_keep_a_site_out(made: Any, event: Event) -> None:
    async with made(owners={"depot-1": OwnerLimits(min_ready_share=0.9)}) as world:
        now = world.clock.now()

        def word(number: int, on_track: bool) -> VehicleReadiness:
            return VehicleReadiness(
                at=now,
                vehicle_id=f"van-{number}",
                evse_id=f"e{number}",
                soc_pct=50,
                required_wh=1000,
                departure=now + 5 * HOUR,
                on_track=on_track,
            )

        await world.sites["depot-1"].send(word(1, True), word(2, False))
        await world.intake.receive([event()])
        (out,) = await world.ledger.opt_outs("u1/e1")
        assert (out.site_id, out.cause) == (
            "depot-1",
            "the owner's limits: 50 % of the vehicles are on track; the owner asks for 90 %",
        )


async def test_standby_asks_nothing_and_counts_nothing(made: Any, event: Event) -> None:
    async with made(program=RELIEF) as world:
        standby = event(kind=SignalKind.LEVEL, value=0.0)
        answer = (await world.intake.receive([standby]))["u1/e1"]
        assert answer.opt is Opt.IN
        assert "change no load" in answer.cause
        await world.settle()
        assert all(site.limits == [] for site in world.sites.values() if site.taken)


@pytest.mark.row("portfolio:A1")
async def test_an_event_by_hand_needs_a_program_that_takes_it(made: Any, event: Event) -> None:
    only_openadr = SignalRule(sources=frozenset({EventSource.OPENADR}))
    async with made(program=replace(RELIEF, rules=Rules(signal=only_openadr))) as world:
        with pytest.raises(PermanentError, match="takes events by: openadr"):
            await world.desk.enter(event(source=EventSource.MANUAL))
        with pytest.raises(PermanentError, match="no program 'other'"):
            await world.desk.enter(event(source=EventSource.MANUAL, program_id="other"))


@pytest.mark.row("portfolio:A1")
async def test_only_what_was_entered_here_is_cancelled_here(made: Any, event: Event) -> None:
    async with made() as world:
        entered = event(source=EventSource.MANUAL)
        assert (await world.desk.enter(entered)).opt is Opt.IN
        await world.desk.cancel_entered("u1/e1", "called off by telephone")
        assert (await world.ledger.event("u1/e1")).event.cancelled
        await world.desk.cancel_entered("u1/e1", "once more")
        await world.intake.receive([event("e2")])
        with pytest.raises(PermanentError, match="only it can cancel"):
            await world.desk.cancel_entered("u1/e2", "no")
        with pytest.raises(PermanentError, match="no event"):
            await world.desk.cancel_entered("u1/e3", "no")


async def test_an_event_before_the_first_version_is_not_enrolled(made: Any, event: Event) -> None:
    begins = datetime(2026, 4, 1, tzinfo=UTC).date()
    async with made(program=replace(RELIEF, valid_from=begins)) as world:
        answer = (await world.intake.receive([event()]))["u1/e1"]
        assert answer.opt is Opt.OUT
        assert "not enrolled" in answer.cause
