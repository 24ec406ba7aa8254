"""What a utility imposes reaches the site, stays in force, and is explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.inverter import Curve, CurveKind, FixedVar, InverterFunction, Point, Reference
from contracts.site_link import codec
from contracts.time import Interval
from gateway.domain.operating_envelope import EnvelopeStep, OperatingEnvelope, SiteBounds
from gateway.store.documents import ENVELOPE
from support.gateway_envelopes import envelope

World = Any
MINUTE = timedelta(minutes=1)
KEY = "u2/envelope/depot-1"
VOLT_VAR = Curve(
    kind=CurveKind.VOLT_VAR,
    points=(Point(x=92.0, y=44.0), Point(x=108.0, y=-44.0)),
    reference=Reference.MAX_VAR,
)


async def test_a_schedule_and_its_default_reach_the_site_as_one_instruction(world: World) -> None:
    await world.sites["depot-1"].connect()
    now = world.clock.now()
    await world.envelopes.impose(envelope(now, (10, 40, 20_000.0), default_w=80_000.0))
    await world.settle()
    (sent,) = world.sites["depot-1"].taken
    (step,) = sent.steps
    assert (step.start, step.end) == (now + 10 * MINUTE, now + 40 * MINUTE)
    assert (step.import_limit_w, step.export_limit_w) == (20_000.0, None)
    assert sent.fallback.import_limit_w == 80_000.0
    assert sent.expires_at == step.end + timedelta(hours=24)
    assert "control 1" in sent.cause


async def test_every_bound_is_carried(world: World) -> None:
    await world.sites["depot-1"].connect()
    now = world.clock.now()
    bounds = SiteBounds(
        import_limit_w=1.0,
        export_limit_w=-2.0,
        load_limit_w=3.0,
        generation_limit_w=-4.0,
        storage_power_w=-5.0,
        energize=False,
        inverter_functions=(VOLT_VAR, FixedVar(var=-7.0)),
    )
    step = EnvelopeStep(interval=Interval.lasting(now, MINUTE), bounds=bounds, cause="all at once")
    await world.envelopes.impose(
        OperatingEnvelope(utility_id="u2", site_id="depot-1", steps=(step,))
    )
    await world.settle()
    told = world.sites["depot-1"].taken[0].steps[0]
    assert (told.import_limit_w, told.export_limit_w, told.load_limit_w) == (1.0, -2.0, 3.0)
    assert (told.generation_limit_w, told.storage_power_w, told.energize) == (-4.0, -5.0, False)
    assert told.inverter_functions == (VOLT_VAR, FixedVar(var=-7.0))
    (stored,) = await world.envelopes.imposed("depot-1")
    assert stored.envelope.steps == (step,)


@pytest.mark.row("sep2:22")
async def test_a_changed_curve_is_a_new_instruction_and_a_default_one_the_fallback(
    world: World,
) -> None:
    await world.sites["depot-1"].connect()
    start = world.clock.now()
    for percent in (44.0, 44.0, 30.0):
        curve = replace(VOLT_VAR, points=(Point(x=92.0, y=percent),))
        await world.envelopes.impose(curved(start, curve))
        await world.settle()
    taken = world.sites["depot-1"].taken
    assert [one.steps[0].inverter_functions[0].points[0].y for one in taken] == [44.0, 30.0]
    assert taken[-1].fallback.inverter_functions == taken[-1].steps[0].inverter_functions


def curved(start: datetime, *functions: InverterFunction) -> OperatingEnvelope:
    bounds = SiteBounds(inverter_functions=functions)
    step = EnvelopeStep(interval=Interval(start=start, end=None), bounds=bounds, cause="default")
    return OperatingEnvelope(utility_id="u2", site_id="depot-1", steps=(step,))


async def test_more_curves_than_one_message_holds_are_sent_as_their_time_comes(
    world: World,
) -> None:
    await world.sites["depot-1"].connect()
    now = world.clock.now()
    points = tuple(Point(x=92.123456789 + n / 7, y=-44.123456789 + n / 7) for n in range(10))
    functions = tuple(Curve(kind=kind, points=points) for kind in CurveKind)
    steps = tuple(
        EnvelopeStep(
            interval=Interval.lasting(now + n * MINUTE, MINUTE),
            bounds=SiteBounds(import_limit_w=float(n), inverter_functions=functions),
            cause="a lot",
        )
        for n in range(300)
    )
    whole = OperatingEnvelope(utility_id="u2", site_id="depot-1", steps=steps)
    await world.envelopes.impose(whole)
    await world.settle()
    (first,) = world.sites["depot-1"].taken
    assert 60 <= len(first.steps) < 300
    assert codec.decode(codec.encode(first)) == first
    await world.clock.advance(2 * 3600)
    await world.envelopes.impose(whole)
    await world.settle()
    assert world.sites["depot-1"].taken[-1].steps[0].import_limit_w == 120.0


def test_what_was_stored_before_there_were_functions_still_loads() -> None:
    written = ENVELOPE.dump(envelope(datetime(2026, 3, 4, tzinfo=UTC), (0, 40, 20_000.0)))
    for step in written["steps"]:
        del step["bounds"]["inverter_functions"]
    assert ENVELOPE.load(written) == envelope(datetime(2026, 3, 4, tzinfo=UTC), (0, 40, 20_000.0))


async def test_the_same_again_changes_nothing(world: World) -> None:
    await world.sites["depot-1"].connect()
    now = world.clock.now()
    for _ in range(3):
        await world.envelopes.impose(envelope(now, (10, 40, 20_000.0), default_w=80_000.0))
        await world.clock.advance(60)
    assert len(world.sites["depot-1"].taken) == 1


async def test_a_change_supersedes_and_no_steps_lift(world: World) -> None:
    await world.sites["depot-1"].connect()
    now = world.clock.now()
    await world.envelopes.impose(envelope(now, (0, 40, 20_000.0)))
    await world.settle()
    await world.envelopes.impose(envelope(now, (0, 40, 15_000.0)))
    await world.settle()
    await world.envelopes.impose(OperatingEnvelope(utility_id="u2", site_id="depot-1"))
    await world.settle()
    taken = world.sites["depot-1"].taken
    assert [one.event_id for one in taken] == [KEY] * 3
    assert [len(one.steps) for one in taken] == [1, 1, 0]
    assert [one.site_seq for one in taken] == [1, 2, 3]


async def test_a_default_alone_is_renewed_before_it_lapses(world: World) -> None:
    await world.sites["depot-1"].connect()
    await world.envelopes.impose(envelope(world.clock.now(), default_w=80_000.0))
    first = await newest_expiry(world)
    for _ in range(14):
        await world.clock.advance(3600)
    renewed = await newest_expiry(world)
    assert renewed - first >= timedelta(hours=12)
    assert len(world.sites["depot-1"].taken) == 2


async def test_a_site_that_was_away_gets_it_on_return(world: World) -> None:
    now = world.clock.now()
    await world.envelopes.impose(envelope(now, (0, 40, 20_000.0), default_w=80_000.0))
    await world.settle()
    assert world.sites["depot-1"].taken == []
    await world.sites["depot-1"].connect()
    assert [one.event_id for one in world.sites["depot-1"].taken] == [KEY]


async def test_a_restart_goes_on_where_it_was(
    world: World, make_world: Callable[..., World]
) -> None:
    await world.sites["depot-1"].connect()
    now = world.clock.now()
    await world.envelopes.impose(envelope(now, (0, 40, 20_000.0)))
    await world.settle()
    successor = make_world(world.database, clock=world.clock)
    successor.adopt(world.sites)
    async with successor.running():
        await successor.sites["depot-1"].connect()
        await successor.envelopes.impose(envelope(now, (0, 40, 20_000.0)))
        await successor.settle()
        assert len(successor.sites["depot-1"].taken) == 1
        (stored,) = await successor.envelopes.imposed("depot-1")
        assert stored.envelope == envelope(now, (0, 40, 20_000.0))


async def test_a_person_can_ask_why(world: World) -> None:
    await world.envelopes.impose(envelope(world.clock.now(), (0, 40, 20_000.0)))
    (entry,) = await world.ledger.journal(KEY)
    assert "control 1" in entry.cause
    assert await world.ledger.journal("depot-1") == [
        type(entry)(at=entry.at, subject="depot-1", action=entry.action, cause=entry.cause)
    ]


async def test_a_site_that_is_not_ours_is_refused(world: World) -> None:
    with pytest.raises(PermanentError, match="nowhere"):
        await world.envelopes.impose(OperatingEnvelope(utility_id="u2", site_id="nowhere"))


async def test_what_is_kept_alive_never_replaces_what_came_in_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = world.clock.now()
    await world.envelopes.impose(envelope(now, (10, 40, 20_000.0)))
    read, asked = world.ledger.envelopes, world.ledger.newest_instruction
    reads: list[str] = []

    async def overtaken() -> Any:
        found = await read()
        await world.envelopes.impose(envelope(now, (10, 40, 5_000.0)))
        reads.clear()
        return found

    async def counted(key: str) -> Any:
        reads.append(key)
        return await asked(key)

    monkeypatch.setattr(world.ledger, "envelopes", overtaken)
    monkeypatch.setattr(world.ledger, "newest_instruction", counted)
    await world.clock.advance(15 * 60)
    await world.settle()
    (stored,) = await read()
    assert stored.envelope.steps[0].bounds.import_limit_w == 5_000.0
    assert reads == [KEY]  # each envelope's instruction is looked up once


async def newest_expiry(world: World) -> Any:
    newest = await world.ledger.newest_instruction(KEY)
    assert newest is not None
    return newest.instruction.expires_at
