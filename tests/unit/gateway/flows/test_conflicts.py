from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.event import GridEvent
from gateway.store.database import Database

World = Any
Event = Callable[..., GridEvent]
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.row("portfolio:A9")


@pytest.fixture
async def world(make_world: Callable[..., World]) -> AsyncIterator[World]:
    """Sites in two programs, of which one calls in emergencies."""
    database = Database.in_memory()
    made = make_world(database)
    bip = replace(made.program, program_id="bip", name="BIP", emergency=True)
    async with make_world(database, others=(bip,)).running() as running:
        yield running
    database.close()


def limits(world: World, event_id: str) -> list[float]:
    """What depot-1 was told last for an event."""
    told = [one for one in world.sites["depot-1"].taken if one.event_id == event_id]
    return [step.import_limit_w for step in told[-1].steps]


async def test_an_emergency_goes_first_and_the_other_program_has_the_rest(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event(value=-150_000.0)])
    await world.settle()
    assert limits(world, "u1/e1") == pytest.approx([50_000.0])
    await world.intake.receive([event("b1", end=15, value=-60_000.0, program_id="bip")])
    await world.settle()
    assert limits(world, "u1/b1") == pytest.approx([80_000.0])
    assert limits(world, "u1/e1") == pytest.approx([40_000.0, 50_000.0])
    plan = (await world.ledger.plans("u1/e1"))[-1]
    assert plan.reason == "u1/b1 goes first and was planned anew"
    assert "20 of 60.0 kW are promised to BIP until 12:15" in plan.allocation("depot-1").cause
    assert {round(s.value) for s in plan.shortfall} == {30_000}
    entries = await world.ledger.journal("depot-1")
    assert any("promised to BIP until 12:15" in entry.cause for entry in entries)


async def test_what_the_emergency_had_is_given_back_when_it_is_cancelled(
    world: World, event: Event
) -> None:
    await world.ready()
    emergency = event("b1", end=15, value=-60_000.0, program_id="bip")
    await world.intake.receive([emergency, event(value=-150_000.0)])
    await world.settle()
    assert limits(world, "u1/e1") == pytest.approx([40_000.0, 50_000.0])
    await world.intake.receive([replace(emergency.cancel(), modification=1)])
    await world.settle()
    assert limits(world, "u1/b1") == []
    assert limits(world, "u1/e1") == pytest.approx([50_000.0])
    assert not (await world.ledger.plans("u1/e1"))[-1].shortfall


async def test_both_promises_arrive_and_each_is_measured_for_itself(
    world: World, event: Event
) -> None:
    await world.ready()
    emergency = event("b1", value=-60_000.0, program_id="bip")
    await world.intake.receive([emergency, event(value=-60_000.0)])
    await world.pass_time(40)
    for site in world.sites.values():
        site.power_w, site.flex_down_w = 60_000.0, 20_000.0
    await world.pass_time(20)
    assert limits(world, "u1/b1") == pytest.approx([80_000.0])
    assert limits(world, "u1/e1") == pytest.approx([60_000.0])
    for key in ("u1/b1", "u1/e1"):
        assert [plan.revision for plan in await world.ledger.plans(key)] == [1]
