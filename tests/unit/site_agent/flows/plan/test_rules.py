"""Rules in the control loop: above a plan, with prices of a tariff, and as firm limits."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.days import Days
from contracts.testing import FakeClock
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.grid.choices import GridChoices
from site_agent.domain.price import Level
from site_agent.domain.protect.envelope import Bound
from site_agent.domain.rules.defaults import DEFAULT_RULES
from site_agent.domain.rules.rule import (
    Rule,
    StorageDo,
    StorageWish,
    Then,
    VehicleWish,
    When,
    Window,
)
from site_agent.domain.tariff.tariff import EnergySchedule, PriceStep, Tariff
from site_agent.flows.grid.side import GridSide
from site_agent.flows.plan.rules import SiteRules, tariff_prices
from site_agent.store.memory import MemoryKeyValues
from support.control import after, fake_battery, fake_chargers, site
from support.site import NOON, battery, charger, envelope, need, snapshot

BERLIN = ZoneInfo("Europe/Berlin")
TARIFF = Tariff(
    name="evening",
    currency="EUR",
    zone=BERLIN,
    energy=(
        EnergySchedule(
            name="all",
            days=Days(),
            steps=(
                PriceStep(minute=0, per_kwh=0.10),
                PriceStep(minute=6 * 60, per_kwh=0.25),
                PriceStep(minute=17 * 60, per_kwh=0.40),
                PriceStep(minute=21 * 60, per_kwh=0.25),
            ),
        ),
    ),
)


@pytest.mark.parametrize(
    ("at", "price", "level"),
    [
        ("2026-01-05T04:59+01:00", 0.10, Level.LOW),
        ("2026-01-05T12:00+01:00", 0.25, Level.MIDDLE),
        ("2026-01-05T17:00+01:00", 0.40, Level.HIGH),
        ("2026-03-29T16:59+02:00", 0.25, Level.MIDDLE),  # a day of 23 hours
        ("2026-03-29T17:00+02:00", 0.40, Level.HIGH),
        ("2026-10-25T20:59+01:00", 0.40, Level.HIGH),  # of 25
    ],
)
def test_prices_come_from_the_tariff_and_its_day(at: str, price: float, level: Level) -> None:
    view = tariff_prices(TARIFF)(datetime.fromisoformat(at).astimezone(UTC))
    assert view.now == pytest.approx(price)
    assert view.level is level


def test_rules_stand_above_the_plan() -> None:
    def plan(*_: object) -> Guidance:
        wish = Bound(value=9_000.0, cause="the plan")
        return Guidance(source="the plan", vehicles_w={"a": wish, "b": wish}, storage_w=wish)

    dear = Rule(
        name="dear",
        when=When(price=Level.HIGH, vehicles=frozenset({"van-a"})),
        then=Then(vehicles=VehicleWish(most_w=0.0)),
    )
    rules = SiteRules([dear], BERLIN, prices=tariff_prices(TARIFF), plan=plan)
    here = snapshot(
        chargers=[charger("a"), charger("b")], needs=[need("a"), need("b")], batteries=[battery()]
    )
    assert here.needs[0].vehicle_id == "van-a"
    wished = rules.guide(here, envelope(here.model))
    assert wished.vehicles_w["a"].value == 9_000.0, "13:00 in Berlin: nothing but the plan"


def test_the_default_rules_guide_while_a_plan_does_not() -> None:
    """At 13:00 in Berlin, in the middle of the day's prices, the battery stores the sun alone."""
    plan = Guidance(source="the plan", storage_w=Bound(value=1_000.0, cause="the plan"))
    wishes = [plan, NO_GUIDANCE]
    rules = SiteRules(
        [],
        BERLIN,
        prices=tariff_prices(TARIFF),
        plan=lambda *_: wishes.pop(0),
        fallback=DEFAULT_RULES,
    )
    here = snapshot(building_w=-12_000.0, batteries=[battery()])
    limits = envelope(here.model)
    assert rules.guide(here, limits) == plan
    fallen = rules.guide(here, limits)
    assert fallen.source == "the site's rules"
    assert fallen.storage_w is not None
    assert fallen.storage_w.value == pytest.approx(12_000.0)
    rules.plan = None
    assert rules.guide(here, limits) == NO_GUIDANCE, "a site without a plan misses none"


@pytest.mark.row("site:E9")
async def test_a_firm_limit_and_a_wish_reach_the_devices() -> None:
    clock = FakeClock(NOON)
    window = Window(start=time(12, 0), end=time(12, 1))
    rules = [
        Rule(
            name="lunch",
            when=When(windows=(window,)),
            then=Then(
                import_limit_w=40_000.0,
                battery=StorageWish(do=StorageDo.DISCHARGE, power_w=5_000.0),
            ),
        )
    ]
    choices = GridChoices(zone=ZoneInfo("UTC"), rules=rules)
    grid = GridSide("depot", choices, MemoryKeyValues(), clock)
    one = await site(clock, fake_chargers(clock, 4), batteries=[fake_battery(clock)], grid=grid)
    async with one.running():
        await clock.advance(40)
        assert one.loop.latest is not None
        assert one.loop.latest.decision.envelope.import_w.cause == "the rule 'lunch'"
        assert one.depot.batteries[0].power_w == pytest.approx(-5_000.0, abs=100.0)
        assert one.depot.peak_w(after(20), after(40)) <= 40_000.0
        assert list(grid.rules.latest.holding) == ["lunch"]
        await clock.advance(30)
        assert list(grid.rules.latest.holding) == []
        assert one.loop.latest.decision.envelope.import_w.cause == "the connection contract"
    assert one.depot.mean_w(after(65), after(70)) > 45_000.0
    assert clock.now() - NOON == timedelta(seconds=70)
