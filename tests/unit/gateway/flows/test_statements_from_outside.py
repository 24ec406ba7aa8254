"""What no meter of ours says: peaks, ratios, prices, an earlier factor, other programs' claims."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.time import Interval
from gateway.domain.price.timeline import PriceTimeline
from gateway.domain.program import Program
from gateway.domain.program.paying import Basis
from gateway.domain.settle.account import AccountLine, PeriodStatement
from gateway.domain.settle.determinant import What, newest
from gateway.domain.settle.line import Kind
from gateway.flows.statement.prices import PriceCapture
from support.calls import at
from support.deliveries import from_template, market, told
from support.statements import StatementWorld, started

GAVE = {"a": 80.0, "b": 100.0}


async def settled(world: StatementWorld, period: str, program: str = "p1") -> PeriodStatement:
    return await world.statements.settle(program, period)


def of_kind(statement: PeriodStatement, kind: Kind) -> list[AccountLine]:
    return [one for one in statement.lines if one.line.kind is kind]


# --- the system's peaks


@pytest.mark.row("mv:M4")
async def test_4cp_waits_for_each_peak_and_then_charges_what_was_drawn() -> None:
    """Micro-example 14 on a statement: 800, 0, 400 and 400 kW at 60 USD: 24,000 next year."""
    world = started([from_template("4cp-type")], "2026-10-02 09:00")
    loads = {"06": (500.0, 300.0), "07": (0.0, 0.0), "08": (400.0, 0.0), "09": (100.0, 300.0)}
    starts = {month: at(f"2026-{month}-20 17:45") for month in loads}
    for month, kilowatts in loads.items():
        window = Interval.lasting(starts[month], timedelta(minutes=15))
        for site, load_kw in zip("ab", kilowatts, strict=True):
            await world.draws(site, window, load_kw)
    made = {one.period: one for one in await world.calendar.tick()}
    assert set(made) == {"2026-08", "2026-09", "2026-summer"}
    assert made["2026-08"].lines == ()
    assert len(made["2026-09"].waits_for) == 4
    assert made["2026-09"].waits_for[0] == (
        "the system's peak of 2026-06, as Four coincident peaks, ERCOT type tells it"
    )
    (line,) = made["2026-09"].lines
    assert (line.line.kind, line.line.amount, line.line.subject) == (Kind.PEAK, None, "2027")
    for month, start in starts.items():
        await world.tell(What.PEAK, f"2026-{month}", at=start)
    made = {one.period: one for one in await world.restarted().tick()}
    for period in ("2026-09", "2026-summer"):
        (line,) = made[period].lines
        assert told(line.line, "quantity", "amount") == (400, Decimal("-24000.00"))
        assert made[period].final
        named = {one.name: one.value for one in made[period].inputs}
        assert named["load in the peak of 2026-06"] == "kW: a 500, b 300"
        assert "by Ada; the operator's notice" in named["told: peak 2026-06"]
        assert set(line.inputs) <= named.keys()
    assert line.sites["a"].amount == Decimal("-7500.00")  # 1,000 of 1,600 kW, half of it
    assert await world.calendar.tick() == ()
    world.database.close()


async def test_a_peak_in_which_a_site_was_not_measured_leaves_the_charge_open() -> None:
    world = started([from_template("4cp-type")], "2026-10-02 09:00")
    start = at("2026-06-20 17:45")
    await world.draws("a", Interval.lasting(start, timedelta(minutes=15)), 100)
    await world.tell(What.PEAK, "2026-06", at=start)
    statement = await settled(world, "2026-summer")
    assert "the load of 1 sites in the peak of 2026-06" in statement.waits_for
    assert statement.lines[0].line.amount is None
    world.database.close()


# --- scores


async def test_a_score_waits_for_the_systems_ratio_and_stops_at_the_stop_loss() -> None:
    """ADCR type: 0.2 MW owed for 3 h, 0.14 MW delivered; the ratio is 0.9."""
    rule = {"excess": "score", "rate": "9337 USD/MWh", "ratio_cap": 1}
    limit = {"stop_loss": "monthly", "stop_loss_rate": "500 USD/month"}
    program = from_template("adcr-type", penalties=[rule | limit])
    world = started([program], "2026-08-03 09:00")
    event = await world.event("u/e1", "2026-07-14 16:00", 3)
    await world.report(event, {"a": 60.0, "b": 80.0}, final=True)
    statement = await settled(world, "2026-07")
    (line,) = of_kind(statement, Kind.SCORE)
    assert (line.line.amount, line.line.problem) == (
        None,
        "not known: the system's ratio of u/e1",
    )
    assert statement.waits_for == ("the system's ratio of u/e1 (score, u/e1)",)
    await world.tell(What.SYSTEM_RATIO, "u/e1", value=Decimal("0.9"))
    statement = await settled(world, "2026-07")
    (line,) = of_kind(statement, Kind.SCORE)
    assert line.line.amount == Decimal("-1120.44")  # (420 - 0.9 x 600) kWh
    (back,) = of_kind(statement, Kind.STOP_LOSS)
    assert back.line.amount == Decimal("620.44")
    assert statement.totals == {"USD": Decimal("-500.00")}
    whole = sum((one.get("USD", Decimal(0)) for one in statement.part_totals().values()), Decimal())
    assert whole == -500
    assert statement.final
    world.database.close()


# --- prices from outside


@pytest.mark.parametrize(
    ("template", "what", "subject", "word", "amount"),
    [
        ("pdr-type", What.MARKET_PRICE, "u/e1", {"value": Decimal("0.25")}, "180.00"),
        ("cbp-sce-type", What.INDEX, "2026-07", {"value": Decimal(4)}, "43.20"),
        ("dso-flexibility-type", What.BID, "*", {"value": Decimal(1), "currency": "GBP"}, "720.00"),
    ],
)
async def test_energy_is_priced_once_its_price_is_told(
    template: str, what: What, subject: str, word: dict[str, Any], amount: str
) -> None:
    world = started([from_template(template)], "2026-08-03 09:00")
    event = await world.event("u/e1", "2026-07-14 16:00")
    await world.report(event, GAVE, final=True)
    (line,) = of_kind(await settled(world, "2026-07"), Kind.ENERGY)
    assert line.line.amount is None
    assert line.line.problem.startswith("not known: ")
    kept = await world.tell(what, subject, **{"currency": "USD"} | word)
    statement = await settled(world, "2026-07")
    (line,) = of_kind(statement, Kind.ENERGY)
    assert str(line.line.amount) == amount
    assert kept.name in line.inputs
    assert {change.what for change in statement.changes} >= {"energy, u/e1: amount"}
    world.database.close()


async def test_a_missing_interval_of_the_market_is_named() -> None:
    world = started([from_template("pdr-type")], "2026-08-03 09:00")
    event = await world.event("u/e1", "2026-07-14 16:00", 1)
    await world.report(event, GAVE, final=True)
    first = Interval.lasting(event.window.start, timedelta(minutes=45))
    await world.tell(What.MARKET_PRICE, "u/e1", prices=market((first, "0.1")))
    (line,) = of_kind(await settled(world, "2026-07"), Kind.ENERGY)
    assert line.line.amount is None
    assert line.line.problem == "not known: the market's price from 2026-07-14 13:45 to 14:00 PDT"
    world.database.close()


async def test_the_sources_prices_over_an_event_are_kept_before_they_are_forgotten() -> None:
    world = started([from_template("pdr-type")], "2026-07-14 15:00")
    event = await world.event("u/e1", "2026-07-14 16:00", 1)
    known: dict[str, PriceTimeline] = {}
    capture = PriceCapture({"p1": "np15"}, known.get, world.statements, world.ledger, world.clock)

    async def kept() -> list[Decimal]:
        await capture()
        one = newest(await world.statements.told("p1")).get((What.MARKET_PRICE, "u/e1"))
        prices = None if one is None else one.prices
        return [] if prices is None else [step.per_kwh for step in prices]

    day = Interval.lasting(event.window.start - timedelta(hours=1), timedelta(hours=3))
    known["np15"] = market((day, "0.3"))
    assert await kept() == []  # the event is not over
    await world.at("2026-07-14 17:00")
    assert await kept() == [Decimal("0.3")]
    assert await kept() == [Decimal("0.3")]
    assert len(await world.statements.told("p1")) == 1
    known["np15"] = market((day, "0.4"))  # the market corrects itself
    assert await kept() == [Decimal("0.4")]
    await world.report(event, GAVE, final=True)
    (line,) = of_kind(await settled(world, "2026-07"), Kind.ENERGY)
    assert line.line.amount == 72
    await world.tell(What.MARKET_PRICE, "u/e1", value=Decimal("0.5"), currency="USD")
    await capture()
    assert len(await world.statements.told("p1")) == 3  # a person's word stands
    world.database.close()


# --- last season's factor


@pytest.mark.parametrize("how", ["reports", "told", "neither"])
async def test_before_any_event_the_last_seasons_factor_holds(how: str) -> None:
    program = from_template(
        "dlrp-type",
        capacity_pay=[{"rate": "25 USD/kW-month"}],
        performance=[{"cap": 1, "sticky": True}],
    )
    world = started([program], "2026-07-02 09:00")
    if how == "reports":
        for key, day, given_kw in (("u/e1", "07-14", 100.0), ("u/e2", "08-14", 60.0)):
            event = await world.event(key, f"2025-{day} 16:00")
            await world.report(event, {"a": given_kw, "b": given_kw}, final=True)
    if how == "told":
        await world.tell(What.FACTOR, "2025-summer", value=Decimal("0.6"))
    (line,) = of_kind(await settled(world, "2026-06"), Kind.CAPACITY)
    if how == "neither":
        assert line.line.problem == "no event, test or earlier season to go by"
        world.database.close()
        return
    assert line.line.amount == 3000  # 200 kW x 0.6 x 25, the last event's, as it is sticky
    assert "factor 0.6: the last season's" in line.line.inputs
    assert "factor before 2026-06" in line.inputs
    world.database.close()


# --- two programs, one kilowatt-hour


async def test_a_statement_shows_what_another_program_was_credited_first() -> None:
    elrp = replace(from_template("elrp-type"), program_id="elrp", name="ELRP")
    csrp: Program = replace(
        from_template("csrp-type", capacity_pay=[]), program_id="csrp", name="CSRP"
    )
    world = started([csrp, elrp], "2026-08-03 09:00")
    first = await world.event("u/e1", "2026-07-14 16:00")
    second = await world.event("u/e2", "2026-07-14 18:00", program_id="elrp")
    await world.report(first, GAVE, final=True)
    await world.report(second, {"a": 50.0, "b": 0.0}, final=True, basis=Basis.VOLUNTARY)
    statement = await settled(world, "2026-07", "csrp")
    (line,) = of_kind(statement, Kind.ENERGY)
    assert line.line.quantity == 620  # 720 less what ELRP has of a's two common hours
    assert "100 kWh are credited to ELRP first" in line.line.inputs
    assert "claim of u/e2" in line.inputs
    assert "claim of u/e2" in {one.name for one in statement.inputs}
    assert [part.weight for part in line.sites.values()] == [220, 400]
    other = await settled(world, "2026-07", "elrp")
    assert [one.line.quantity for one in of_kind(other, Kind.ENERGY)] == [200]
    world.database.close()


# --- what is refused


async def test_figures_are_kept_together_or_not_at_all() -> None:
    world = started([from_template("csrp-type")], "2026-08-03 09:00")
    good = await world.tell(What.SYSTEM_RATIO, "u/e1", value=Decimal("0.9"))
    assert good.number == 1
    again = await world.tell(What.SYSTEM_RATIO, "u/e1", value=Decimal("0.9"), told_by="Bob")
    assert (again.number, again.told_by) == (1, "Ada")
    bad = replace(good, what=What.PEAK, subject="2026-07")
    with pytest.raises(PermanentError, match="peak 2026-07: at: of a peak"):
        await world.statements.tell([replace(good, value=Decimal("0.8")), bad])
    with pytest.raises(PermanentError, match="no program"):
        await world.statements.tell([replace(good, program_id="nobody")])
    assert len(await world.statements.told("p1")) == 1
    world.database.close()
