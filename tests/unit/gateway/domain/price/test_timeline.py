"""Prices over time: order, gaps, and no price that is none."""

from decimal import Decimal

import pytest

from gateway.domain.price.timeline import shared_currency
from support.prices import hours, step, timeline


def test_a_gap_is_told_and_never_filled() -> None:
    prices = timeline(step(1, 2, "0.1"), step(4, 5, "0.2"))
    assert prices.gaps(hours(0, 6)) == (hours(0, 1), hours(2, 4), hours(5, 6))
    assert prices.series().value_at(hours(3, 4).start) is None
    assert not prices.covers(hours(1, 3))
    assert prices.covers(hours(1.25, 1.75))


def test_prices_may_be_negative() -> None:
    assert timeline(step(0, 1, "-0.05")).series().value_at(hours(0, 1).start) == -0.05


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_price(price: str) -> None:
    with pytest.raises(ValueError, match="no price"):
        step(0, 1, price)


def test_a_price_needs_a_length() -> None:
    with pytest.raises(ValueError, match="length"):
        step(1, 1, "0.1")


def test_two_prices_at_once_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two prices at 2026-11-27T01:00"):
        timeline(step(0, 2, "0.1"), step(1, 3, "0.2"))


def test_two_currencies_are_not_compared() -> None:
    assert shared_currency([timeline(), timeline()]) == "EUR"
    with pytest.raises(ValueError, match="EUR and USD"):
        shared_currency([timeline(), timeline(currency="USD")])


def test_a_part_keeps_its_price_and_origin() -> None:
    (part,) = timeline(step(0, 2, "0.1")).clip(hours(1, 5))
    assert (part.interval, part.per_kwh, part.source_id) == (hours(1, 2), Decimal("0.1"), "nl")
