"""What utilities' reports are made of, with a whole gateway in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.reading import Quality
from contracts.time import Interval
from gateway.domain.event import SignalKind
from gateway.flows.upstream.resources import ResourceReports

MINUTE = timedelta(minutes=1)
ALL = "portfolio/power_w"
SITES = ("depot-1", "depot-2", "depot-3")


@pytest.fixture
def reports(world: Any) -> ResourceReports:
    return ResourceReports(world.portfolio, world.telemetry, world.ledger, world.live, world.clock)


def minutes_before(now: Any, count: int) -> list[Interval]:
    start = now - count * MINUTE
    return list(Interval(start=start, end=now).split(MINUTE))


async def test_means_of_consecutive_intervals(world: Any, reports: ResourceReports) -> None:
    await world.everyone_reports()
    await world.pass_time(2)
    world.sites["depot-2"].power_w = 50_000.0
    await world.pass_time(2)
    pieces = minutes_before(world.clock.now(), 4)
    whole = await reports.means(ALL, pieces)
    assert [r.value for r in whole] == [300_000.0, 300_000.0, 300_000.0, 250_000.0]
    assert {r.quality for r in whole} == {Quality.GOOD}
    one = await reports.means("site/depot-2/power_w", pieces)
    assert [r.value for r in one] == [100_000.0, 100_000.0, 100_000.0, 50_000.0]
    assert [r.value for r in await reports.means("site/nobody/power_w", pieces)] == [None] * 4


async def test_a_silent_site_is_not_held_on_to(world: Any, reports: ResourceReports) -> None:
    await world.everyone_reports()
    await world.pass_time(2)
    await world.pass_time(2, ["depot-1", "depot-2"])
    now = world.clock.now()
    silent = await reports.means("site/depot-3/power_w", minutes_before(now, 4))
    assert [r.value for r in silent] == [100_000.0, 100_000.0, 100_000.0, None]
    assert [r.quality for r in silent][2:] == [Quality.ESTIMATED, Quality.OFFLINE]
    whole = await reports.means(ALL, minutes_before(now, 1))
    assert (whole[0].value, whole[0].quality) == (200_000.0, Quality.ESTIMATED)
    assert reports.known_until(ALL) == now - 2 * MINUTE
    assert reports.known_until("site/depot-1/power_w") == now
    assert reports.known_until("site/nobody/power_w") is None


async def test_never_heard_sites_are_not_waited_for(world: Any, reports: ResourceReports) -> None:
    assert reports.known_until(ALL) is None
    await world.everyone_reports(["depot-1"])
    assert reports.known_until(ALL) == world.clock.now()


@pytest.mark.row("openadr:P9")
async def test_how_sites_are_for_a_utility(
    world: Any, reports: ResourceReports, event: Any
) -> None:
    await world.ready()
    before = await reports.resources("u1")
    assert {s: (r.online, r.overridden, r.level) for s, r in before.items()} == dict.fromkeys(
        SITES, (True, False, 0)
    )
    assert {r.contracted_w for r in before.values()} == {10_000.0}
    level = event(value=2.0, kind=SignalKind.LEVEL, targets=("depot-1", "depot-2"))
    await world.intake.receive([level])
    await world.pass_time(41, ["depot-1", "depot-2"])
    await world.intake.opt_out_site(level.key, "depot-2", "the owner says so")
    during = await reports.resources("u1")
    assert [during[s].online for s in SITES] == [True, True, False]
    assert [during[s].overridden for s in SITES] == [False, True, False]
    assert [during[s].level for s in SITES] == [2, 0, 0]
    other = await reports.resources("another")
    assert not any(state.overridden or state.level for state in other.values())
