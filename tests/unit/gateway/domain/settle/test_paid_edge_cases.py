"""The edge cases of pay, in the words they were collected in."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.measure.factor import Standing
from gateway.domain.program import Program, version_at
from gateway.domain.program.joining import Beside, Exclusivity
from gateway.domain.program.paying import (
    Basis,
    CapacityPay,
    EnergyPay,
    EnergyPrice,
    Penalty,
    Rate,
)
from gateway.domain.settle.capacity import Holding, PayPeriod, capacity_lines
from gateway.domain.settle.claims import Claim, credited
from gateway.domain.settle.energy import Paid, Prices, energy_basis, energy_lines
from gateway.domain.settle.line import money, statement
from gateway.domain.settle.penalty import shortfall_lines
from gateway.domain.settle.sharing import Sharing, shares
from support.calls import HOUR, at, program
from support.deliveries import from_template, hours, market, rows, told

pytestmark = pytest.mark.row("portfolio:A1")

KWH = Rate(amount=Decimal(1), unit="kWh")
FIXED = EnergyPay(rate=KWH)
FULL = Standing(factor=Decimal(1), because="test")


def paying(**rules: Any) -> Program:
    return program(energy_pay=rules.pop("energy_pay", (FIXED,)), **rules)


# --- midnight and month end


def test_an_event_23_01_h_hours_fall_to_each_month() -> None:
    night = hours("2026-07-31 23:00", 2)
    lines = energy_lines(paying(), "e", rows(night, 100, [100, 40]))
    assert [told(line, "subject", "quantity") for line in lines] == [
        ("e, 2026-07", 100),
        ("e, 2026-08", 40),
    ]


def test_a_meter_interval_over_midnight_falls_to_both_months_by_its_time() -> None:
    lines = energy_lines(paying(), "e", rows(hours("2026-07-31 23:45", 1), 100, [100]))
    assert [line.quantity for line in lines] == [25, 75]


@pytest.mark.parametrize(("day", "kwh"), [("2026-03-08", 2300), ("2026-11-01", 2500)])
def test_the_hours_of_a_day_of_a_clock_change_are_elapsed_ones(day: str, kwh: int) -> None:
    whole = Interval(start=at(f"{day} 00:00"), end=at(f"{day} 23:00") + HOUR)
    quarters = [100.0] * (kwh // 25)
    (line,) = energy_lines(paying(), "e", rows(whole, 100, quarters))
    assert line.quantity == kwh


def test_a_tariff_version_may_change_inside_a_season() -> None:
    def priced(amount: int, **more: object) -> Program:
        pay = CapacityPay(rate=Rate(amount=Decimal(amount), unit="kW-month"))
        return replace(program(capacity_pay=(pay,)), **more)  # type: ignore[arg-type]  # shorthand

    versions = (priced(10), priced(12, version="2", valid_from=date(2026, 7, 1)))
    paid = []
    for n in (6, 7):
        now = version_at(versions, at(f"2026-{n:02d}-01 00:00"))
        assert now is not None
        period = PayPeriod(subject=f"2026-{n:02d}", first=date(2026, n, 1))
        (line,) = capacity_lines(now, Holding(committed_kw=Decimal(100)), period, FULL)
        paid.append(line.amount)
    assert paid == [1000, 1200]


# --- counting


def test_the_uplift_counts_a_networks_events_of_this_season_alone() -> None:
    one = from_template("csrp-type")
    holding = Holding(committed_kw=Decimal(1), tier="lower boroughs")
    events = [at(f"2025-0{n}-10 16:00") for n in range(5, 9)] + [at("2026-07-12 16:00")]
    period = PayPeriod(subject="2026-07", first=date(2026, 7, 1))
    (line,) = capacity_lines(one, holding, period, FULL, events)
    assert line.amount == 6
    (line,) = capacity_lines(one, holding, period, FULL, [at("2026-07-12 16:00")] * 5)
    assert line.amount == 11


def test_of_several_rates_the_one_that_applies_must_be_known() -> None:
    one = from_template("dlrp-type")
    period = PayPeriod(subject="2026-07", first=date(2026, 7, 1))
    (line,) = capacity_lines(one, Holding(committed_kw=Decimal(1)), period, FULL)
    assert told(line, "amount", "problem") == (None, "say which of these applies: 1, 2")


@pytest.mark.parametrize(("month", "rate"), [(5, "7"), (6, "7.25"), (10, "8.19"), (11, None)])
def test_a_rate_may_differ_by_month(month: int, rate: str | None) -> None:
    one = from_template("dsgs-3-type")
    period = PayPeriod(subject="m", first=date(2026, month, 1))
    lines = capacity_lines(one, Holding(committed_kw=Decimal(1)), period, FULL)
    assert [line.amount for line in lines] == ([] if rate is None else [Decimal(rate)])


# --- two programs, one kWh


WINDOW = hours("2026-07-14 16:00", 1)


def claims(kwh: int, name: str, exported: int = 0, **changes: object) -> Claim:
    """One hour on the program's own baseline."""
    exclusivity = changes.pop("exclusivity", ())
    one = replace(program(exclusivity=exclusivity), program_id=name, **changes)  # type: ignore[arg-type]  # shorthand
    return Claim(
        program=one,
        paid=(Paid(interval=WINDOW, kilowatt_seconds=Decimal(kwh) * 3600),),
        exported={WINDOW: Decimal(exported) * 3600},
    )


