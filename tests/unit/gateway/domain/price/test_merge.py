"""Which of several words on a price holds."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.price.merge import Publication, by_precedence, forgotten, renewed
from gateway.domain.price.timeline import PriceStep, PriceTimeline, Quality
from support.prices import HOUR, T0, hours, publication, step, timeline

LATER = T0 + HOUR
CARRIED = Quality.CARRIED_OVER


def told(prices: PriceTimeline) -> list[tuple[float, float, str, str]]:
    return [
        ((one.start - T0) / HOUR, (one.end - T0) / HOUR, str(one.per_kwh), one.quality.value)
        for one in prices
    ]


def test_the_newest_word_of_a_source_holds() -> None:
    known = timeline(step(0, 1, "0.1"), step(1, 2, "0.2"))
    said = publication(hours(1, 3), step(1, 2, "0.3", as_of=LATER), step(2, 3, "0.4", as_of=LATER))
    assert told(renewed(known, said)) == [
        (0, 1, "0.1", "published"),
        (1, 2, "0.3", "published"),
        (2, 3, "0.4", "published"),
    ]


def test_what_is_no_longer_named_is_carried_over() -> None:
    known = timeline(step(0, 1, "0.1"), step(1, 2, "0.2"))
    said = publication(hours(0, 3), step(0, 1, "0.1", as_of=LATER))
    found = renewed(known, said)
    assert told(found) == [(0, 1, "0.1", "published"), (1, 2, "0.2", "carried over")]
    assert found.gaps(hours(0, 3)) == (hours(2, 3),)
    again = publication(hours(0, 3), step(1, 2, "0.2", as_of=LATER))
    assert [one.quality for one in renewed(found, again)][1] is Quality.PUBLISHED


def test_the_same_said_again_is_no_news() -> None:
    known = timeline(step(0, 1, "0.1"))
    assert renewed(known, publication(hours(0, 1), step(0, 1, "0.1", as_of=LATER))) == known


def test_a_coarser_word_is_cut_by_a_finer_one() -> None:
    known = timeline(step(0, 4, "0.1"))
    said = publication(hours(1, 2), *(step(1 + q / 4, 1.25 + q / 4, f"0.{q}") for q in range(4)))
    assert [one[:2] for one in told(renewed(known, said))] == [
        (0, 1),
        (1, 1.25),
        (1.25, 1.5),
        (1.5, 1.75),
        (1.75, 2),
        (2, 4),
    ]


def test_another_currency_starts_afresh() -> None:
    said = Publication(window=hours(0, 1), prices=timeline(step(0, 1, "0.1"), currency="SEK"))
    assert renewed(timeline(step(3, 4, "0.2")), said).currency == "SEK"
    assert len(renewed(timeline(step(3, 4, "0.2")), said).steps) == 1


def test_the_first_source_that_names_a_price_holds_and_the_rest_is_a_gap() -> None:
    market = timeline(step(1, 2, "0.1"))
    tariff = timeline(step(0, 3, "0.3", source_id="tariff"))
    found = by_precedence("depot", [market, tariff], hours(0, 4))
    assert [(one.source_id, one.interval) for one in found] == [
        ("tariff", hours(0, 1)),
        ("nl", hours(1, 2)),
        ("tariff", hours(2, 3)),
    ]
    assert found.gaps(hours(0, 4)) == (hours(3, 4),)


def test_old_prices_are_forgotten() -> None:
    known = timeline(step(0, 1, "0.1"), step(1, 2, "0.2"))
    assert told(forgotten(known, T0 + HOUR)) == [(1, 2, "0.2", "published")]


QUARTER = timedelta(minutes=15)
places = st.sets(st.integers(0, 40), max_size=20)


def quarters(at: set[int], price: str, source_id: str = "nl") -> tuple[PriceStep, ...]:
    return tuple(step(i / 4, (i + 1) / 4, price, source_id=source_id) for i in at)


@given(places, places, st.integers(0, 20), st.integers(21, 41))
def test_no_price_is_lost_or_invented(old: set[int], new: set[int], first: int, last: int) -> None:
    window = hours(first / 4, last / 4)
    inside = {one for one in new if first <= one < last}
    found = renewed(timeline(*quarters(old, "0.1")), publication(window, *quarters(inside, "0.2")))
    seen = {}
    for i in range(45):
        at = T0 + i * QUARTER
        value = found.series().value_at(at)
        seen[i] = None if value is None else Decimal(str(value))
    for i, price in seen.items():
        expected = "0.2" if i in inside else "0.1" if i in old else None
        assert price == (None if expected is None else Decimal(expected))
    carried = {
        i
        for i in range(45)
        if any(one.quality is CARRIED and T0 + i * QUARTER in one.interval for one in found)
    }
    assert carried == {i for i in old - inside if first <= i < last}


@given(places, places)
def test_precedence_covers_exactly_what_some_source_covers(one: set[int], two: set[int]) -> None:
    found = by_precedence(
        "x",
        [timeline(*quarters(one, "0.1", "a")), timeline(*quarters(two, "0.2", "b"))],
        hours(0, 11),
    )
    for i in range(44):
        value = found.series().value_at(T0 + i * QUARTER)
        assert value == (0.1 if i in one else 0.2 if i in two else None)


def test_sources_in_several_currencies_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="EUR and USD"):
        by_precedence("x", [timeline(), timeline(currency="USD")], hours(0, 1))
