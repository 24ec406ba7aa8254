"""What a split is told by the flows: offers as stored, history, runs so far."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.site_link.messages import FlexibilityOffer, OfferedSlot
from gateway.domain.dispatch.limits import Block
from gateway.domain.event import GridEvent
from gateway.flows.dispatch.splitting import (
    NetworkGroup,
    SplitOptions,
    asked_of,
    limits,
    site_offer,
)

World = Any
"""See conftest."""

MINUTE = timedelta(minutes=1)
Event = Callable[..., GridEvent]


def told(
    at: Any, down_w: float, *, expected_w: float = 100_000.0, **fields: Any
) -> FlexibilityOffer:
    """Half a day of quarters; the first begins when the offer was made, as agents send it."""
    quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    starts = [at, *(quarter + k * 15 * MINUTE for k in range(1, 48))]
    base: dict[str, Any] = {
        "down_sure_w": down_w,
        "lasts_s": 3600.0,
        "up_w": 0.0,
        "rebound_w": 0.0,
        "rebound_wh": 0.0,
    }
    return FlexibilityOffer(
        at=at,
        step_s=900.0,
        notice_s=10.0,
        ramp_w_per_min=1e6,
        data_age_s=1.0,
        slots=tuple(
            OfferedSlot(start=s, expected_w=expected_w, down_w=down_w, **{**base, **fields})
            for s in starts
        ),
    )


@pytest.mark.row("portfolio:A5")
async def test_a_plan_follows_what_sites_have_told(world: World, event: Event) -> None:
    """Depot 1 offers 20 kW for half an hour of the hour; the others only say what they can now."""
    await world.ready()
    now = world.clock.now()
    await world.sites["depot-1"].send(told(now, 20_000.0, lasts_s=1800.0))
    await world.intake.receive([event(end=60, value=-120_000.0)])
    await world.settle()
    made = (await world.ledger.plans("u1/e1"))[-1]
    window = event(end=60).window
    given = {a.site_id: a.reduction.mean(window) for a in made.allocations}
    assert given["depot-1"] == pytest.approx(10_000.0)
    assert given["depot-2"] == pytest.approx(55_000.0)
    assert "its energy lasts until 13:00" in made.allocation("depot-1").cause


async def test_an_old_offer_says_nothing(world: World, event: Event) -> None:
    await world.ready()
    await world.sites["depot-1"].send(told(world.clock.now() - 11 * MINUTE, 20_000.0))
    await world.intake.receive([event(value=-120_000.0)])
    await world.settle()
    made = (await world.ledger.plans("u1/e1"))[-1]
    assert made.allocation("depot-1").reduction.mean(event().window) == pytest.approx(40_000.0)


async def test_who_gave_in_one_event_is_spared_in_the_next(world: World, event: Event) -> None:
    await world.ready()
    only = event("e1", end=10, value=-30_000.0, targets=("depot-1",))
    await world.intake.receive([only])
    await world.settle()
    await world.pass_time(60)
    later = event("e2", start=90, end=120, value=-60_000.0)
    await world.intake.receive([later])
    await world.settle()
    made = (await world.ledger.plans("u1/e2"))[-1]
    given = [a.reduction.mean(later.window) or 0.0 for a in made.allocations]
    assert given[0] == pytest.approx(given[1])  # nobody else was asked, so all are average
    history = asked_of(await world.ledger.plans("u1/e1"))
    assert history["depot-1"].share == pytest.approx(0.5)


def test_slots_in_any_order_that_overlap_become_an_offer(event: Event) -> None:
    window = event().window
    one = told(window.start, 5.0)
    mixed = FlexibilityOffer(
        **{**{f: getattr(one, f) for f in one.__slots__}, "slots": one.slots[::-1] + one.slots[:2]}
    )
    found = site_offer(mixed, window)
    ends = [slot.interval.end for slot in found.slots]
    starts = [slot.interval.start for slot in found.slots]
    assert starts[1:] == ends[:-1]
    assert starts[0] == window.start
    assert ends[-1] == window.end


async def test_limits_know_what_is_given_and_for_how_long(world: World, event: Event) -> None:
    await world.ready()
    await world.intake.receive([event(value=-60_000.0)])
    await world.settle()
    plans = await world.ledger.plans("u1/e1")
    options = SplitOptions(
        network=(NetworkGroup(name="north", reduction_w=5.0, export_limit_w=7.0),),
        blocks={"depot-1": Block()},
    )
    now = event().window.start + 12 * MINUTE
    found = limits(world.portfolio.sites, plans, {}, options, now, ends_known=True)
    assert found.on_for == {"depot-1": 12 * MINUTE}
    assert found.given_w["depot-2"] == pytest.approx(20_000.0)
    (group,) = found.groups
    assert (group.sites, group.reduction_w, group.lowest_w) == (frozenset({"depot-1"}), 5.0, -7.0)
    before = limits(world.portfolio.sites, [], {}, options, now, ends_known=True)
    assert not before.on_for
