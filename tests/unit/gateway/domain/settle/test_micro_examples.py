"""Worked examples of real programs' rules, each from its template and its inputs alone.

Where a text can be read in two ways both are here: the second by the parameter that says it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.baseline import BaselineInputs, run_baseline
from gateway.domain.measure.blocks import blocks
from gateway.domain.measure.factor import (
    EventResult,
    Standing,
    event_ratio,
    standing_factor,
)
from gateway.domain.measure.firm_level import level_rows
from gateway.domain.measure.performance import measure
from gateway.domain.measure.rows import Row, rows_of
from gateway.domain.program import Program
from gateway.domain.program.paying import Basis, Rate
from gateway.domain.program.performing import Performance
from gateway.domain.program.wall import span_of
from gateway.domain.settle.capacity import Holding, PayPeriod, capacity_lines
from gateway.domain.settle.energy import Prices, energy_lines
from gateway.domain.settle.line import Kind, Line
from gateway.domain.settle.penalty import (
    Held,
    over_level_lines,
    score_lines,
    shortfall_lines,
)
from gateway.domain.settle.season import average_lines, peak_lines
from support.calls import HOUR, at
from support.deliveries import QUARTER, from_template, hours, load, market, rows, told

pytestmark = pytest.mark.row("portfolio:A1")

EVENT = "2026-07-14 16:00"


def month(number: int) -> PayPeriod:
    return PayPeriod(subject=f"2026-{number:02d}", first=date(2026, number, 1))


def judged(program: Program, key: str, delivered: Sequence[Row], **more: Any) -> EventResult:
    """What an event says by the program's rule."""
    rule = rule_of(program)
    first, last = delivered[0].interval, delivered[-1].interval
    return EventResult(
        event_key=key,
        window=Interval(start=first.start, end=last.end),
        ratio=event_ratio(blocks(delivered, rule), rule),
        **more,
    )


def rule_of(program: Program) -> Performance:
    return program.rules.performance[0] if program.rules.performance else Performance()


def standing(
    program: Program, number: int, *events: EventResult, last_season: Decimal | None = None
) -> Standing:
    """The factor of a month of 2026."""
    first = date(2026, number, 1)
    last = first.replace(month=number + 1) - timedelta(days=1)
    tests = program.rules.tests
    return standing_factor(
        events,
        rule_of(program),
        span_of(first, last, program.zone),
        tests_set_it=tests is not None and tests.sets_factor,
        last_season=last_season,
    )


def delivery(committed_kw: float, *kilowatts: float) -> tuple[Row, ...]:
    """An event of an hour for each of these deliveries."""
    return rows(hours(EVENT, len(kilowatts)), committed_kw, kilowatts)


def amounts(lines: Iterable[Line]) -> list[Decimal | None]:
    return [line.amount for line in lines]


def test_1_dlrp_sticky_tier_2() -> None:
    program = from_template("dlrp-type")
    holding = Holding(committed_kw=Decimal(200), tier="2")
    first = judged(program, "first", rows(hours("2026-07-14 16:00", 4), 200, [160] * 4))
    second = judged(program, "second", rows(hours("2026-08-03 16:00", 4), 200, [240] * 4))
    paid = [
        capacity_lines(program, holding, month(n), standing(program, n, first, second))
        for n in (7, 8, 9)
    ]
    assert [amounts(lines) for lines in paid] == [[Decimal(4000)], [Decimal(5000)], [Decimal(5000)]]
    assert "factor 0.8: set by first" in paid[0][0].inputs


def test_2_csrp_uplift() -> None:
    """The 5th event is on 12 Jul; every month's factor is 1."""
    program = from_template("csrp-type")
    holding = Holding(committed_kw=Decimal(200), tier="higher boroughs")
    events = [at(f"2026-{day} 16:00") for day in ("05-20", "06-03", "06-24", "07-08", "07-12")]
    lines = [
        line
        for n in range(5, 10)
        for line in capacity_lines(
            program, holding, month(n), standing(program, n, last_season=Decimal(1)), events
        )
    ]
    assert [line.price for line in lines] == [18, 18, 23, 23, 23]
    assert sum(line.amount or 0 for line in lines) == Decimal(21_000)


