"""The closed loop in a whole gateway: one of three depots does not deliver."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from gateway.domain.delivery.course import DeliveryRules
from gateway.domain.delivery.restoration import RestorationRules
from gateway.domain.event import GridEvent, SignalKind
from gateway.store.database import Database

World = Any
Event = Callable[..., GridEvent]
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def world(make_world: Callable[..., World]) -> AsyncIterator[World]:
    database = Database.in_memory()
    options = replace(
        make_world.options,  # type: ignore[attr-defined]
        delivery=DeliveryRules(),
        restoration=RestorationRules(cap_w=20_000.0),
    )
    async with make_world(database, options=options).running() as made:
        yield made
    database.close()


async def begun(world: World, event: GridEvent, minutes: float, **obeys: float) -> None:
    """The event has run for so many minutes."""
    await world.ready()
    for site in world.sites.values():
        site.obeys = obeys.get(site.site_id.replace("-", "_"), 1.0)
    await world.intake.receive([event])
    await world.pass_time(40 + minutes)


@pytest.mark.row("portfolio:A6")
async def test_what_one_does_not_deliver_is_asked_of_all(world: World, event: Event) -> None:
    await begun(world, event(), 4, depot_3=0.5)
    assert len(await world.ledger.plans("u1/e1")) == 1, "the sites still follow"
    await world.pass_time(2)
    plan = (await world.ledger.plans("u1/e1"))[-1]
    assert plan.reason == "asked 17 % more: 83 % delivered over the last 5 minutes"
    assert [s.value for s in plan.target] == [60_000.0], "the utility asked for no more"
    assert not len(plan.shortfall)
    assert world.sites["depot-1"].limits[0] == pytest.approx(76_667.0, abs=10.0)
    causes = [e.cause for e in await world.ledger.journal("u1/e1") if e.action == "plan 2"]
    assert causes == [plan.reason]


async def test_delivery_arrives_at_the_target(world: World, event: Event) -> None:
    await begun(world, event(end=60), 30, depot_3=0.5)
    minutes = world.delivering.course("u1/e1").minutes
    assert len(minutes) == 30
    assert minutes[-1].delivered_w == pytest.approx(60_000.0, rel=0.03)
    assert minutes[-1].coverage == 1.0
    assert all(site.load_w >= 40_000.0 for site in world.sites.values()), "never above the offer"


@pytest.mark.row("portfolio:A6")
async def test_who_does_not_deliver_is_left_out_probed_and_back(world: World, event: Event) -> None:
    await begun(world, event(end=120), 30, depot_3=0.0)
    standing = world.delivering.standing("depot-3")
    assert standing.quarantine is not None
    told = world.sites["depot-3"].taken[-1]
    assert "left out, asked 15 % to see" in told.cause
    assert 91_000.0 <= told.steps[0].import_limit_w < 100_000.0
    words = [e.action for e in await world.ledger.journal("depot-3")]
    assert "u1/e1: left out for not delivering" in words
    assert world.delivering.course("u1/e1").recent == pytest.approx(1.0, abs=0.03)
    world.sites["depot-3"].obeys = 1.0
    await world.pass_time(30)
    assert world.delivering.standing("depot-3").quarantine is None
    words = [e.action for e in await world.ledger.journal("depot-3")]
    assert "u1/e1: counted on again" in words
    assert world.delivering.course("u1/e1").recent == pytest.approx(1.0, abs=0.03)


async def test_a_minute_in_which_sites_were_told_anew_was_asked_for_all_the_same(
    world: World, event: Event
) -> None:
    await begun(world, event(), 3)
    await world.pass_time(40 / 60, every_s=10)
    await world.intake.opt_out_site("u1/e1", "depot-3", "vans are needed")
    await world.pass_time(20 / 60, every_s=10)
    minutes = world.delivering.course("u1/e1").minutes
    assert len(await world.ledger.plans("u1/e1")) == 2
    assert [one.asked_w for one in minutes] == pytest.approx([60_000.0] * len(minutes))
    assert minutes[-1].coverage == pytest.approx(1.0)


async def test_lost_telemetry_is_no_lost_delivery(world: World, event: Event) -> None:
    """A depot that is not heard for two minutes makes nobody do more."""
    await begun(world, event(), 10)
    await world.pass_time(2, site_ids=("depot-1", "depot-2"), every_s=60)
    course = world.delivering.course("u1/e1")
    assert course.asked_more == pytest.approx(0.0, abs=0.01)
    assert course.minutes[-1].delivered_w == pytest.approx(60_000.0, rel=0.01)


async def test_what_was_learnt_outlives_a_restart(
    world: World, event: Event, make_world: Callable[..., World]
) -> None:
    await begun(world, event(end=120), 30, depot_3=0.0)
    before = world.delivering.course("u1/e1")
    successor = make_world(world.database, clock=world.clock, options=world.options)
    successor.adopt(world.sites)
    async with successor.running() as later:
        for site in later.sites.values():
            await site.connect()
        await later.everyone_reports()
        await later.pass_time(1)
        assert later.delivering.standing("depot-3").quarantine is not None
        after = later.delivering.course("u1/e1")
        assert after.asked_more == pytest.approx(before.asked_more, abs=0.02)
        assert len(after.minutes) > 30


async def test_the_next_event_asks_at_once_what_is_known_to_be_needed(
    world: World, event: Event
) -> None:
    await begun(world, event(end=60), 61, depot_3=0.7)
    await world.intake.receive([event("e2", start=90, end=150)])
    await world.settle()
    (plan,) = await world.ledger.plans("u1/e2")
    asked_w = sum(a.steps[0].reduction_w for a in plan.allocations)
    assert asked_w == pytest.approx(66_600.0, rel=0.02)
    assert plan.reason == "new event"


@pytest.mark.row("portfolio:A11")
async def test_sites_are_told_in_advance_how_they_return(world: World, event: Event) -> None:
    """60 kW and a third of it, 20 kW a minute: told with the event, so it holds without a link."""
    await begun(world, event(), 0)
    end = event().window.start + 30 * MINUTE
    last = {site_id: one.taken[-1].steps[-1].end for site_id, one in world.sites.items()}
    assert len(set(last.values())) > 1, "not all at once"
    assert max(last.values()) <= end + 15 * MINUTE
    for site in world.sites.values():
        assert site.taken[-1].expires_at >= site.taken[-1].steps[-1].end
    loads = [sum(s.load_w for s in world.sites.values())]
    await world.pass_time(29)
    for site in world.sites.values():
        site.vanish()
    for _ in range(8):
        loads.append(sum(s.load_w for s in world.sites.values()))
        await world.clock.advance(60)
    assert max(b - a for a, b in pairwise(loads[1:])) <= 20_000.0
    assert loads[-1] == pytest.approx(300_000.0)


@pytest.mark.row("portfolio:A11")
async def test_a_cancelled_event_lets_its_sites_return_as_slowly(
    world: World, event: Event
) -> None:
    await begun(world, event(), 10)
    await world.intake.receive([event(modification=1).cancel()])
    await world.settle()
    told = [site.taken[-1] for site in world.sites.values()]
    assert any(one.steps for one in told)
    assert all(one.steps[-1].end < event().window.end for one in told if one.steps)
    count = [len(site.taken) for site in world.sites.values()]
    await world.pass_time(10)
    assert [len(site.taken) for site in world.sites.values()] == count, "told once"
    assert all(site.load_w == 100_000.0 for site in world.sites.values())


async def test_an_event_that_asks_for_a_load_is_corrected_as_well(
    world: World, event: Event
) -> None:
    signal = {"kind": SignalKind.IMPORT_LIMIT_W, "value": 240_000.0}
    await begun(world, event(end=60, **signal), 30, depot_3=0.5)
    assert world.delivering.course("u1/e1").recent == pytest.approx(1.0, abs=0.03)


async def test_how_high_the_load_came_back_is_written_down(world: World, event: Event) -> None:
    await begun(world, event(), 30)
    world.sites["depot-1"].power_w += 12_000.0
    await world.pass_time(40)
    words = [e.cause for e in await world.ledger.journal("u1/e1") if "is back" in e.action]
    assert words == ["highest load 12.0 kW above the baseline, 4 min after the end"]
