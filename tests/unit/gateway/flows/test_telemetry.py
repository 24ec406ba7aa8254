from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.reading import Quality, Reading
from contracts.site_link import points
from contracts.site_link.health import Health
from contracts.site_link.messages import Batch, Hello, Measurement, NumberedRow, Refusal
from contracts.time import Interval
from gateway.flows.upstream.usage import UsageReports

World = Any
MINUTE = timedelta(minutes=1)


async def test_a_batch_is_stored_acknowledged_and_shown(world: World) -> None:
    site = world.sites["depot-1"]
    await site.connect()
    seen = world.live.snapshot()
    ack = await site.report()
    assert (ack.epoch, ack.seq) == ("e1", 2)
    stored = await world.telemetry.latest("depot-1")
    assert stored[points.PCC_POWER_W].value == 100_000.0
    shown = world.live.snapshot()
    assert shown.version > seen.version
    live = next(s for s in shown.sites if s.site.site_id == "depot-1")
    assert live.online
    assert live.value(points.PCC_POWER_W) == 100_000.0
    assert shown.sums[points.PCC_POWER_W].value == 100_000.0
    assert (shown.sums[points.PCC_POWER_W].sites, shown.online) == (1, 1)
    assert world.inbox.counters == {"site_hellos": 1, "telemetry_batches": 1, "telemetry_rows": 2}


async def test_how_an_agent_is_comes_with_its_rows(world: World) -> None:
    site, now = world.sites["depot-1"], world.clock.now()
    assert world.live.site("depot-1").agent_version == ""
    await site.connect()  # one that tells no more than its version
    await site.report()
    shown = world.live.site("depot-1")
    assert (shown.agent_version, shown.health) == ("test", None)

    row = Measurement(at=now, point="p", value=1.0, quality=Quality.GOOD)
    told = Health(agent_version="2", protocol=1, uptime_s=5.0, waiting_rows=3, mode="island")
    rows = (NumberedRow(seq=90, row=row),)
    batch = Batch(site_id="depot-1", epoch="e1", rows=rows, sent_at=now, health=told)
    await world.link.up("depot-1", batch)
    shown = world.live.site("depot-1")
    assert (shown.agent_version, shown.health) == ("2", told)

    await site.connect()  # it has been set back to the old one
    shown = world.live.site("depot-1")
    assert (shown.agent_version, shown.health) == ("test", None)


async def test_a_site_that_is_not_ours_is_refused(world: World) -> None:
    hello = Hello(
        site_id="stranger",
        epoch="e",
        versions=(1,),
        last_instruction_seq=0,
        outbox_head=0,
        agent_version="x",
        sent_at=world.clock.now(),
    )
    answer = await world.link.up("stranger", hello)
    assert isinstance(answer, Refusal)
    assert "not in the portfolio" in answer.reason
    row = Measurement(at=world.clock.now(), point="p", value=1.0, quality=Quality.GOOD)
    batch = Batch(
        site_id="stranger",
        epoch="e",
        rows=(NumberedRow(seq=1, row=row),),
        sent_at=world.clock.now(),
    )
    with pytest.raises(PermanentError):
        await world.inbox.batch(batch)


async def test_numbers_go_on_where_the_site_is_even_when_our_database_is_new(
    world: World, event: Callable[..., Any]
) -> None:
    await world.history()
    site = world.sites["depot-1"]
    world.link.attach("depot-1", site.receive)
    now = world.clock.now()
    await world.link.up(
        "depot-1",
        Hello(
            site_id="depot-1",
            epoch="e1",
            versions=(1,),
            last_instruction_seq=17,
            outbox_head=0,
            agent_version="test",
            sent_at=now + timedelta(seconds=90),
        ),
    )
    await site.report()
    await world.intake.receive([event()])
    await world.settle()
    assert [one.site_seq for one in site.taken] == [18]
    (entry,) = (e for e in await world.ledger.journal("depot-1") if e.action == "connected")
    assert "its clock is 0:01:30 ahead of ours" in entry.cause


