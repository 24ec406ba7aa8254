"""What sites offer in each hour is written down before it begins, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.site_link.messages import FlexibilityOffer, OfferedSlot
from gateway.flows.nominating.recorder import KEEP, Recorder
from gateway.store.nominations import SqlNominations
from support.nominations import past

World = Any  # of conftest
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
KW = 1000.0


def told(now: datetime, down_w: float) -> FlexibilityOffer:
    slots = tuple(
        OfferedSlot(
            start=now.replace(minute=0, second=0) + timedelta(minutes=15 * n),
            expected_w=100 * KW,
            down_w=down_w,
            down_sure_w=0.75 * down_w,
            lasts_s=7200.0,
            up_w=0.0,
            rebound_w=0.0,
            rebound_wh=0.0,
        )
        for n in range(16)
    )
    return FlexibilityOffer(
        at=now, step_s=900.0, notice_s=5.0, ramp_w_per_min=0.0, data_age_s=3.0, slots=slots
    )


@pytest.mark.row("portfolio:A3")
async def test_the_coming_hour_is_written_down_once(world: World) -> None:
    await world.ready()  # noon
    book = SqlNominations(world.database)
    recorder = Recorder(world.portfolio, world.ledger, world.live, book, world.clock)
    await world.sites["depot-1"].send(told(world.clock.now(), 60 * KW))
    await recorder.tick()
    one_pm = world.clock.now().replace(minute=0, second=0, microsecond=0) + HOUR
    assert await book.offered([one_pm]) == []
    await world.clock.advance((one_pm - 5 * MINUTE - world.clock.now()).total_seconds())
    await world.everyone_reports()
    await world.sites["depot-1"].send(told(world.clock.now(), 50 * KW))
    await recorder.tick()
    (row,) = await book.offered([one_pm])
    assert (row.site_id, row.down_w, row.sure_w, row.expected_w, row.out) == (
        "depot-1",
        50 * KW,
        37.5 * KW,
        100 * KW,
        "",
    )
    # Who is silent is asked for again, and written down as silent at last.
    await world.sites["depot-2"].send(told(world.clock.now(), 20 * KW))
    for _ in range(5):
        await world.sites["depot-1"].send(told(world.clock.now(), 99 * KW))
        again = Recorder(world.portfolio, world.ledger, world.live, book, world.clock)
        await again.tick()
        await world.clock.advance(58)
        await world.everyone_reports()
    rows = {one.site_id: one for one in await book.offered([one_pm])}
    assert [one.down_w for one in rows.values()] == [50 * KW, 20 * KW, 0.0]
    assert rows["depot-3"].out == "it has told no offer"


async def test_hours_of_long_ago_are_dropped(world: World) -> None:
    await world.ready()
    book = SqlNominations(world.database)
    now = world.clock.now()
    old = past({"depot-1": [1.0] * 2}, before=now - KEEP)
    await book.record(old)
    one_pm = now.replace(minute=0, second=0, microsecond=0) + HOUR
    await world.clock.advance((one_pm - MINUTE - now).total_seconds())
    await Recorder(world.portfolio, world.ledger, world.live, book, world.clock).tick()
    assert await book.offered([one.start for one in old]) == []
