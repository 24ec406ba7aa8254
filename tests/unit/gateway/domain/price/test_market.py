"""Days of a market, units, and what a site pays."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.price.market import days_known, market_day, next_publication, per_kwh
from gateway.domain.price.markup import Markup
from support.prices import step, timeline

BRUSSELS, PACIFIC = ZoneInfo("Europe/Brussels"), ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        ("54.37", "MWH", "0.05437"),
        ("-500", "MWh", "-0.5"),
        ("0.1", "kWh", "0.1"),
        ("0.01", "MWH", "0.00001"),
    ],
)
def test_a_price_per_kwh_is_exact(amount: str, unit: str, expected: str) -> None:
    assert per_kwh(Decimal(amount), unit) == Decimal(expected)


@given(st.integers(-(10**9), 10**9))
def test_the_way_to_kwh_and_back_loses_nothing(cents: int) -> None:
    amount = Decimal(cents) / 100
    assert per_kwh(amount, "MWH") * 1000 == amount


@pytest.mark.parametrize(("amount", "unit"), [("1", "therm"), ("NaN", "MWH"), ("Infinity", "KWH")])
def test_another_unit_or_no_number_is_refused(amount: str, unit: str) -> None:
    with pytest.raises(ValueError, match="price"):
        per_kwh(Decimal(amount), unit)


@pytest.mark.row("portfolio:U8")
@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 29), BRUSSELS, 23),
        (date(2026, 10, 25), BRUSSELS, 25),
        (date(2026, 11, 27), BRUSSELS, 24),
        (date(2026, 3, 8), PACIFIC, 23),
        (date(2026, 11, 1), PACIFIC, 25),
    ],
)
def test_a_day_has_23_24_or_25_hours(day: date, zone: ZoneInfo, hours: int) -> None:
    assert market_day(day, zone).duration == timedelta(hours=hours)


AUCTION = time(12, 45)


@pytest.mark.parametrize(
    ("now", "days", "next_at"),
    [
        ("2026-11-27T11:44", 1, "2026-11-27T11:45"),  # 12:44 in Brussels
        ("2026-11-27T11:45", 2, "2026-11-27T23:00"),
        ("2026-11-27T23:30", 1, "2026-11-28T11:45"),
        ("2026-07-01T10:45", 2, "2026-07-01T22:00"),  # summer time
    ],
)
def test_tomorrow_is_due_at_a_quarter_to_one_in_brussels(now: str, days: int, next_at: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert len(days_known(at, BRUSSELS, AUCTION)) == days
    assert next_publication(at, BRUSSELS, AUCTION).isoformat()[:16] == next_at


def test_what_a_site_pays_is_market_and_fees_and_tax_on_both() -> None:
    markup = Markup(adder_per_kwh=Decimal("0.10"), tax_pct=Decimal(21))
    (paid, negative) = markup.on(timeline(step(0, 1, "0.05"), step(1, 2, "-0.20")))
    assert (paid.per_kwh, negative.per_kwh) == (Decimal("0.1815"), Decimal("-0.1210"))


def test_without_a_mark_up_the_market_is_what_is_paid() -> None:
    prices = timeline(step(0, 1, "0.05"))
    assert Markup().on(prices) == prices