@pytest.mark.parametrize(("basis", "paid"), [(Basis.RESERVATION, 600), (Basis.VOLUNTARY, 1800)])
def test_3_csrp_energy(basis: Basis, paid: int) -> None:
    program = from_template("csrp-type")
    lines = energy_lines(program, EVENT, delivery(150, 150, 150, 150, 150), basis=basis)
    assert [told(line, "quantity", "amount") for line in lines] == [(600, paid)]


@pytest.mark.parametrize(("kilowatts", "paid"), [(25, "0"), (26, "113.10")])
def test_4_nyseg_strict_floor(kilowatts: float, paid: str) -> None:
    program = from_template("nyseg-csrp-type")
    event = judged(program, "e", delivery(100, *[kilowatts] * 4))
    holding = Holding(committed_kw=Decimal(100))
    (line,) = capacity_lines(program, holding, month(7), standing(program, 7, event))
    assert line.amount == Decimal(paid)


CBP_RATE = {"rate": "10 USD/kW-month", "by_tier_table": True, "without_event_in_full": True}
OTHER_TIERS = {"tiers": [{"from_ratio": "0.95", "factor": 1}, {"from_ratio": 0, "penalty": True}]}


@pytest.mark.parametrize(
    ("kilowatts", "tiers", "paid", "penalty"),
    [
        (475, {}, 4750, False),
        (475, {"tiers": [OTHER_TIERS]}, 5000, False),
        (400, {}, 2500, False),
        (400, {"tiers": [OTHER_TIERS]}, 0, True),
        (300, {}, 0, False),
        (200, {}, 0, True),
        (None, {}, 5000, False),
    ],
)
def test_5_cbp_tiers(
    kilowatts: float | None, tiers: dict[str, Any], paid: int, penalty: bool
) -> None:
    program = from_template("cbp-sce-type", capacity_pay=[CBP_RATE], **tiers)
    events = (
        [] if kilowatts is None else [judged(program, "e", delivery(500, kilowatts, kilowatts))]
    )
    holding = Holding(committed_kw=Decimal(500))
    line, *more = capacity_lines(program, holding, month(7), standing(program, 7, *events))
    assert line.amount == paid
    assert [one.kind for one in more] == [Kind.PENALTY] * penalty
    assert all("see the tariff" in one.problem for one in more)


def test_6_cbp_energy() -> None:
    program = from_template("cbp-sce-type")
    prices = Prices(index_per_mmbtu=Decimal(4))
    (line,) = energy_lines(program, EVENT, delivery(500, 800), prices)
    assert told(line, "quantity", "price", "amount") == (750, Decimal("0.06"), Decimal("45.00"))


@pytest.mark.parametrize(("netting", "paid"), [(None, -90), ("PT1H", -60)])
def test_7_bip_over_the_firm_service_level(netting: str | None, paid: int) -> None:
    own = {"excess": "over_level", "rate": "6.00 USD/kWh", "netting": netting}
    program = from_template("bip-type", **({"penalties": [own]} if netting else {}))
    loads = zip(hours(EVENT, 1).split(QUARTER), map(Decimal, (320, 300, 280, 340)), strict=True)
    held = Held(site="a", level_kw=Decimal(300), loads=tuple(loads))
    (line,) = over_level_lines(program, EVENT, [held])
    assert line.amount == paid
    assert line.example


