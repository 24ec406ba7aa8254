"""A past event or day again by other rules: what differs, and that nothing is stored."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.device_class import DeviceClass
from contracts.errors import PermanentError
from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import Measurement
from contracts.time import Interval
from gateway.domain.event import GridEvent
from gateway.domain.program.paying import EnergyPay, Rate
from gateway.domain.program.rules import Rules
from gateway.flows.replay.desk import Replay, ReplayDesk
from gateway.flows.replay.otherwise import Otherwise

World = Any
"""See conftest."""
Event = Callable[..., GridEvent]
MINUTE = timedelta(minutes=1)
EUR = Rate(amount=Decimal("0.50"), unit="kWh", currency="EUR", example=False)


def desk(world: World) -> ReplayDesk:
    return ReplayDesk(world.portfolio, world.ledger, world.settlement, world.clock)


async def happened(world: World, event: Event) -> str:
    """60 kW less for half an hour, which all three depots give; it is settled."""
    await world.ready()
    for site in world.sites.values():
        site.obeys = 1.0
    asked = event()
    await world.intake.receive([asked])
    await world.settle()
    await world.pass_time(85)
    await world.settlement.settle(asked.key, final=True)
    return asked.key


def changed(found: Replay) -> dict[tuple[str, str], tuple[object, object]]:
    return {(one.where, one.what): (one.before, one.after) for one in found.changes}


@pytest.mark.row("mv:X2")
async def test_by_its_own_rules_nothing_differs_and_nothing_is_stored(
    world: World, event: Event
) -> None:
    key = await happened(world, event)
    settled = await world.ledger.report(key)
    found = await desk(world).event(key, Otherwise())
    assert found.changes == ()
    assert found.before.figures.delivered_mean_w == pytest.approx(60_000, rel=0.05)
    assert await world.ledger.report(key) == settled


@pytest.mark.row("mv:X2")
async def test_by_another_baseline_the_days_and_what_was_delivered_differ(
    world: World, event: Event
) -> None:
    """The last five days drew 20 kW more; three of them are among the high 5 of 10 working days.

    So each site's baseline is 112 kW, not the 110 of all days, by which it was told to draw 90.
    """
    for site_id in ("depot-1", "depot-2", "depot-3"):
        for days in range(1, 6):
            noon = event().window.start - timedelta(days=days)
            span = Interval(start=noon, end=noon + 30 * MINUTE)
            more = StepSeries.of((piece, 120_000.0) for piece in span.split(5 * MINUTE))
            await world.telemetry.insert_history(site_id, points.PCC_POWER_W, more, "synthetic")
    key = await happened(world, event)
    found = await desk(world).event(key, Otherwise(baseline="high-5-of-10-type"))
    told = changed(found)
    before, after = told["portfolio", "delivered, mean"]
    assert (before, after) == (pytest.approx(60_000), pytest.approx(66_000))
    assert "5 highest of the last 10" in str(told["portfolio", "baseline rule"][1])
    assert ("depot-1", "baseline days") in told
    assert all(one.what != "participant" for one in found.changes)


@pytest.mark.row("mv:X2")
async def test_one_site_alone_and_at_another_price(world: World, event: Event) -> None:
    key = await happened(world, event)
    found = await desk(world).event(key, Otherwise(sites=("depot-1",), energy_rate=EUR))
    told = changed(found)
    assert told["depot-2", "participant"] == ("takes part", None)
    paid = found.after.lines
    assert [(line.currency, line.price) for line in paid] == [("EUR", Decimal("0.5"))]
    # 20 kW for half an hour
    assert float(paid[0].amount or 0) == pytest.approx(0.5 * 20 * 0.5, rel=0.05)


@pytest.mark.row("mv:X2")
async def test_by_the_rules_of_another_program(world: World, event: Event) -> None:
    key = await happened(world, event)
    rules = Rules(energy_pay=(EnergyPay(rate=replace(EUR, amount=Decimal(2))),))
    other = replace(world.portfolio.programs[0], program_id="other", name="Other", rules=rules)
    portfolio = replace(world.portfolio, programs=(*world.portfolio.programs, other))
    again = ReplayDesk(portfolio, world.ledger, world.settlement, world.clock)
    told = changed(await again.event(key, Otherwise(program_id="other")))
    assert told["portfolio", "program"] == ("Peak relief", "Other")
    assert told["portfolio", "energy"][0] is None


@pytest.mark.row("mv:X2")
async def test_counted_on_the_chargers_alone(world: World, event: Event) -> None:
    await world.history(40_000.0, point=points.CHARGING_POWER_W)
    key = await happened(world, event)
    start = event().window.start
    for minute in range(-10, 45):
        for site in world.sites.values():
            at = start + minute * MINUTE
            await site.send(
                Measurement(
                    at=at, point=points.CHARGING_POWER_W, value=30_000.0, quality=Quality.GOOD
                )
            )
    found = await desk(world).event(key, Otherwise(device_classes=(DeviceClass.EVSE,)))
    assert found.after.method.endswith("; counted on what the chargers draw")
    # Chargers drew 40 kW on past days and 30 now; nothing was measured to adjust that by.
    before, after = changed(found)["depot-1", "delivered, mean"]
    assert (before, after) == (pytest.approx(20_000), pytest.approx(10_000))


@pytest.mark.row("mv:X2")
async def test_a_day_without_an_event_shows_how_far_a_baseline_is_off(
    world: World, event: Event
) -> None:
    await world.ready()
    await world.pass_time(60)
    start = world.clock.now() - 50 * MINUTE
    window = Interval(start=start, end=start + 30 * MINUTE)
    found = await desk(world).day("relief", window, Otherwise(baseline="10-in-10-unadjusted-type"))
    assert found.before.figures.delivered_mean_w == pytest.approx(0.0, abs=1_000)
    assert await world.ledger.events() == []


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (Otherwise(baseline="magic"), "no baseline method 'magic'; there are: 10-in-10-type"),
        (Otherwise(program_id="none"), "no program 'none' was in force"),
        (Otherwise(sites=("depot-9",)), "the event was not about any of: depot-9"),
    ],
)
async def test_what_does_not_exist_is_told(
    world: World, event: Event, new: Otherwise, why: str
) -> None:
    key = await happened(world, event)
    with pytest.raises(PermanentError, match=why):
        await desk(world).event(key, new)


async def test_only_what_is_over_is_measured_again(world: World, event: Event) -> None:
    await world.ready()
    await world.intake.receive([event()])
    with pytest.raises(PermanentError, match="not over yet"):
        await desk(world).event("u1/e1", Otherwise())
    with pytest.raises(PermanentError, match="not known"):
        await desk(world).event("u1/none", Otherwise())
    long = Interval.lasting(event().window.start - timedelta(days=3), timedelta(days=2))
    with pytest.raises(PermanentError, match="at most 24 h"):
        await desk(world).day("relief", long, Otherwise())


async def test_why_another_method_has_no_baseline_is_told(world: World, event: Event) -> None:
    key = await happened(world, event)
    told = changed(await desk(world).event(key, Otherwise(baseline="firm-level-type")))
    before, after = told["depot-1", "no baseline"]
    assert before is None
    assert after
