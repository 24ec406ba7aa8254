"""Limits on what the portfolio exports or generates together: split, told, measured, reported."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.device_class import DeviceClass
from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import FlexibilityOffer, Measurement, OfferedSlot
from contracts.site_link.parts import OfferedPart
from gateway.domain.delivery.course import DeliveryRules
from gateway.domain.event import GridEvent, SignalKind
from gateway.store.database import Database

World = Any
"""See conftest."""
Event = Callable[..., GridEvent]
EXPORT, GENERATION = SignalKind.EXPORT_LIMIT_W, SignalKind.GENERATION_LIMIT_W
LEAVES_W, MADE_W = 50_000.0, 60_000.0
CURTAILED_W = {"depot-1": 60_000.0, "depot-2": 30_000.0}
"""What inverters can be told not to make; the agent of depot-3 is one of before parts."""
QUARTER = timedelta(minutes=15)


def told(at: datetime, curtail_w: float | None) -> FlexibilityOffer:
    pv = OfferedPart(device_class=DeviceClass.PV, expected_w=-MADE_W, curtail_w=curtail_w or 0.0)
    slots = tuple(
        OfferedSlot(
            start=at + n * QUARTER,
            expected_w=-LEAVES_W,
            down_w=0.0,
            down_sure_w=0.0,
            lasts_s=0.0,
            up_w=0.0,
            rebound_w=0.0,
            rebound_wh=0.0,
            parts=() if curtail_w is None else (pv,),
        )
        for n in range(24)
    )
    return FlexibilityOffer(
        at=at, step_s=900.0, notice_s=5.0, ramp_w_per_min=100.0, data_age_s=3.0, slots=slots
    )


async def sunny(world: World, kept_w: dict[str, float] | None = None) -> None:
    """What every site measures and offers now, where it keeps so much from leaving."""
    now = world.clock.now()
    for site_id, site in world.sites.items():
        less_w = (kept_w or {}).get(site_id, 0.0)
        site.power_w = less_w - LEAVES_W
        made = Measurement(
            at=now, point=points.GENERATION_POWER_W, value=less_w - MADE_W, quality=Quality.GOOD
        )
        await site.send(made)
        await site.send(told(now, CURTAILED_W.get(site_id)))


async def ready(world: World) -> None:
    await world.history(-LEAVES_W)
    await world.history(-MADE_W, point=points.GENERATION_POWER_W)
    for site in world.sites.values():
        await site.connect()
    await sunny(world)
    await world.everyone_reports()


async def planned(world: World, asked: GridEvent) -> Any:
    await world.intake.receive([asked])
    await world.settle()
    return (await world.ledger.plans(asked.key))[-1]


def first_step(world: World, site_id: str) -> dict[str, float]:
    (step, *_) = world.sites[site_id].taken[-1].steps
    names = ("import_limit_w", "export_limit_w", "load_limit_w", "generation_limit_w")
    return {name: value for name in names if (value := getattr(step, name)) is not None}


@pytest.mark.row("portfolio:A5")
async def test_an_export_limit_is_shared_by_those_whose_inverters_can_make_less(
    world: World, event: Event
) -> None:
    """150 kW would leave, 110 may: 40 of the 50 and 30 kW that can be kept in, half of each."""
    await ready(world)
    made = await planned(world, event(kind=EXPORT, value=110_000.0))
    asked_w = {a.site_id: a.reduction.mean(event().window) for a in made.allocations}
    assert asked_w["depot-1"] == pytest.approx(25_000)
    assert asked_w["depot-2"] == pytest.approx(15_000)
    assert first_step(world, "depot-1") == {"export_limit_w": pytest.approx(-25_000)}
    assert first_step(world, "depot-2") == {"export_limit_w": pytest.approx(-35_000)}
    assert not world.sites["depot-3"].taken
    out = made.allocation("depot-3")
    assert out.cause == "not counted on: it does not tell what its exports alone could give"
    assert not len(made.shortfall)


@pytest.mark.row("portfolio:A5")
async def test_what_inverters_cannot_keep_in_is_told_and_nobody_is_asked_to_import(
    world: World, event: Event
) -> None:
    await ready(world)
    made = await planned(world, event(kind=EXPORT, value=0.0))
    assert made.shortfall.mean(event().window) == pytest.approx(150_000 - 80_000)
    assert first_step(world, "depot-1") == {"export_limit_w": 0.0}  # not its 60 kW of PV
    assert first_step(world, "depot-2") == {"export_limit_w": pytest.approx(-20_000)}


@pytest.mark.row("portfolio:A5")
@pytest.mark.parametrize(
    "asked",
    [
        {"kind": GENERATION, "value": 135_000.0},
        {"kind": SignalKind.DELTA_W, "value": 45_000.0, "device_classes": (DeviceClass.PV,)},
        {"kind": SignalKind.SETPOINT_W, "value": -135_000.0, "device_classes": (DeviceClass.PV,)},
    ],
    ids=["limit", "change of load", "load to have"],
)
async def test_less_generation_is_counted_on_generation(
    world: World, event: Event, asked: dict[str, Any]
) -> None:
    await ready(world)
    await planned(world, event(**asked))
    assert first_step(world, "depot-1") == {"generation_limit_w": pytest.approx(-30_000)}
    assert first_step(world, "depot-2") == {"generation_limit_w": pytest.approx(-45_000)}


async def test_a_limit_above_what_leaves_asks_nothing(world: World, event: Event) -> None:
    await ready(world)
    made = await planned(world, event(kind=EXPORT, value=200_000.0))
    assert not any(one.steps for one in made.allocations)
    assert not any(site.taken for site in world.sites.values())


async def test_what_is_kept_in_is_delivered_and_reported(
    make_world: Callable[..., World], event: Event
) -> None:
    database = Database.in_memory()
    options = replace(make_world.options, delivery=DeliveryRules())  # type: ignore[attr-defined]
    asked = event(kind=EXPORT, value=110_000.0)
    async with make_world(database, options=options).running() as world:
        await ready(world)
        await planned(world, asked)
        for _ in range(85):
            now = world.clock.now()
            held = {"depot-1": 25_000.0, "depot-2": 15_000.0} if now in asked.window else {}
            await sunny(world, held)
            await world.pass_time(1)
        during = world.delivering.course(asked.key).minutes
        await world.settlement.settle(asked.key, final=False)
        report = await world.report(asked.key)
    database.close()
    inside = [one for one in during if one.interval.end < asked.window.end][5:]
    assert inside
    assert all(one.delivered_w == pytest.approx(40_000, rel=0.05) for one in inside)
    sites = {one.site_id: one for one in report.sites}
    assert sites["depot-1"].delivered_mean_w == pytest.approx(25_000, rel=0.05)
    assert report.figures.delivered_mean_w == pytest.approx(40_000, rel=0.05)
    assert report.header.signal == "export no more than 110.0 kW in total"
    assert report.curves.baseline.mean(asked.window) == pytest.approx(150_000, rel=0.01)
    assert report.method.endswith("; counted on what leaves at the connection")
