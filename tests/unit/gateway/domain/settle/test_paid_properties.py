"""What holds of any factor, energy and statement, whatever the rules."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.measure.blocks import blocks
from gateway.domain.measure.factor import Standing, event_ratio, factor_of, standing_factor
from gateway.domain.measure.rows import Row
from gateway.domain.program import Program
from gateway.domain.program.paying import (
    EnergyPay,
    Rate,
)
from gateway.domain.program.performing import Absent, Mean, Negative, Performance
from gateway.domain.settle.energy import energy_lines, paid_energy
from gateway.domain.settle.line import Line, statement
from support.calls import at, program
from support.deliveries import hours, result, rows

pytestmark = pytest.mark.row("portfolio:A1")

KWH = Rate(amount=Decimal(1), unit="kWh")
FIXED = EnergyPay(rate=KWH)
FULL = Standing(factor=Decimal(1), because="test")


WINDOW = hours("2026-07-14 16:00", 1)


def paying(**rules: Any) -> Program:
    return program(energy_pay=rules.pop("energy_pay", (FIXED,)), **rules)


KW = st.none() | st.integers(-300, 300)
RULES = st.builds(
    Performance,
    mean=st.sampled_from(Mean),
    cap=st.sampled_from([None, Decimal(1), Decimal("1.2")]),
    floor=st.sampled_from([None, Decimal("0.25")]),
    floor_strict=st.booleans(),
    pass_ratio=st.sampled_from([None, Decimal("0.95")]),
    sticky=st.booleans(),
    negative=st.sampled_from(Negative),
    missing=st.sampled_from(Absent),
    opted_out=st.sampled_from(Absent),
)


@given(rule=RULES, kilowatts=st.lists(KW, min_size=1, max_size=24))
def test_a_factor_lies_between_0_and_the_cap(
    rule: Performance, kilowatts: list[int | None]
) -> None:
    ratio = event_ratio(blocks(quarters(kilowatts), rule), rule)
    if ratio is not None:
        assert factor_of(ratio, rule) >= 0
        assert rule.cap is None or factor_of(ratio, rule) <= rule.cap


@given(rule=RULES, kilowatts=st.lists(KW, min_size=1, max_size=24), data=st.data())
def test_nothing_depends_on_the_order_of_the_rows(
    rule: Performance, kilowatts: list[int | None], data: st.DataObject
) -> None:
    straight = quarters(kilowatts)
    shuffled = data.draw(st.permutations(straight))
    assert blocks(straight, rule) == blocks(shuffled, rule)
    one = paying(performance=(rule,))
    assert energy_lines(one, "e", straight) == energy_lines(one, "e", shuffled)


@given(
    rule=RULES,
    ratios=st.lists(st.none() | st.integers(-50, 200), min_size=1, max_size=6),
    data=st.data(),
)
def test_nor_on_the_order_of_the_events(
    rule: Performance, ratios: list[int | None], data: st.DataObject
) -> None:
    events = [
        result(f"2026-07-{n + 1:02d} 16:00", None if r is None else r / 100, opted_out=r is None)
        for n, r in enumerate(ratios)
    ]
    july = Interval(start=at("2026-07-01 00:00"), end=at("2026-08-01 00:00"))
    shuffled = data.draw(st.permutations(events))
    assert standing_factor(events, rule, july) == standing_factor(shuffled, rule, july)


@given(
    rule=RULES,
    kilowatts=st.lists(KW, min_size=1, max_size=24),
    cap=st.sampled_from([Decimal(1), Decimal("1.5")]),
)
def test_energy_is_never_paid_above_the_cap(
    rule: Performance, kilowatts: list[int | None], cap: Decimal
) -> None:
    given_rows = quarters(kilowatts)
    paid = paid_energy(given_rows, rule, cap)
    committed = sum((row.committed_kw * row.seconds for row in given_rows), Decimal(0))
    most = cap * committed
    assert sum((one.kilowatt_seconds for one in paid), Decimal(0)) <= most + Decimal("1e-9")


@given(
    amounts=st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.integers(-999, 999), st.sampled_from("€$")),
        max_size=8,
    ),
    data=st.data(),
)
def test_lines_sum_to_the_statement_in_any_order(
    amounts: list[tuple[str, int, str]], data: st.DataObject
) -> None:
    lines = [line(subject, cents, currency) for subject, cents, currency in amounts]
    whole = statement(lines)
    assert whole == statement(data.draw(st.permutations(lines)))
    for currency, total in whole.totals.items():
        assert total == sum(one.amount or 0 for one in lines if one.currency == currency)
    assert set(whole.totals) == {one.currency for one in lines}


def line(subject: str, cents: int, currency: str) -> Line:
    rate = EnergyPay(rate=Rate(amount=Decimal(cents) / 100, unit="kWh", currency=currency))
    return energy_lines(paying(energy_pay=(rate,)), subject, rows(WINDOW, 1, [1]))[0]


def quarters(kilowatts: list[int | None]) -> tuple[Row, ...]:
    return rows(hours("2026-07-14 16:00", len(kilowatts) / 4), 100, kilowatts)