def kwh_of(*given_claims: Claim) -> dict[str, Decimal]:
    """What each program pays for, whatever the order the claims come in."""
    found = credited(given_claims)
    assert credited(given_claims[::-1]) == found
    return {
        name: sum((one.kilowatt_seconds for one in paid), Decimal(0)) / 3600
        for name, paid in found.items()
    }


@pytest.mark.row("portfolio:A9")
def test_two_programs_one_kwh_settle_each_on_its_own_baseline() -> None:
    """`a` sees 100 kWh and `b` 130: b pays the 30 that a has not."""
    order = Exclusivity(beside=Beside.ALLOWED, others=("b",), paid_first=("a", "b"))
    assert kwh_of(claims(100, "a", exclusivity=(order,)), claims(130, "b")) == {"a": 100, "b": 30}
    assert kwh_of(claims(100, "a", exclusivity=(order,)), claims(80, "b")) == {"a": 100, "b": 0}


def test_exclusivity_decides_the_paid_kwh() -> None:
    order = Exclusivity(beside=Beside.ALLOWED, others=("a",), paid_first=("b", "a"))
    assert kwh_of(claims(100, "a"), claims(130, "b", exclusivity=(order,))) == {"a": 0, "b": 130}


def test_where_no_order_is_said_the_emergency_program_pays_first_then_precedence() -> None:
    assert kwh_of(claims(10, "a"), claims(10, "b", emergency=True)) == {"a": 0, "b": 10}
    assert kwh_of(claims(10, "a"), claims(10, "b", precedence=1)) == {"a": 0, "b": 10}


def test_a_program_beside_another_for_exports_only_pays_what_was_fed_in() -> None:
    only = Exclusivity(beside=Beside.EXPORT_ONLY, others=("a",))
    both = kwh_of(claims(100, "a"), claims(120, "b", exported=20, exclusivity=(only,)))
    assert both == {"a": 100, "b": 20}
    assert kwh_of(claims(120, "b", exported=20, exclusivity=(only,))) == {"b": 120}


@pytest.mark.row("portfolio:A9")
@given(st.lists(st.integers(-50, 200), min_size=1, max_size=4))
def test_no_kwh_is_paid_more_than_once(amounts: list[int]) -> None:
    every = [claims(kwh, f"p{n}") for n, kwh in enumerate(amounts)]
    assert sum(kwh_of(*every).values()) <= max(0, *amounts)


# --- shares


@given(
    cents=st.integers(-1_000_000, 1_000_000),
    share=st.integers(0, 100),
    weights=st.lists(st.integers(-5, 1000), max_size=6),
)
def test_the_parts_of_aggregator_and_sites_are_the_line(
    cents: int, share: int, weights: list[int]
) -> None:
    (base,) = energy_lines(paying(), "e", rows(WINDOW, 1, [1]))
    line = replace(base, amount=Decimal(cents) / 100)
    sharing = Sharing(site_share=Decimal(share) / 100, site_share_of_charges=Decimal("0.1"))
    kept, sites = shares(line, sharing, {f"s{n}": Decimal(w) for n, w in enumerate(weights)})
    assert kept + sum(sites.values()) == line.amount
    assert all(part == money(part, "USD") for part in (kept, *sites.values()))
    assert all(sites[f"s{n}"] == 0 for n, w in enumerate(weights) if w <= 0)


def test_the_aggregator_bears_penalties() -> None:
    pay = paying(penalties=(Penalty(rate=KWH),))
    (line,) = shortfall_lines(pay, "e", rows(WINDOW, 100, [60]))
    assert line.amount == -40
    kept, sites = shares(line, Sharing(site_share=Decimal("0.8")), {"a": Decimal(60)})
    assert kept == -40
    assert sites["a"] == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        Sharing(site_share=Decimal(80))


# --- prices


