"""Figures told from outside: what makes sense, what holds, and which statements they bear on."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.domain.settle.determinant import (
    Determinant,
    What,
    checked,
    concerning,
    newest,
    of_event,
)
from gateway.domain.settle.period import period_named
from support.calls import at
from support.deliveries import from_template, hours, market
from support.statements import month

CP, CSRP = from_template("4cp-type"), from_template("csrp-type")


def told(what: What = What.SYSTEM_RATIO, subject: str = "u/e", **more: Any) -> Determinant:
    given: dict[str, Any] = {
        "program_id": "p1",
        "source": "a notice",
        "told_by": "Ada",
        "told_at": datetime(2026, 9, 1, tzinfo=UTC),
        "value": Decimal(1),
    }
    return Determinant(what=what, subject=subject, **given | more)


PEAK = told(What.PEAK, "2026-07", value=None, at=at("2026-07-20 17:45"))


@pytest.mark.parametrize(
    "one",
    [
        told(),
        told(What.FACTOR, "2025-summer", value=Decimal("0.8")),
        told(What.FACTOR, "2025"),
        told(What.INDEX, "2026-07", currency="USD"),
        told(What.BID, "*", currency="GBP", value=Decimal(-1)),
        told(What.MARKET_PRICE, value=None, prices=market((hours("2026-07-14 16:00"), "0.1"))),
    ],
)
def test_what_makes_sense_is_kept_as_it_is(one: Determinant) -> None:
    assert checked(one, CSRP) is one


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (told(source=" "), "say where the figure stands"),
        (told(source="x" * 401), "at most 400"),
        (told(value=None), "a finite number"),
        (told(value=Decimal("NaN")), "a finite number"),
        (told(value=Decimal("1e9")), "beyond"),
        (told(value=Decimal(-1)), "at least 0"),
        (told(currency="USD"), "without a currency"),
        (told(subject="2026-07"), "of an event"),
        (told(What.BID, currency="dollars"), "ISO 4217"),
        (told(What.BID, "soon", currency="USD"), "a month such as 2026-07"),
        (told(What.FACTOR, "2026-07"), "a season such as"),
        (told(What.FACTOR, "2025-winter"), "a season such as"),
        (told(at=at("2026-07-20 17:45")), "only a peak has"),
        (told(What.BID, currency="USD", prices=market()), "only a market_price has several"),
        (PEAK, "has no charge on the system's peaks"),
    ],
)
def test_what_makes_none_is_refused_in_words(one: Determinant, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        checked(one, CSRP)


def test_a_peak_lies_in_its_month_on_the_programs_wall() -> None:
    assert checked(PEAK, CP) is PEAK
    late = told(What.PEAK, "2026-08", value=None, at=at("2026-07-31 23:59"))
    with pytest.raises(ValueError, match="lies in 2026-07 in America/Chicago"):
        checked(late, CP)
    with pytest.raises(ValueError, match="nothing else"):
        checked(told(What.PEAK, "2026-07", at=PEAK.at), CP)


def test_the_last_word_holds_and_the_nearest_subject_comes_first() -> None:
    words = [
        told(What.BID, "*", value=Decimal(1), currency="USD", number=1),
        told(What.BID, "2026-07", value=Decimal(2), currency="USD", number=2),
        told(What.BID, "u/e", value=Decimal(3), currency="USD", number=4),
        told(What.BID, "u/e", value=Decimal(4), currency="USD", number=3),
    ]
    assert newest(words)[What.BID, "u/e"].value == 3
    for key, day, value in (("u/e", "2026-07", 3), ("u/f", "2026-07", 2), ("u/f", "2026-08", 1)):
        found = of_event(words, What.BID, key, month(day))
        assert found is not None
        assert found.value == value
    assert of_event(words, What.STRIKE, "u/e", month("2026-07")) is None


@pytest.mark.parametrize(
    ("one", "periods"),
    [
        (told(), {"2026-08"}),
        (told(What.BID, "*", currency="USD"), {"2026-07", "2026-08", "2026-summer", "2027-01"}),
        (told(What.BID, "2026-07", currency="USD"), {"2026-07", "2026-summer"}),
        (PEAK, {"2026-07", "2026-08", "2026-summer"}),
        (told(What.FACTOR, "2025-summer"), {"2026-07", "2026-08", "2026-summer"}),
        (told(What.FACTOR, "2024-summer"), set()),
    ],
)
def test_which_statements_it_bears_on(one: Determinant, periods: set[str]) -> None:
    found = {
        name
        for name in ("2026-07", "2026-08", "2026-summer", "2027-01")
        if concerning(
            [one],
            CP,
            period_named(name, CP.rules.seasons),
            ["u/e"] if name == "2026-08" else [],
        )
    }
    assert found == periods
