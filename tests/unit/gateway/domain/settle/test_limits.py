"""Stop-losses, claw-backs and what lies over firm levels, through shipped templates."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.domain.measure.factor import EventResult
from gateway.domain.program import Program
from gateway.domain.program.paying import Penalty, Rate
from gateway.domain.settle.limits import claw_back_lines, stop_loss_lines
from gateway.domain.settle.line import Kind, Line
from gateway.domain.settle.penalty import Held, over_level_lines, score_lines
from gateway.domain.settle.sharing import Sharing, split
from support.deliveries import QUARTER, from_template, hours, rows, told

HALF = Sharing(site_share=Decimal("0.5"))
SCORE = {"excess": "score", "rate": "9337 USD/MWh", "ratio_cap": 1, "stop_loss": "monthly"}


def scored(program: Program, actual_kw: float, ratio: str, length: float = 3) -> Line:
    given = rows(hours("2026-07-14 16:00", length), 1000, [actual_kw] * int(length))
    (line,) = score_lines(program, "u/e", given, Decimal(ratio))
    return line


@pytest.mark.row("mv:M4")
@pytest.mark.parametrize(
    ("limit", "back"),
    [
        (None, None),  # the template: a stop-loss in words, whose amount is the tariff's
        ("2000 USD/month", "7337.00"),
        ("3 USD/kW-month", "6337.00"),
        ("9337 USD/month", None),
        ("20000 USD/month", None),
    ],
)
def test_a_month_loses_no_more_than_the_stop_loss(limit: str | None, back: str | None) -> None:
    """ADCR type: 1 MW owed, nothing delivered for an hour: 9,337 USD are lost."""
    program = from_template("adcr-type", penalties=[{**SCORE, "stop_loss_rate": limit}])
    line = scored(program, 0, "1", 1)
    assert line.amount == -9337
    found = stop_loss_lines(program, "2026-07", [line], Decimal(1000))
    assert [str(one.amount) for one in found] == ([back] if back else [])
    assert all(one.kind is Kind.STOP_LOSS for one in found)


def test_gains_of_a_month_are_in_the_sum_that_the_stop_loss_limits() -> None:
    program = from_template("adcr-type", penalties=[{**SCORE, "stop_loss_rate": "5000 USD/month"}])
    lost, won = scored(program, 0, "1", 1), scored(program, 1500, "1", 1)
    assert won.amount == Decimal("4668.50")
    assert stop_loss_lines(program, "2026-07", [lost, won], Decimal(1000)) == ()


def test_what_is_given_back_is_shared_as_it_was_charged() -> None:
    program = from_template("adcr-type", penalties=[{**SCORE, "stop_loss_rate": "2000 USD/month"}])
    (back,) = stop_loss_lines(program, "2026-07", [scored(program, 0, "1", 1)], Decimal(1000))
    contracts = {"a": Sharing(site_share=Decimal(1), site_share_of_charges=Decimal(0))}
    kept, sites = split(back, contracts, {"a": Decimal(1)}, charge=True)
    assert kept == back.amount
    assert sites["a"] == 0


def test_a_stop_loss_for_something_else_than_a_month_is_refused() -> None:
    with pytest.raises(ValueError, match="kW-month or month"):
        Penalty(stop_loss_rate=Rate(amount=Decimal(1), unit="kWh"))


PAID = Line(
    kind=Kind.CAPACITY,
    subject="2026-07",
    quantity=Decimal(80),
    unit="kW",
    price=Decimal(10),
    amount=Decimal(800),
    currency="USD",
    example=True,
    rule="capacity",
)
CLAWED = [{"excess": "shortfall", "claw_back": True}]


@pytest.mark.parametrize(
    ("ratios", "rules", "paid", "amounts"),
    [
        (["0.97"], CLAWED, [PAID], []),
        (["0.97", "0.80"], CLAWED, [PAID], [Decimal(-800)]),  # ERS type: met from 95 %
        (["0.80"], [{"excess": "shortfall"}], [PAID], []),
        (["0.80"], CLAWED, [], []),
        (["0.80"], CLAWED, [replace(PAID, amount=None, problem="rate")], [None]),
        ([None], CLAWED, [PAID], []),
        ([], CLAWED, [PAID], []),
    ],
)
def test_a_month_in_which_an_event_failed_earns_nothing_where_the_rule_says_so(
    ratios: list[str | None], rules: list[Any], paid: list[Line], amounts: list[Decimal | None]
) -> None:
    program = from_template("ers-type", penalties=rules)
    results = [
        EventResult(
            event_key=f"u/e{n}",
            window=hours(f"2026-07-{n + 10} 16:00"),
            ratio=None if ratio is None else Decimal(ratio),
        )
        for n, ratio in enumerate(ratios)
    ]
    found = claw_back_lines(program, "2026-07", paid, results)
    assert [one.amount for one in found] == amounts
    assert all("failed: " in one.inputs[0] for one in found)


def test_each_site_stands_for_itself_against_its_firm_level() -> None:
    """BIP type: room at b makes up for nothing at a; c has no level, so nothing is priced."""
    program = from_template("bip-type")
    window = hours("2026-07-14 16:00", 0.5)

    def held(site: str, level: int | None, *loads: int | None) -> Held:
        kept = tuple(
            (piece, None if load is None else Decimal(load))
            for piece, load in zip(window.split(QUARTER), loads, strict=True)
        )
        return Held(site=site, level_kw=None if level is None else Decimal(level), loads=kept)

    sites = [held("a", 300, 340, 320), held("b", 300, 200, None)]
    (line,) = over_level_lines(program, "u/e", sites)
    assert told(line, "kind", "quantity", "amount") == (Kind.OVER_LEVEL, 15, -90)
    assert "b: 1 intervals were not measured" in line.inputs
    (line,) = over_level_lines(program, "u/e", [*sites, held("c", None, 999, 999)])
    assert line.amount is None
    assert "firm service level of c" in line.problem
