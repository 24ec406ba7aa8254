"""Requests to one class of devices: who is asked, how it is told, what counts as delivered."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.device_class import DeviceClass
from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import FlexibilityOffer, Measurement, OfferedSlot
from contracts.site_link.parts import OfferedPart
from contracts.time import Interval
from gateway.domain.delivery.course import DeliveryRules
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.event import GridEvent
from gateway.domain.scope import Scope
from gateway.flows.dispatch.splitting import site_offer
from gateway.store.database import Database
from support.examples import examples, fixed

World = Any
"""See conftest."""
Event = Callable[..., GridEvent]
EVSE, STORAGE = DeviceClass.EVSE, DeviceClass.STORAGE
CHARGING_W = 70_000.0
QUARTER = timedelta(minutes=15)


def told(at: datetime, *parts: OfferedPart, down_w: float = 60_000.0) -> FlexibilityOffer:
    slots = tuple(
        OfferedSlot(
            start=at + n * QUARTER,
            expected_w=100_000.0,
            down_w=down_w,
            down_sure_w=down_w,
            lasts_s=7200.0,
            up_w=0.0,
            rebound_w=0.0,
            rebound_wh=0.0,
            parts=parts,
        )
        for n in range(24)
    )
    return FlexibilityOffer(
        at=at, step_s=900.0, notice_s=5.0, ramp_w_per_min=0.0, data_age_s=3.0, slots=slots
    )


def part(of: DeviceClass | str, down_w: float, expected_w: float) -> OfferedPart:
    return OfferedPart(
        device_class=str(of), down_w=down_w, down_sure_w=down_w, expected_w=expected_w
    )


async def measured(world: World, site_id: str, charging_w: float, battery_w: float) -> None:
    rows = [
        Measurement(at=world.clock.now(), point=point, value=value, quality=Quality.GOOD)
        for point, value in (
            (points.CHARGING_POWER_W, charging_w),
            (points.BATTERY_POWER_W, battery_w),
        )
    ]
    await world.sites[site_id].send(*rows)


async def ready(world: World) -> None:
    """Depots 1 and 2 tell parts; depot 3 is an agent of before, with an offer as a whole."""
    await world.history(CHARGING_W, point=points.CHARGING_POWER_W)
    await world.history(0.0, point=points.BATTERY_POWER_W)
    await world.ready()
    now = world.clock.now()
    await world.sites["depot-1"].send(
        told(now, part(EVSE, 40_000.0, CHARGING_W), part(STORAGE, 20_000.0, 0.0))
    )
    await world.sites["depot-2"].send(
        told(now, part(EVSE, 20_000.0, CHARGING_W), part("heat-pump", 10_000.0, 0.0))
    )
    await world.sites["depot-3"].send(told(now))
    for site_id in world.sites:
        await measured(world, site_id, CHARGING_W, 0.0)


async def planned(world: World, event: GridEvent) -> DispatchPlan:
    await world.intake.receive([event])
    await world.settle()
    plans: Sequence[DispatchPlan] = await world.ledger.plans(event.key)
    return plans[-1]


@pytest.mark.row("portfolio:A5")
async def test_chargers_alone_are_asked_and_told_a_load_limit(world: World, event: Event) -> None:
    await ready(world)
    asked = event(value=-30_000.0, device_classes=(EVSE,))
    made = await planned(world, asked)
    given_w = {a.site_id: a.reduction.mean(asked.window) for a in made.allocations}
    assert given_w["depot-1"] == pytest.approx(20_000)  # both give the same share of their parts
    assert given_w["depot-2"] == pytest.approx(10_000)
    assert not given_w["depot-3"]
    one, out = made.allocation("depot-1"), made.allocation("depot-3")
    assert one is not None
    assert out is not None
    assert not out.counted_on
    assert out.cause == "not counted on: it does not tell what its chargers alone could give"
    assert "its chargers alone" in one.cause
    for step in world.sites["depot-1"].taken[-1].steps[:-1]:
        assert (step.import_limit_w, step.storage_power_w) == (None, None)
        assert step.load_limit_w is not None
    first = world.sites["depot-1"].taken[-1].steps[0]
    assert first.load_limit_w == pytest.approx(CHARGING_W - 20_000)


@pytest.mark.row("portfolio:A5")
async def test_batteries_alone_are_told_a_storage_target(world: World, event: Event) -> None:
    await ready(world)
    made = await planned(world, event(value=-30_000.0, device_classes=(STORAGE,)))
    (step, *_) = world.sites["depot-1"].taken[-1].steps
    assert step.storage_power_w == pytest.approx(-20_000)
    assert (step.import_limit_w, step.load_limit_w) == (None, None)
    assert made.shortfall.mean(event().window) == pytest.approx(10_000)  # told, not hidden
    assert not world.sites["depot-2"].taken


@pytest.mark.row("portfolio:A5")
async def test_inverters_cannot_lower_an_import(world: World, event: Event) -> None:
    await ready(world)
    made = await planned(world, event(value=-30_000.0, device_classes=(DeviceClass.PV,)))
    assert made.shortfall.mean(event().window) == pytest.approx(30_000)
    assert all("its inverters alone" in a.cause for a in made.allocations)


async def test_what_chargers_give_is_measured_at_the_chargers(
    make_world: Callable[..., World], event: Event
) -> None:
    """What the building draws meanwhile is no matter of this event, nor of its report."""
    database = Database.in_memory()
    options = replace(make_world.options, delivery=DeliveryRules())  # type: ignore[attr-defined]
    asked = event(value=-30_000.0, device_classes=(EVSE,))
    async with make_world(database, options=options).running() as world:
        await ready(world)
        await planned(world, asked)
        gives_w = {"depot-1": 20_000.0, "depot-2": 10_000.0, "depot-3": 0.0}
        for _ in range(85):
            now = world.clock.now()
            for site_id, given_w in gives_w.items():
                held_w = given_w if now in asked.window else 0.0
                await measured(world, site_id, CHARGING_W - held_w, 0.0)
                await world.sites[site_id].send(told_again(now, site_id))
            await world.pass_time(1)
        during = world.delivering.course(asked.key).minutes
        await world.settlement.settle(asked.key, final=False)
        sites = {one.site_id: one for one in (await world.report(asked.key)).sites}
    database.close()
    inside = [one for one in during if one.interval.end < asked.window.end][5:]
    assert inside
    assert all(one.delivered_w == pytest.approx(30_000, rel=0.05) for one in inside)
    assert sites["depot-1"].delivered_mean_w == pytest.approx(20_000, rel=0.05)


def told_again(now: datetime, site_id: str) -> FlexibilityOffer:
    if site_id == "depot-3":
        return told(now)
    down_w = 40_000.0 if site_id == "depot-1" else 20_000.0
    return told(now, part(EVSE, down_w, CHARGING_W))


async def test_a_change_of_classes_is_told_even_at_the_same_figure(
    world: World, event: Event
) -> None:
    await ready(world)
    asked = event(value=-20_000.0, device_classes=(EVSE,), targets=("depot-1",))
    await planned(world, asked)
    await planned(world, replace(asked, modification=1, device_classes=()))
    (step, *_) = world.sites["depot-1"].taken[-1].steps
    assert step.load_limit_w is None
    assert step.import_limit_w == pytest.approx(80_000)


@pytest.mark.row("portfolio:A5")
@given(
    whole_w=st.floats(0, 1e6),
    likely_w=st.floats(0, 1e6),
    sure_w=st.floats(0, 1e6),
    scope=st.sampled_from([Scope.CHARGING, Scope.STORAGE]),
)
@settings(max_examples=examples(50), deadline=None, derandomize=fixed())
def test_a_part_never_counts_for_more_than_the_offer_it_is_part_of(
    whole_w: float, likely_w: float, sure_w: float, scope: Scope
) -> None:
    at = datetime.fromisoformat("2026-03-04T12:00+00:00")
    one = OfferedPart(device_class=str(scope.device_class), down_w=likely_w, down_sure_w=sure_w)
    window = Interval.lasting(at, timedelta(hours=1))
    found = site_offer(told(at, one, down_w=whole_w), window, scope)
    assert len(found.slots) == 4
    for slot in found.slots:
        assert 0 <= slot.sure_w <= slot.down_w <= min(whole_w, likely_w)
    assert not site_offer(told(at, down_w=whole_w), window, scope).slots