@pytest.mark.parametrize(
    ("meter", "energy", "paid"),
    [({}, 1560, 3120), ({"meter": [{"export": "clamped"}]}, 1500, 3000)],
)
def test_8_elrp_export(meter: dict[str, Any], energy: int, paid: int) -> None:
    program = from_template("elrp-type", **meter)
    window = hours(EVENT, 3)
    loads = zip(window.split(HOUR), (150_000.0, 150_000.0, -60_000.0), strict=True)
    found = measure(
        event=window,
        resolution=QUARTER,
        observe_after=timedelta(0),
        baseline=StepSeries.of([(window, 600_000.0)]),
        actual=StepSeries.of(loads),
        asked=StepSeries.of([(window, 450_000.0)]),
        export=program.export,
    )
    (line,) = energy_lines(program, EVENT, rows_of(found.during), basis=Basis.VOLUNTARY)
    assert told(line, "quantity", "amount") == (energy, paid)


FLOOR_IN_FULL = {"mean": "event", "floor": "0.5", "pass_ratio": "0.5", "cap": 1}


@pytest.mark.parametrize(
    ("kilowatts", "performance", "capacity", "energy"),
    [
        (49, {}, "0", "49"),
        (50, {}, "750", "50"),
        (50, {"performance": [FLOOR_IN_FULL]}, "1500", "50"),
    ],
)
def test_9_ladwp_floor(
    kilowatts: float, performance: dict[str, Any], capacity: str, energy: str
) -> None:
    """At the floor it is due: in full, or pro rata, is not resolved."""
    program = from_template("ladwp-dr-type", **performance)
    given = delivery(100, *[kilowatts] * 4)
    holding = Holding(committed_kw=Decimal(100), tier="2 hours", notice=2 * HOUR)
    held = capacity_lines(
        program, holding, month(7), standing(program, 7, judged(program, "e", given))
    )
    assert amounts(held) == [Decimal(capacity)]
    assert amounts(energy_lines(program, EVENT, given)) == [Decimal(energy)]


@pytest.mark.parametrize(
    ("own", "paid"),
    [
        ({}, 11_000),
        ({"weighting": "event"}, 12_000),
        ({"missed": "left_out"}, 17_600),
    ],
)
def test_10_connected_solutions_weighting(own: dict[str, Any], paid: int) -> None:
    pay = {"rate": "200 USD/kW-season", **own}
    program = from_template("connected-solutions-type", **({"average_pay": [pay]} if own else {}))
    events = [
        judged(program, "a", rows(hours("2026-07-14 16:00", 2), 100, [100]), mean_kw=Decimal(100)),
        judged(program, "b", rows(hours("2026-07-15 16:00", 3), 100, [80]), mean_kw=Decimal(80)),
        EventResult(event_key="c", window=hours("2026-07-16 16:00", 3), ratio=None, opted_out=True),
    ]
    (line,) = average_lines(program, "summer 2026", events)
    assert line.amount == paid


def test_11_scr() -> None:
    program = from_template("scr-type")
    window = hours(EVENT, 4)
    loads = zip(window.split(HOUR), map(Decimal, (580, 610, 640, 650)), strict=True)
    given = level_rows(loads, level_kw=Decimal(600), reference_kw=Decimal(900))
    ratio = judged(program, "e", given).ratio
    assert ratio is not None
    assert round(ratio, 3) == Decimal("0.933")
    prices = Prices(market=market((window, "0.21")), strike=Decimal("0.50"))
    (line,) = energy_lines(program, EVENT, given, prices)
    assert told(line, "quantity", "amount") == (1120, Decimal("560.00"))


def test_12_pjm() -> None:
    program = from_template("pjm-load-management-type")
    year = PayPeriod(subject="2025/26", first=date(2025, 6, 1))
    full = Standing(factor=Decimal(1), because="enrolled")
    (line,) = capacity_lines(program, Holding(committed_kw=Decimal(500)), year, full)
    assert line.amount == Decimal(49_250)
    (penalty,) = shortfall_lines(program, EVENT, delivery(500, 335, 335))
    assert told(penalty, "quantity", "amount") == (330, Decimal("-379.50"))


UNCAPPED = {"excess": "score", "rate": "9337 USD/MWh"}


