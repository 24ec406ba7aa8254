from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.site_link.messages import InstructionState
from contracts.time import Interval
from gateway.domain.event import GridEvent, Opt, SignalKind
from gateway.flows.dispatch.options import DispatchOptions
from gateway.store.database import Database
from support.waiting import until

World = Any
Event = Callable[..., GridEvent]
MINUTE = timedelta(minutes=1)


async def test_an_event_becomes_a_plan_and_an_instruction_for_every_site(
    world: World, event: Event
) -> None:
    await world.ready()
    answers = await world.intake.receive([event()])
    assert answers["u1/e1"].opt is Opt.IN
    await world.settle()
    (plan,) = await world.ledger.plans("u1/e1")
    assert (plan.revision, plan.reason) == (1, "new event")
    for site in world.sites.values():
        (told,) = site.taken
        assert [s.import_limit_w for s in told.steps] == pytest.approx([80_000.0])
        assert (told.steps[0].start, told.steps[-1].end) == (
            event().window.start,
            event().window.end,
        )
        assert told.expires_at == told.steps[-1].end + MINUTE
        assert "fair share" in told.cause
    stored = await world.ledger.instructions("u1/e1")
    assert [s.statuses[-1].state for s in stored] == [InstructionState.STORED] * 3


async def test_a_plan_for_many_sites_is_made_beside_everything_else(
    make_world: Callable[..., World], event: Event
) -> None:
    database = Database.in_memory()
    async with make_world(database, options=DispatchOptions(many_sites=1)).running() as world:
        await world.ready()
        await world.intake.receive([event()])
        await until(lambda: all(site.taken for site in world.sites.values()))
        (plan,) = await world.ledger.plans("u1/e1")
        assert (plan.revision, plan.reason) == (1, "new event")
    database.close()