def test_a_market_price_holds_for_its_own_time() -> None:
    hour = list(WINDOW.split(timedelta(minutes=30)))
    prices = Prices(market=market((hour[0], "0.1"), (hour[1], "0.7")), strike=Decimal("0.9"))
    at_market = paying(energy_pay=(EnergyPay(price=EnergyPrice.MARKET),))
    (line,) = energy_lines(at_market, "e", rows(WINDOW, 100, [100, 20]), prices)
    assert told(line, "amount", "price") == (12, Decimal("0.2"))
    strike = EnergyPay(price=EnergyPrice.MAX_OF_MARKET_AND_STRIKE, strike_max=Decimal("0.5"))
    (line,) = energy_lines(paying(energy_pay=(strike,)), "e", rows(WINDOW, 100, [100, 20]), prices)
    assert line.amount == 32  # 50 kWh at our 0.5, 10 kWh at the market's 0.7


@pytest.mark.parametrize(
    ("pay", "missing"),
    [
        (EnergyPay(), "rate: see the tariff"),
        (
            EnergyPay(price=EnergyPrice.MARKET),
            "the market's price from 2026-07-14 16:00 to 17:00 EDT",
        ),
        (EnergyPay(price=EnergyPrice.BID), "the price that was bid"),
        (EnergyPay(price=EnergyPrice.INDEX_HEAT_RATE), "the gas price"),
        (EnergyPay(price=EnergyPrice.MAX_OF_MARKET_AND_STRIKE), "our strike price"),
    ],
)
def test_what_has_no_price_is_a_line_that_says_which(pay: EnergyPay, missing: str) -> None:
    (line,) = energy_lines(paying(energy_pay=(pay,)), "e", rows(WINDOW, 100, [100]))
    assert told(line, "amount", "quantity", "problem") == (None, 100, f"not known: {missing}")
    assert statement([line]).unpriced == (line,)


def test_a_gap_in_the_market_prices_is_named_and_never_bridged() -> None:
    first, _ = WINDOW.split(timedelta(minutes=30))
    prices = Prices(market=market((first, "0.1")))
    at_market = paying(energy_pay=(EnergyPay(price=EnergyPrice.MARKET),))
    (line,) = energy_lines(at_market, "e", rows(WINDOW, 100, [100, 20]), prices)
    assert told(line, "amount", "quantity") == (None, 60)
    assert line.problem == "not known: the market's price from 2026-07-14 16:30 to 17:00 EDT"
    assert statement([line]).totals == {}


@pytest.mark.parametrize(
    ("known", "test", "voluntary", "basis"),
    [
        ((Basis.RESERVATION, Basis.TEST), True, False, Basis.TEST),
        ((Basis.RESERVATION,), True, False, Basis.RESERVATION),  # as any event
        ((Basis.RESERVATION, Basis.VOLUNTARY), False, True, Basis.VOLUNTARY),
        (tuple(Basis), False, True, Basis.UNPLANNED),
        (tuple(Basis), True, True, Basis.TEST),
        (tuple(Basis), False, False, Basis.RESERVATION),
    ],
)
def test_what_an_event_is_paid_as(
    known: tuple[Basis, ...], test: bool, voluntary: bool, basis: Basis
) -> None:
    pays = [EnergyPay(basis=one) for one in known]
    assert energy_basis(pays, test=test, voluntary=voluntary) is basis


def test_a_program_that_pays_one_way_only_pays_that_way() -> None:
    only = paying(energy_pay=(EnergyPay(basis=Basis.VOLUNTARY, rate=KWH),))
    assert energy_lines(only, "e", rows(WINDOW, 100, [100]))[0].amount == 100


def test_a_rate_for_something_else_pays_no_energy() -> None:
    wrong = paying(energy_pay=(EnergyPay(rate=Rate(amount=Decimal(1), unit="kW-month")),))
    with pytest.raises(ValueError, match="give one a kWh or MWh"):
        energy_lines(wrong, "e", rows(WINDOW, 100, [100]))


# --- round money once


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.005", "USD", "0.01"),
        ("-0.005", "USD", "-0.01"),
        ("-868.341", "USD", "-868.34"),
        ("0.5", "JPY", "1"),
        ("0.0005", "KWD", "0.001"),
        ("0.3333333333333333333333333332", "EUR", "0.33"),
        ("2.4999999999999999999999999999", "JPY", "3"),  # noise of a third of an hour
    ],
)
def test_money_is_rounded_once_halves_away_from_zero(
    amount: str, currency: str, rounded: str
) -> None:
    assert money(Decimal(amount), currency) == Decimal(rounded)


def test_a_thousand_intervals_are_rounded_at_the_line_not_each() -> None:
    """96 x 0.0004 kWh is 0.0384: rounded each they would be nothing."""
    (line,) = energy_lines(paying(), "e", rows(hours("2026-07-14 00:00", 24), 1, [0.0016] * 96))
    assert line.amount == Decimal("0.04")


def test_every_line_explains_itself() -> None:
    (line,) = energy_lines(from_template("csrp-type"), "e", rows(WINDOW, 100, [100]))
    assert line.words == (
        "energy (reservation): 1 USD a kWh (example); 100 kWh counted; "
        "source: operator's own text, 2017"
    )
    assert line.example