async def test_late_rows_do_not_change_the_present_and_silence_is_offline(world: World) -> None:
    site = world.sites["depot-1"]
    await site.connect()
    late = Measurement(
        at=world.clock.now() - MINUTE, point=points.PCC_POWER_W, value=5.0, quality=Quality.GOOD
    )
    ahead = Measurement(
        at=world.clock.now() + 60 * MINUTE,
        point=points.PCC_POWER_W,
        value=6.0,
        quality=Quality.GOOD,
    )
    await site.report()
    await site.send(late, ahead)
    assert world.live.site("depot-1").value(points.PCC_POWER_W) == 100_000.0
    await world.clock.advance(91)
    assert not world.live.site("depot-1").online
    sums = world.live.snapshot().sums[points.PCC_POWER_W]
    assert (sums.value, sums.sites) == (None, 0)


async def test_the_present_is_restored_from_the_store(world: World) -> None:
    await world.ready()
    successor = type(world)(world.database, clock=world.clock)
    await successor.inbox.restore()
    live = successor.live.site("depot-2")
    assert live.value(points.PCC_POWER_W) == 100_000.0
    assert not live.online  # not until it is heard


async def test_watchers_wake_at_a_change(world: World) -> None:
    version = world.live.snapshot().version
    await world.sites["depot-1"].connect()
    assert await world.live.changed(version) > version


async def test_usage_for_the_utility(world: World) -> None:
    usage = UsageReports(world.portfolio, world.telemetry)
    assert [p.point_id for p in await usage.points()] == [
        "portfolio/power_w",
        "site/depot-1/power_w",
        "site/depot-2/power_w",
        "site/depot-3/power_w",
    ]
    await world.everyone_reports()
    world.sites["depot-2"].power_w = 50_000.0
    await world.pass_time(2)
    await world.clock.advance(60)
    now = world.clock.now()
    last = Interval(start=now - MINUTE, end=now)
    whole = await usage.usage("portfolio/power_w", last)
    assert whole == Reading(value=250_000.0, quality=Quality.GOOD, at=now)
    one = await usage.usage("site/depot-2/power_w", last)
    assert (one.value, one.quality) == (50_000.0, Quality.GOOD)
    before = Interval(start=now - 90 * MINUTE, end=now - 80 * MINUTE)
    assert (await usage.usage("portfolio/power_w", before)).value is None
    assert (await usage.usage("site/depot-2/power_w", before)).quality is Quality.OFFLINE
    assert (await usage.usage("site/nobody/power_w", last)).quality is Quality.INVALID
    with pytest.raises(ValueError, match="closed"):
        await usage.usage("portfolio/power_w", Interval(start=now, end=None))


async def test_the_portfolio_is_an_estimate_while_a_site_is_missing(world: World) -> None:
    usage = UsageReports(world.portfolio, world.telemetry)
    await world.everyone_reports(["depot-1", "depot-2"])
    await world.pass_time(2, ["depot-1", "depot-2"])
    now = world.clock.now()
    found = await usage.usage("portfolio/power_w", Interval(start=now - MINUTE, end=now))
    assert (found.value, found.quality) == (200_000.0, Quality.ESTIMATED)


async def test_two_agents_that_are_one_site_raise_an_alarm_until_one_is_gone(world: World) -> None:
    site = world.sites["depot-1"]
    await site.connect()

    async def says(epoch: str) -> None:
        row = Measurement(at=world.clock.now(), point="p", value=1.0, quality=Quality.GOOD)
        numbered = NumberedRow(seq=1, row=row)
        now = world.clock.now()
        await world.inbox.batch(
            Batch(site_id="depot-1", epoch=epoch, rows=(numbered,), sent_at=now)
        )
        await world.clock.advance(1)

    async def alarms() -> list[bool]:
        window = Interval(start=world.clock.now() - timedelta(days=1), end=None)
        found = await world.ledger.notices(window)
        return [one.raised for _, one in found if one.code == "two-agents"]

    for epoch in ("e1", "new", "e1", "new"):  # a new file, and a message that came late
        await says(epoch)
    assert await alarms() == []
    for epoch in ("e1", "new", "e1"):
        await says(epoch)
    assert await alarms() == [True]
    await world.clock.advance(2 * 3600)
    await says("e1")
    assert await alarms() == [True, False]
