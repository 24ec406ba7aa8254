"""Statements are made by the calendar, in the program's zone, and again when inputs change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from gateway.domain.program import Program
from gateway.domain.settle.account import PeriodStatement
from support.deliveries import from_template
from support.statements import StatementWorld, started

GAVE = {"a": 80.0, "b": 100.0}


@pytest.fixture
def program() -> Program:
    return from_template("dlrp-type", capacity_pay=[{"rate": "25 USD/kW-month"}])


@pytest.fixture
def world(program: Program) -> Iterator[StatementWorld]:
    made = started([program], "2026-08-10 12:00", since=None)
    yield made
    made.database.close()


async def newest(world: StatementWorld, period: str = "2026-08") -> PeriodStatement | None:
    return await world.statements.of_program("p1", period)


@pytest.mark.row("mv:M4")
async def test_a_month_is_over_at_midnight_in_the_programs_zone(world: StatementWorld) -> None:
    await world.calendar.tick()
    await world.at("2026-08-31 23:59")  # in UTC it is September already
    assert await world.calendar.tick() == ()
    assert await newest(world) is None
    await world.at("2026-09-01 00:00")
    (made,) = await world.calendar.tick()
    assert (made.period, made.version) == ("2026-08", 1)
    assert made.first == date(2026, 8, 1)
    assert (made.final, made.waits_for) == (True, ())


async def test_it_becomes_final_with_the_last_final_report_and_nothing_is_made_twice(
    world: StatementWorld,
) -> None:
    await world.calendar.tick()
    event = await world.event("u/e1", "2026-08-14 16:00")
    await world.report(event, GAVE)
    await world.at("2026-09-01 00:05")
    made = await world.calendar.tick()
    august = next(one for one in made if one.period == "2026-08")
    assert august.waits_for == ("the FINAL report of u/e1",)
    for calendar in (world.calendar, world.restarted()):
        assert await calendar.tick() == ()
    await world.report(event, GAVE, final=True)
    made = await world.restarted().tick()
    assert [(one.period, one.version, one.final) for one in made] == [("2026-08", 2, True)]
    assert await world.restarted().tick() == ()
    assert [one for one in await world.actions() if "2026-08" in one] == [
        "statement made: 2026-08, version 1, PRELIMINARY, waits for the FINAL report of u/e1",
        "statement made: 2026-08, version 2, FINAL",
    ]


async def test_a_rerun_of_a_report_makes_another_version_that_says_what_changed(
    world: StatementWorld,
) -> None:
    event = await world.event("u/e1", "2026-08-14 16:00")
    await world.report(event, GAVE, final=True)
    await world.at("2026-09-02 09:00")
    await world.calendar.tick()
    await world.report(event, {"a": 70.0, "b": 100.0}, final=True)
    (made,) = await world.calendar.tick()
    assert (made.version, made.final) == (2, True)
    changed = {one.what: (one.before, one.after) for one in made.changes}
    assert changed["energy, u/e1: quantity"] == ("720 kWh", "680 kWh")
    first = await world.statements.of_program("p1", "2026-08", 1)
    assert first is not None
    assert [one.line.quantity for one in first.lines if one.line.kind == "energy"] == [720]


async def test_an_event_without_a_report_is_waited_for(world: StatementWorld) -> None:
    event = await world.event("u/e1", "2026-08-31 20:00")
    await world.at("2026-09-01 00:01")
    made = await world.calendar.tick()
    august = next(one for one in made if one.period == "2026-08")
    assert august.waits_for == ("a report of u/e1",)
    await world.report(event, GAVE, final=True)
    (again,) = await world.calendar.tick()
    assert (again.version, again.final) == (2, True)


async def test_a_gateway_that_was_down_makes_up_for_it_but_not_for_years(
    world: StatementWorld,
) -> None:
    await world.at("2026-10-20 12:00")
    made = await world.calendar.tick()
    assert [one.period for one in made] == ["2026-08", "2026-09", "2026-summer"]


async def test_nobody_enrolled_then_nothing_is_made(program: Program) -> None:
    world = started([program], "2026-09-02 12:00", since=date(2026, 9, 15))
    assert await world.calendar.tick() == ()
    world.database.close()


async def test_a_season_ends_with_its_last_day_and_is_summed_up(world: StatementWorld) -> None:
    for n, key in enumerate(("u/e1", "u/e2")):
        event = await world.event(key, f"2026-0{7 + n}-14 16:00")
        await world.report(event, GAVE, final=True)
    await world.at("2026-09-30 23:59")
    assert "2026-summer" not in [one.period for one in await world.calendar.tick()]
    await world.at("2026-10-01 00:00")
    made = {one.period: one for one in await world.calendar.tick()}
    season = made["2026-summer"]
    assert season.final
    summary = season.summary
    assert summary is not None
    assert summary.events == 2
    assert summary.hours == 8
    assert summary.reduced_kwh == 1440
    assert summary.performance_pct == 90
    assert summary.sites["a"].reduced_kwh == 640
    for currency, whole in season.totals.items():
        assert sum(one[currency] for one in summary.by_kind.values()) == whole
        of_sites = sum(one.money.get(currency, 0) for one in summary.sites.values())
        assert of_sites + season.part_totals()[""][currency] == whole