async def test_quiet_time_brings_no_new_plan_and_no_new_instruction(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(55)
    assert [p.revision for p in await world.ledger.plans("u1/e1")] == [1]
    assert [len(site.taken) for site in world.sites.values()] == [1, 1, 1]


async def test_a_site_that_obeys_keeps_its_offer(world: World, event: Event) -> None:
    """The site has fallen to its limit: what it can still go down is less, its floor the same."""
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(40)
    for site in world.sites.values():
        site.power_w, site.flex_down_w = 80_000.0, 40_000.0
    await world.pass_time(20)
    assert [p.revision for p in await world.ledger.plans("u1/e1")] == [1]


async def test_the_same_again_has_no_effect_and_the_same_answer(world: World, event: Event) -> None:
    await world.ready()
    first = await world.intake.receive([event()])
    await world.settle()
    again = await world.intake.receive([event()])
    await world.settle()
    assert again == first
    assert len(await world.ledger.plans("u1/e1")) == 1
    actions = [entry.action for entry in await world.ledger.journal("u1/e1")]
    assert actions.count("new event: optIn") == 1


async def test_a_modification_is_planned_again_and_told(world: World, event: Event) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.settle()
    harder = event(value=-90_000.0, modification=1)
    await world.intake.receive([harder])
    await world.settle()
    plans = await world.ledger.plans("u1/e1")
    assert [(p.modification, p.reason) for p in plans] == [(0, "new event"), (1, "modification 1")]
    for site in world.sites.values():
        assert site.limits == pytest.approx([70_000.0])
        assert [one.site_seq for one in site.taken] == [1, 2]


async def test_a_stale_modification_gets_the_stored_answer(world: World, event: Event) -> None:
    await world.ready()
    await world.intake.receive([event(modification=4)])
    answers = await world.intake.receive([event(value=-1.0, modification=2)])
    assert answers["u1/e1"].modification == 4
    await world.settle()
    stored = await world.ledger.event("u1/e1")
    assert stored.event == event(modification=4)


async def test_a_cancelled_event_is_withdrawn_everywhere(world: World, event: Event) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(50)  # in the middle of it
    answers = await world.intake.receive([event(modification=1).cancel()])
    await world.settle()
    assert answers["u1/e1"].opt is Opt.IN
    for site in world.sites.values():
        assert site.taken[-1].steps == ()
        assert site.taken[-1].cause == "not counted on: the event is cancelled"
    await world.pass_time(5)
    assert len(await world.ledger.plans("u1/e1")) == 2


async def test_an_event_no_longer_listed_is_cancelled_and_others_are_not(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.settle()
    await world.intake.withdraw("u1/e1", "implied")
    await world.intake.withdraw("u1/never-heard", "implied")
    await world.settle()
    assert all(site.taken[-1].steps == () for site in world.sites.values())
    stored = await world.ledger.event("u1/e1")
    assert stored.event.cancelled
    actions = [entry.action for entry in await world.ledger.journal("u1/e1")]
    assert "cancelled" in actions


async def test_a_notable_change_of_an_offer_is_planned_again_a_small_one_is_not(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event(value=-150_000.0)])
    await world.pass_time(50)
    world.sites["depot-1"].flex_down_w = 59_800.0
    await world.pass_time(2)
    assert len(await world.ledger.plans("u1/e1")) == 1
    world.sites["depot-1"].flex_down_w = 20_000.0
    await world.pass_time(2)
    plan = (await world.ledger.plans("u1/e1"))[-1]
    assert plan.reason == "offers or baselines have changed"
    assert world.sites["depot-1"].limits == pytest.approx([80_000.0])
    assert world.sites["depot-2"].limits == pytest.approx([40_000.0])
    assert plan.shortfall.steps[0].value == pytest.approx(10_000.0)


async def test_an_event_far_ahead_is_not_planned_again_at_every_check(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.settle()
    for site in world.sites.values():
        site.flex_down_w = 5_000.0
    await world.pass_time(20)
    assert len(await world.ledger.plans("u1/e1")) == 1
    await world.pass_time(6)  # now it is near
    assert len(await world.ledger.plans("u1/e1")) == 2


async def test_without_past_days_the_recent_mean_stands_in_and_says_so(
    world: World, event: Event
) -> None:
    for site in world.sites.values():
        await site.connect()
    await world.pass_time(20)
    await world.intake.receive([event()])
    await world.settle()
    (plan,) = await world.ledger.plans("u1/e1")
    assert "mean of the last 15 min (100.0 kW) instead" in plan.allocations[0].cause
    assert world.sites["depot-1"].limits == pytest.approx([80_000.0])


async def test_a_site_never_heard_is_not_counted_on(world: World, event: Event) -> None:
    await world.history()
    await world.intake.receive([event()])
    await world.settle()
    (plan,) = await world.ledger.plans("u1/e1")
    assert {a.cause for a in plan.allocations} == {"not counted on: it has never reported its load"}
    assert plan.shortfall.mean(event().window) == pytest.approx(60_000.0)


async def test_a_stronger_event_takes_over_and_gives_back(world: World, event: Event) -> None:
    await world.ready()
    await world.intake.receive([event("weak", value=-30_000.0)])
    await world.intake.receive([event("strong", 10, 20, value=-60_000.0, priority=1)])
    await world.settle()
    site = world.sites["depot-1"]
    by_event = {one.event_id: one for one in site.taken}
    weak = [(s.start, s.end, s.import_limit_w) for s in by_event["u1/weak"].steps]
    start, end = event().window.start, event().window.end
    assert weak == [
        (start, start + 10 * MINUTE, pytest.approx(90_000.0)),
        (start + 20 * MINUTE, end, pytest.approx(90_000.0)),
    ]
    (step,) = by_event["u1/strong"].steps
    assert step.import_limit_w == pytest.approx(80_000.0)


async def test_only_the_sites_an_event_names_are_asked(world: World, event: Event) -> None:
    await world.ready()
    await world.intake.receive([event(targets=("north",), value=-20_000.0)])
    answers = await world.intake.receive([event("e2", targets=("nobody",))])
    await world.settle()
    assert [len(site.taken) for site in world.sites.values()] == [1, 0, 0]
    assert answers["u1/e2"].opt is Opt.OUT
    assert "none of the sites" in answers["u1/e2"].cause
    await world.intake.receive([event(targets=("depot-2",), value=-20_000.0, modification=1)])
    await world.settle()
    assert world.sites["depot-1"].taken[-1].steps == ()
    assert world.sites["depot-2"].limits == pytest.approx([80_000.0])


async def test_a_limit_for_the_portfolio_and_a_level(world: World, event: Event) -> None:
    await world.ready()
    limit = event("limit", kind=SignalKind.IMPORT_LIMIT_W, value=240_000.0)
    await world.intake.receive([limit, event("level", 40, 60, kind=SignalKind.LEVEL, value=3.0)])
    await world.settle()
    by_event = {one.event_id: one for one in world.sites["depot-1"].taken}
    assert by_event["u1/limit"].steps[0].import_limit_w == pytest.approx(80_000.0)
    assert by_event["u1/level"].steps[0].import_limit_w == pytest.approx(70_000.0)


async def test_an_event_without_end_is_told_ahead_and_carried_on(
    world: World, event: Event
) -> None:
    await world.ready()
    open_window = Interval(start=event().window.start, end=None)
    endless = event(window=open_window)
    endless = replace(
        endless,
        signals=(
            replace(
                endless.signals[0],
                series=type(endless.signals[0].series).of([(open_window, -60_000.0)]),
            ),
        ),
    )
    await world.intake.receive([endless])
    await world.settle()
    first = world.sites["depot-1"].taken[-1]
    assert first.steps[-1].end == endless.window.start + timedelta(hours=2)
    await world.pass_time(101, every_s=60)
    carried_on = world.sites["depot-1"].taken[-1]
    assert carried_on.steps[-1].end == endless.window.start + timedelta(hours=3)
    assert len(world.sites["depot-1"].taken) == 2
    await world.intake.receive([replace(endless, modification=1).cancel()])
    await world.settle()
    assert world.sites["depot-1"].taken[-1].steps == ()


async def test_a_fault_of_one_event_leaves_the_others_alone(
    world: World, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    expected = world.intake._portfolio.addressed

    def addressed(self: object, one: GridEvent) -> object:
        if one.event_id == "poison":
            raise RuntimeError("a bug")
        return expected(one)

    monkeypatch.setattr(type(world.portfolio), "addressed", addressed)
    answers = await world.intake.receive([event("poison"), event()])
    await world.settle()
    assert {key: answer.opt for key, answer in answers.items()} == {
        "u1/poison": Opt.OUT,
        "u1/e1": Opt.IN,
    }
    assert all(len(site.taken) == 1 for site in world.sites.values())


async def test_the_live_page_sees_the_event_with_its_target(world: World, event: Event) -> None:
    await world.ready()
    await world.intake.receive([event()])
    await world.settle()
    (band,) = world.live.snapshot().events
    assert (band.event_key, band.revision, band.opt) == ("u1/e1", 1, "optIn")
    assert band.baseline.mean(event().window) == pytest.approx(300_000.0)
    assert band.target_load.mean(event().window) == pytest.approx(240_000.0)
    await world.pass_time(50, every_s=60)
    assert world.live.snapshot().events[0].status == "active"
    await world.pass_time(85, every_s=60)
    assert world.live.snapshot().events == ()
