from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.site_link.messages import FlexibilityOffer, OfferedSlot
from gateway.flows.dispatch.book import book

World = Any


async def test_the_network_of_an_enrolment_and_the_groups_of_a_site_have_pages(
    world: World,
) -> None:
    await world.ready()
    now = world.clock.now()
    slots = tuple(
        OfferedSlot(
            start=now + timedelta(minutes=15 * n),
            expected_w=100_000.0,
            down_w=60_000.0,
            down_sure_w=40_000.0,
            lasts_s=7200.0,
            up_w=0.0,
            rebound_w=0.0,
            rebound_wh=0.0,
        )
        for n in range(12)
    )
    told = FlexibilityOffer(
        at=now, step_s=900.0, notice_s=5.0, ramp_w_per_min=0.0, data_age_s=3.0, slots=slots
    )
    for site_id in ("depot-1", "depot-2"):
        await world.sites[site_id].send(told)
    enrolments = tuple(
        replace(one, network="feeder" if one.site_id == "depot-2" else "")
        for one in world.portfolio.enrolments
    )
    portfolio = replace(world.portfolio, enrolments=enrolments)
    live = world.live.snapshot().sites
    pages = await book(portfolio, world.ledger, live, now, hours=1)
    assert [(one.group, one.lines[0].sites) for one in pages] == [
        ("", 2),
        ("feeder", 1),
        ("north", 1),
    ]
    line = pages[0].lines[0]
    assert (line.down_w, line.sure_w, line.energy_wh) == (120_000, 80_000, 240_000)
    assert pages[0].out == (("depot-3", "it has told no offer"),)
    late = now + timedelta(minutes=61)
    (all_of_it, *_) = await book(portfolio, world.ledger, live, late, hours=1)
    assert all_of_it.out[0] == ("depot-1", "its newest offer is 1 h 1 min old")
    assert all_of_it.oldest is None
    assert all_of_it.lines[0].down_w == pytest.approx(0)
