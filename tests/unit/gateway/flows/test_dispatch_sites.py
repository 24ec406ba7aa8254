"""Sites that opt out, are lost, refuse or come back: what the others are asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import PermanentError
from gateway.domain.event import GridEvent
from gateway.flows.upstream.participation import Participants

World = Any
Event = Callable[..., GridEvent]
MINUTE = timedelta(minutes=1)


async def test_a_sites_opt_out_is_withdrawn_and_the_others_make_up_for_it(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(50)
    await world.intake.opt_out_site("u1/e1", "depot-3", "vans are needed earlier")
    await world.intake.opt_out_site("u1/e1", "depot-3", "said twice")
    await world.settle()
    assert world.sites["depot-3"].taken[-1].steps == ()
    assert world.sites["depot-1"].limits == pytest.approx([70_000.0])
    assert world.sites["depot-2"].limits == pytest.approx([70_000.0])
    plan = (await world.ledger.plans("u1/e1"))[-1]
    assert plan.reason == "depot-3 opted out: vans are needed earlier"
    assert plan.allocation("depot-3").cause == "not counted on: opted out"


async def test_a_site_that_is_back_in_is_asked_again_and_who_takes_part_is_known(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(50)
    who = Participants(world.portfolio, world.ledger, world.intake)
    for site_id in ("depot-1", "depot-2", "depot-3"):
        await who.opt_out_site("u1/e1", site_id, f"{site_id} is busy")
    await world.settle()
    found = await who.of_event("u1/e1")
    assert found is not None
    assert found.all_out
    assert found.out["depot-3"] == "depot-3 is busy"
    for _ in range(2):
        await world.intake.opt_in_site("u1/e1", "depot-3", "vans are back")
    await world.settle()
    found = await who.of_event("u1/e1")
    assert found is not None
    assert set(found.out) == {"depot-1", "depot-2"}
    assert world.sites["depot-3"].taken[-1].steps
    assert {"depot-1", "depot-2", "depot-3"} <= who.names
    assert await who.of_event("u1/unheard") is None
    with pytest.raises(PermanentError):
        await world.intake.opt_in_site("u1/unheard", "depot-3", "")


async def test_a_lost_site_keeps_its_instruction_and_the_others_make_up_for_it(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(45)
    world.sites["depot-2"].vanish()
    await world.pass_time(2, ["depot-1", "depot-3"])
    assert world.sites["depot-1"].limits == pytest.approx([70_000.0])
    assert len(world.sites["depot-2"].taken) == 1
    plan = (await world.ledger.plans("u1/e1"))[-1]
    assert "depot-2: not counted on: no usable load value" in plan.reason
    await world.sites["depot-2"].connect()
    await world.pass_time(2)
    plan = (await world.ledger.plans("u1/e1"))[-1]
    assert plan.reason == "depot-2 can be counted on again"
    assert world.sites["depot-1"].limits == pytest.approx([80_000.0])
    assert world.sites["depot-2"].limits == pytest.approx([80_000.0])


async def test_an_instruction_that_does_not_arrive_stays_pending_until_the_site_is_back(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.pass_time(30)
    world.sites["depot-2"].vanish()
    await world.intake.receive([event()])
    await world.settle()
    assert [len(site.taken) for site in world.sites.values()] == [1, 0, 1]
    await world.pass_time(2)  # it still reports, but does not listen
    plan = (await world.ledger.plans("u1/e1"))[-1]
    assert "depot-2: not counted on: it has not taken its instruction" in plan.reason
    await world.sites["depot-2"].connect()
    assert len(world.sites["depot-2"].taken) == 1
    await world.pass_time(2)
    assert world.sites["depot-1"].limits == pytest.approx([80_000.0])


async def test_an_expired_instruction_is_not_sent_any_more(world: World, event: Event) -> None:
    await world.ready()
    world.sites["depot-2"].vanish()
    await world.intake.receive([event()])
    await world.pass_time(72, ["depot-1", "depot-3"], every_s=60)
    await world.sites["depot-2"].connect()
    assert world.sites["depot-2"].taken == []


async def test_a_refusal_is_heeded_and_not_asked_again(world: World, event: Event) -> None:
    await world.ready()
    world.sites["depot-1"].refuses = "maintenance"
    await world.intake.receive([event()])
    await world.pass_time(5)
    plan = (await world.ledger.plans("u1/e1"))[-1]
    cause = plan.allocation("depot-1").cause
    assert cause == "not counted on: it refused its instruction: maintenance"
    assert world.sites["depot-2"].limits == pytest.approx([70_000.0])
    assert (
        len(
            [
                s
                for s in await world.ledger.instructions("u1/e1")
                if s.instruction.site_id == "depot-1"
            ]
        )
        == 1
    )
