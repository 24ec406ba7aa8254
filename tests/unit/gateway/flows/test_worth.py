"""A report's performance and money follow the rules of the event's program."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.domain.event import GridEvent
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.program import Rules
from gateway.domain.program.notice import Late, Notice
from gateway.domain.program.paying import Basis, EnergyPay, EnergyPrice, Excess, Penalty, Rate
from gateway.domain.program.performing import Mean, Performance
from gateway.domain.settle.line import Kind
from gateway.domain.settle.parts import weights_kwh
from gateway.flows.report.build import participation_report
from gateway.reports.document import dump, load
from gateway.store.database import Database

World = Any
Event = Callable[..., GridEvent]

DOLLAR, THREE = (Rate(amount=Decimal(n), unit="kWh") for n in (1, 3))
PAYS = (
    EnergyPay(rate=DOLLAR),
    EnergyPay(rate=THREE, basis=Basis.VOLUNTARY),
    EnergyPay(price=EnergyPrice.BID, basis=Basis.TEST),
)


@asynccontextmanager
async def ruled(make_world: Callable[..., World], **rules: Any) -> AsyncIterator[World]:
    """A gateway whose only program has these rules."""
    database = Database.in_memory()
    plain = make_world(database).program
    made = make_world(database, program=replace(plain, rules=Rules(**rules)))
    async with made.running() as world:
        yield world
    database.close()


async def settled(world: World, event: GridEvent, load_w: float = 90_000.0) -> ParticipationReport:
    """Half an hour in which each of three depots draws this much of its 100 kW."""
    await world.ready()
    await world.intake.receive([event])
    await world.pass_time(40)
    for site in world.sites.values():
        site.power_w = load_w
    await world.everyone_reports()
    await world.pass_time(41)
    await world.settlement.settle("u1/e1", final=False)
    found: ParticipationReport = await world.report()
    return found


async def test_performance_follows_the_programs_rule_and_names_it(
    make_world: Callable[..., World], event: Event
) -> None:
    """30 of 60 kW is half: below the floor, so it counts as nothing."""
    rule = Performance(mean=Mean.EVENT, floor=Decimal("0.6"), cap=Decimal(1))
    async with ruled(make_world, performance=(rule,)) as world:
        report = await settled(world, event())
    assert report.figures.performance_pct == pytest.approx(50, abs=1)
    assert report.figures.factor_pct == 0.0
    assert report.performance_rule == (
        "delivered over asked, mean over the event; nothing below 60%; counted up to 100%"
    )
    for site in report.sites:
        assert site.performance_pct == pytest.approx(50, abs=1)


async def test_more_than_was_asked_counts_up_to_the_cap(
    make_world: Callable[..., World], event: Event
) -> None:
    async with ruled(make_world, performance=(Performance(cap=Decimal(1)),)) as world:
        report = await settled(world, event(), load_w=60_000.0)
    assert report.figures.performance_pct == pytest.approx(100, abs=1e-9)
    assert report.figures.reduced_wh == pytest.approx(60_000, rel=0.01)


async def test_a_report_without_rules_is_as_it_was(
    make_world: Callable[..., World], event: Event
) -> None:
    async with ruled(make_world) as world:
        report = await settled(world, event())
    assert (report.lines, report.figures.factor_pct) == ((), None)
    assert report.performance_rule.endswith("in which something was asked all the time")


async def test_energy_and_shortfall_are_lines_of_the_report(
    make_world: Callable[..., World], event: Event
) -> None:
    penalties = (Penalty(rate=Rate(amount=Decimal(2000), unit="MWh")), Penalty())
    async with ruled(make_world, energy_pay=PAYS, penalties=penalties) as world:
        report = await settled(world, event())
    energy, *short = report.lines
    assert float(energy.quantity) == pytest.approx(15, rel=0.02)
    assert energy.amount == round(energy.quantity, 2)
    assert energy.example
    priced, unpriced = sorted(short, key=lambda line: line.amount is None)
    assert priced.quantity == unpriced.quantity == 30 - energy.quantity
    assert priced.amount == -round(2 * priced.quantity, 2)
    assert (unpriced.amount, unpriced.problem) == (None, "rate: see the tariff")


async def test_a_test_is_paid_at_its_own_rate(
    make_world: Callable[..., World], event: Event
) -> None:
    async with ruled(make_world, energy_pay=PAYS) as world:
        report = await settled(world, event(test=True))
    (line,) = report.lines
    assert (line.amount, line.problem) == (None, "not known: the price that was bid")


async def test_an_event_told_too_late_is_voluntary_and_costs_no_penalty(
    make_world: Callable[..., World], event: Event
) -> None:
    day_ahead = Notice(lead=timedelta(hours=21), late=Late.VOLUNTARY)
    async with ruled(
        make_world, energy_pay=PAYS, penalties=(Penalty(rate=DOLLAR),), notices=(day_ahead,)
    ) as world:
        report = await settled(world, event())
    (line,) = report.lines
    assert line.price == 3


async def test_energy_over_the_firm_levels_is_charged_and_shared_by_who_was_over(
    make_world: Callable[..., World], event: Event
) -> None:
    """BIP type: three depots draw 90 kW for half an hour; two are to stay at 80 and 95 kW."""
    six = Penalty(excess=Excess.OVER_LEVEL, rate=Rate(amount=Decimal(6), unit="kWh"))
    async with ruled(make_world, penalties=(six,)) as world:
        open_ = await settled(world, event())
        stored = await world.ledger.event("u1/e1")
        evidence = await world.settlement.evidence(stored, world.program)
    (line,) = open_.lines
    assert (line.kind, line.amount) == (Kind.OVER_LEVEL, None)
    assert "depot-1, depot-2, depot-3" in line.problem
    levels = (80_000.0, 95_000.0, 90_000.0)
    sites = tuple(
        replace(one, firm_level_w=level) for one, level in zip(evidence.sites, levels, strict=True)
    )
    made = replace(evidence, sites=sites)
    report = participation_report(made, created_at=open_.created_at, final=True)
    (line,) = report.lines
    assert float(line.quantity) == pytest.approx(5, abs=0.2)  # 10 kW for half an hour
    assert line.amount == -round(6 * line.quantity, 2)
    assert weights_kwh(report, line)["depot-1"] == pytest.approx(line.quantity, abs=0.1)
    assert weights_kwh(report, line)["depot-2"] == 0
    assert report.account is not None
    assert report.account.sites["depot-1"].level_kw == 80
    assert load(dump(report)) == report
