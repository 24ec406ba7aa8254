"""How sites and events deliver is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from contracts.time import Interval
from gateway.domain.delivery.correction import Correction
from gateway.domain.delivery.course import Course
from gateway.domain.delivery.credibility import Credibility
from gateway.domain.delivery.measured import PortfolioMinute
from gateway.domain.delivery.quarantine import Quarantine
from gateway.domain.delivery.standing import Standing
from gateway.store.database import Database
from gateway.store.delivery import SqlDelivery
from support.gateway_store import T0

MINUTE = PortfolioMinute(
    interval=Interval.lasting(T0, timedelta(minutes=1)),
    target_w=60_000.0,
    asked_w=66_000.0,
    delivered_w=58_000.0,
    coverage=0.9,
)
COURSE = Course(
    event_key="u1/e1",
    correction=Correction(modification=2, at=T0, share=0.08, first_at=T0, cause="92 % delivered"),
    expected=0.95,
    minutes=(MINUTE,),
)
DEAF = Standing(
    site_id="depot-2",
    credibility=Credibility(expected=0.2, minutes=9, misses=(0.5, 0.4, 0.1, 0.2, 0.3, 0.4)),
    quarantine=Quarantine(since=T0, reason="it gives 20 % of what it is asked"),
)


async def test_a_course_and_standings_are_as_they_were_kept(database: Database) -> None:
    memory = SqlDelivery(database)
    assert await memory.course("u1/e1") is None
    assert await memory.standings() == []
    await memory.keep(COURSE, [DEAF, Standing(site_id="depot-1")])
    assert await memory.course("u1/e1") == COURSE
    assert await memory.standings() == [Standing(site_id="depot-1"), DEAF]


async def test_the_newest_replaces_and_leaves_the_others(database: Database) -> None:
    memory = SqlDelivery(database)
    await memory.keep(COURSE, [DEAF, Standing(site_id="depot-1")])
    later, back = replace(COURSE, minutes=(MINUTE, MINUTE)), replace(DEAF, quarantine=None)
    await memory.keep(later, [back])
    await memory.keep(replace(COURSE, event_key="u1/e2"), [])
    assert await memory.course("u1/e1") == later
    assert await memory.standings() == [Standing(site_id="depot-1"), back]


async def test_a_restart_finds_it(place: Path | str) -> None:
    first = Database.open(place)
    await SqlDelivery(first).keep(COURSE, [DEAF])
    again = Database.open(place)  # no close: as after kill -9
    assert await SqlDelivery(again).standings() == [DEAF]
    again.close()
    first.close()
