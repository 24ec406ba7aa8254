from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import TransientError
from gateway.domain.event import GridEvent
from gateway.flows.events.lifecycle import Lifecycle, LifecycleOptions

World = Any
Event = Callable[..., GridEvent]
MINUTE = timedelta(minutes=1)


async def actions(world: World) -> list[str]:
    return [entry.action for entry in await world.ledger.journal("u1/e1")]


async def test_moments_come_in_their_order_and_each_is_done_once(
    world: World, event: Event
) -> None:
    await world.ready()
    assert await world.lifecycle.tick() is None
    await world.intake.receive([event()])
    start, end = event().window.start, event().window.end
    assert end is not None
    settled = end + 10 * MINUTE + timedelta(seconds=10)
    for due, expected in (
        (start, end),
        (end, settled),
        (settled, end + timedelta(hours=1)),
    ):
        assert await world.lifecycle.tick() == due
        await world.clock.advance((due - world.clock.now()).total_seconds())
        await world.everyone_reports()
        assert await world.lifecycle.tick() == expected
    assert (await actions(world)).count("report written") == 1
    assert (await actions(world)).count("the event has begun") == 1
    assert (await actions(world)).count("the event is over") == 1
    assert not (await world.report()).final
    await world.clock.advance(3_600)
    assert await world.lifecycle.tick() is None
    assert (await world.report()).final
    assert (await world.report()).version == 2


async def test_what_fell_due_while_we_were_down_is_made_up_for_once(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(25)
    for _ in range(2):  # a new process each time: nothing but the ledger is remembered
        successor = Lifecycle(
            world.portfolio,
            world.ledger,
            world.dispatch,
            world.settlement,
            world.clock,
            LifecycleOptions(),
        )
        await successor.tick()
    assert (await actions(world)).count("the event has begun") == 0
    await world.clock.advance(3 * 3600)
    await world.everyone_reports()
    for _ in range(2):
        successor = Lifecycle(
            world.portfolio,
            world.ledger,
            world.dispatch,
            world.settlement,
            world.clock,
            LifecycleOptions(),
        )
        await successor.tick()
    assert (await actions(world)).count("the event has begun") == 1
    assert (await actions(world)).count("the event is over") == 1
    assert (await actions(world)).count("report written") == 1


@pytest.mark.parametrize("sites_return", [True, False])
async def test_after_a_restart_the_report_waits_for_what_sites_still_hold(
    world: World, event: Event, sites_return: bool
) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(25)
    await world.clock.advance(3 * 3600)
    successor = Lifecycle(
        world.portfolio,
        world.ledger,
        world.dispatch,
        world.settlement,
        world.clock,
        LifecycleOptions(patience=2 * MINUTE),
    )
    assert await successor.tick() == world.clock.now() + 2 * MINUTE
    assert await world.ledger.report("u1/e1") is None
    if sites_return:
        await world.everyone_reports()
    else:
        await world.clock.advance(120)
    await successor.tick()
    assert await world.ledger.report("u1/e1") is not None


async def test_cancelled_refused_and_endless_events_get_no_report(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event().cancel(), event("e2", program_id="unknown")])
    await world.clock.advance(5 * 3600)
    assert await world.lifecycle.tick() is None
    assert await world.ledger.report("u1/e1") is None
    assert await world.ledger.report("u1/e2") is None


async def test_one_events_trouble_is_tried_again_and_holds_up_no_other(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event(), event("e2", start=-10, end=-5)])
    await world.clock.advance(2 * 3600)
    settle = world.settlement.settle

    async def failing(event_key: str, *, final: bool) -> int:
        if event_key == "u1/e1":
            raise TransientError("the disk is full")
        return int(await settle(event_key, final=final))

    world.settlement.settle = failing
    now = world.clock.now()
    assert await world.lifecycle.tick() == now + MINUTE
    assert await world.ledger.report("u1/e2") is not None
    world.settlement.settle = settle
    await world.lifecycle.tick()
    assert await world.ledger.report("u1/e1") is not None