@pytest.mark.parametrize(
    ("actual", "ratio", "penalties", "paid"),
    [
        (700, "0.9", {}, "-5602.20"),
        (1000, "1.031", {"penalties": [UNCAPPED]}, "-868.34"),
        (1000, "1.031", {}, "0"),
    ],
)
def test_13_iso_ne_score(actual: float, ratio: str, penalties: dict[str, Any], paid: str) -> None:
    program = from_template("adcr-type", **penalties)
    given = delivery(1000, actual, actual, actual)
    (line,) = score_lines(program, EVENT, given, Decimal(ratio))
    assert line.amount == Decimal(paid)


def test_13_iso_ne_baseline() -> None:
    """Raw 400; 430 against 380 in the quarter before the notification; load 300."""
    program = from_template("adcr-type")
    event, notified = hours(EVENT, 1), at("2026-07-14 15:30")
    quarter = Interval(start=notified - QUARTER, end=notified)

    def watts(instant: Any) -> float:
        if instant >= event.start:
            return 300_000.0
        if instant in quarter:
            return 430_000.0
        before = (instant - quarter.start) % timedelta(days=1) < QUARTER
        return 380_000.0 if before else 400_000.0

    inputs = BaselineInputs(
        method=program.method,
        zone=program.zone,
        event=event,
        span=event,
        resolution=program.measurement_interval,
        history=load("2026-06-20", 25, watts, program.measurement_interval),
        notified=notified,
    )
    run = run_baseline(inputs)
    assert {step.value for step in run.unadjusted} == {400_000.0}
    assert run.adjustment.value == 50_000.0
    found = measure(
        event=event,
        resolution=program.measurement_interval,
        observe_after=timedelta(0),
        baseline=run.series,
        actual=inputs.history,
        asked=StepSeries.of([(event, 150_000.0)]),
        export=program.export,
    )
    assert {row.delivered_kw for row in rows_of(found.during)} == {Decimal(150)}


def test_14_4cp() -> None:
    program = from_template("4cp-type")
    loads = {6: Decimal(800), 7: Decimal(0), 8: Decimal(400), 9: Decimal(400)}
    (line,) = peak_lines(program, "2027", loads)
    assert told(line, "quantity", "amount", "subject") == (400, Decimal(-24_000), "2027")


@pytest.mark.parametrize(("kilowatts", "paid"), [(120, 50), (40, 0), (70, 35)])
def test_15_gb_dso_flexibility(kilowatts: float, paid: int) -> None:
    """50 kWh instructed in a half-hour: 60, 20 or 35 kWh delivered; the bid is a pound a kWh."""
    program = from_template("dso-flexibility-type")
    given = rows(hours(EVENT, 0.5), 100, [kilowatts])
    prices = Prices(currency="GBP", bid=Decimal(1))
    (line,) = energy_lines(program, EVENT, given, prices)
    assert told(line, "quantity", "amount", "currency") == (paid, paid, "GBP")


@pytest.mark.parametrize(
    ("performance", "paid"),
    [({}, 180), ({"performance": [{"mean": "interval", "negative": "zero_per_interval"}]}, 300)],
)
def test_15_gb_dfs(performance: dict[str, Any], paid: int) -> None:
    program = from_template("dfs-type", **performance)
    given = rows(hours(EVENT, 1), 200, [200, -80])
    (line,) = energy_lines(program, EVENT, given, basis=Basis.TEST)
    assert told(line, "amount", "currency") == (paid, "GBP")


def test_a_penalty_that_is_a_multiple_of_the_price_of_what_was_not_delivered() -> None:
    """SCR type, from memory: 1.5 times; of which price is the settlement's input."""
    program = from_template("scr-type")
    given = delivery(300, 200, 200)
    (line,) = shortfall_lines(program, EVENT, given)
    assert line.amount is None
    assert line.problem == "the price it is a multiple of"
    price = Rate(amount=Decimal(2), unit="kWh")
    assert amounts(shortfall_lines(program, EVENT, given, price)) == [Decimal(-600)]
