"""The gateway dies in the middle of an event; its successor on the same file carries on."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.event import GridEvent
from gateway.store.database import Database

World = Any
Event = Callable[..., GridEvent]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


async def test_a_successor_finishes_the_event_and_asks_nobody_twice(
    path: Path, event: Event, make_world: Callable[..., World]
) -> None:
    first = make_world(Database.open(path, threaded=False))
    async with first.running():
        await first.ready()
        await first.intake.receive([event()])
        await first.pass_time(50)
        await first.lifecycle.tick()
    # Nothing is closed: as after kill -9. The sites go on; time goes on; nobody listens.
    await first.clock.advance(180)

    second = make_world(Database.open(path, threaded=False), clock=first.clock)
    second.adopt(first.sites)
    await second.inbox.restore()
    async with second.running():
        for site in second.sites.values():
            await site.connect()
        await second.everyone_reports()
        assert [len(site.taken) for site in second.sites.values()] == [1, 1, 1]
        await second.lifecycle.tick()
        await second.pass_time(10)
        assert len(await second.ledger.plans("u1/e1")) == 1
        assert second.live.snapshot().events[0].revision == 1
        answers = await second.intake.receive([event()])
        assert answers["u1/e1"].opt == "optIn"
        await second.intake.opt_out_site("u1/e1", "depot-2", "still obeyed")
        await second.settle()
        assert second.sites["depot-2"].taken[-1].steps == ()
        assert [one.site_seq for one in second.sites["depot-1"].taken] == [1, 2]
        await second.pass_time(30)
        await second.lifecycle.tick()
        report = await second.report()
        assert report.figures.coverage == pytest.approx(1.0)  # the site sent what it had kept
        # The others were asked for depot-2's part as well, and went on as before.
        assert {e.kind for e in report.exceptions} == {"opt-out", "short"}
    actions = [entry.action for entry in await second.ledger.journal("u1/e1")]
    assert actions.count("the event has begun") == 1
    assert actions.count("new event: optIn") == 1


async def test_an_instruction_stored_but_not_sent_is_sent_by_the_successor(
    path: Path, event: Event, make_world: Callable[..., World]
) -> None:
    first = make_world(Database.open(path, threaded=False))
    async with first.running():
        await first.ready()
        for site in first.sites.values():
            site.vanish()
        await first.intake.receive([event()])
        await first.settle()
    assert [len(site.taken) for site in first.sites.values()] == [0, 0, 0]
    second = make_world(Database.open(path, threaded=False), clock=first.clock)
    second.adopt(first.sites)
    async with second.running():
        for site in second.sites.values():
            await site.connect()
        assert [len(site.taken) for site in second.sites.values()] == [1, 1, 1]


async def test_an_event_taken_but_not_planned_is_planned_by_the_successor(
    path: Path, event: Event, make_world: Callable[..., World]
) -> None:
    first = make_world(Database.open(path, threaded=False))
    await first.history()
    await first.intake.receive([event()])  # dispatch never ran
    second = make_world(Database.open(path, threaded=False), clock=first.clock)
    second.adopt(first.sites)
    async with second.running():
        for site in second.sites.values():
            await site.connect()
        await second.everyone_reports()
        await second.sites["depot-1"].connect()
        plans = await second.ledger.plans("u1/e1")
        assert plans[-1].target.mean(event().window) == pytest.approx(60_000.0)
        await second.pass_time(30)
        assert all(len(site.taken) == 1 for site in second.sites.values())
        assert plans[0].created_at - second.clock.now() < timedelta(0)
