"""Rules that never count, never hold or quarrel are named; rules in good order are not."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.rules.check import Ground, findings
from site_agent.domain.rules.defaults import DEFAULT_RULES
from site_agent.domain.rules.holds import in_window
from site_agent.domain.rules.region import covers, overlap, week
from site_agent.domain.rules.rule import (
    WORKDAYS,
    Rule,
    StorageDo,
    StorageWish,
    Then,
    VehicleWish,
    When,
    Window,
)
from support.site import NOON

EVENING = Window(start=time(16), end=time(21))
GIVES = Then(battery=StorageWish(do=StorageDo.DISCHARGE))
TAKES = Then(battery=StorageWish(do=StorageDo.CHARGE))
WAIT, NOW = Then(vehicles=VehicleWish(most_w=0.0)), Then(vehicles=VehicleWish(most_w=None))


def told(*rules: Rule, ground: Ground | None = None) -> list[tuple[str, str]]:
    return [(found.rule, found.words) for found in findings(rules, ground)]


def rule(name: str, then: Then, when: When | None = None) -> Rule:
    return Rule(name=name, when=when or When(), then=then)


def test_the_default_rules_are_in_good_order() -> None:
    assert told(*DEFAULT_RULES) == []


def test_a_rule_below_one_that_always_decides_is_named() -> None:
    assert told(rule("always", GIVES), rule("evening", TAKES, When(windows=(EVENING,)))) == [
        ("evening", "never counts: 'always' always decides before it")
    ]


def test_an_exception_above_the_rule_is_good_order() -> None:
    assert told(rule("evening", TAKES, When(windows=(EVENING,))), rule("else", GIVES)) == []


def test_a_rule_whose_demand_target_counts_is_not_shadowed() -> None:
    both = Then(battery=GIVES.battery, import_below_w=50_000.0)
    assert told(rule("always", GIVES), rule("target", both)) == []


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        pytest.param(GIVES, TAKES, "one charges the battery, the other discharges it"),
        pytest.param(WAIT, NOW, "one lets vehicles charge, the other holds them back"),
    ],
)
def test_rules_that_may_meet_and_want_the_contrary_are_named(
    first: Then, second: Then, words: str
) -> None:
    cheap, evening = When(price_below=0.1), When(windows=(EVENING,))
    assert told(rule("cheap", first, cheap), rule("evening", second, evening)) == [
        ("evening", f"may hold together with 'cheap', which decides: {words}")
    ]
    apart = When(price_above=0.1)
    assert told(rule("cheap", first, cheap), rule("dear", second, apart)) == []


def test_a_rule_about_some_vehicles_is_an_exception() -> None:
    some = rule("buses", NOW, When(vehicles=frozenset({"bus-1"})))
    assert told(some, rule("evening", WAIT, When(windows=(EVENING,)))) == []


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (When(price_above=0.3, price_below=0.3), "no price is above 0.3 and below 0.3"),
        (When(soc_above_pct=60, soc_below_pct=40), "no state of charge is above 60 and below 40"),
        (When(days=frozenset()), "there is no such time"),
    ],
)
def test_a_rule_that_never_holds_is_named(when: When, words: str) -> None:
    assert told(rule("never", GIVES, when)) == [("never", f"never holds: {words}")]


@pytest.mark.parametrize(
    ("one", "ground", "words"),
    [
        (
            rule("r", GIVES, When(price_above=0.3)),
            Ground(tariff=False),
            "never holds: the site has no tariff, so it knows no price",
        ),
        (
            rule("r", GIVES),
            Ground(batteries=False),
            "asks something of a battery, which there is none of",
        ),
        (
            rule("r", WAIT, When(soc_below_pct=40)),
            Ground(batteries=False),
            "never holds: the site has no battery",
        ),
        (
            rule("r", WAIT, When(vehicles=frozenset({"van-1", "van-2"}))),
            Ground(vehicles=frozenset({"van-1"})),
            "names vehicles that are not of the fleet: van-2",
        ),
        (
            rule("r", GIVES, When(ranks=frozenset({1}))),
            Ground(),
            "names vehicles but asks nothing of them",
        ),
        (
            rule("r", Then(import_limit_w=250_000.0)),
            Ground(contract_limit_w=250_000.0),
            "never binds: the contract allows 250000 W anyway",
        ),
    ],
)
def test_what_the_site_has_not_is_named(one: Rule, ground: Ground, words: str) -> None:
    assert told(one, ground=ground) == [("r", words)]


def test_two_rules_of_one_name_are_named() -> None:
    twice = [rule("r", WAIT, When(price_below=1.0)), rule("r", WAIT, When(price_above=1.0))]
    assert told(*twice) == [("r", "2 rules have this name")]


CLOCK = st.times().map(lambda at: at.replace(second=0, microsecond=0))
WHENS = st.builds(
    When,
    windows=st.lists(st.builds(Window, start=CLOCK, end=CLOCK), max_size=2).map(tuple),
    days=st.frozensets(st.integers(0, 6)),
    price_above=st.none() | st.floats(-1, 1),
    price_below=st.none() | st.floats(-1, 1),
    ranks=st.frozensets(st.integers(0, 2)),
)


@given(WHENS, st.integers(0, 7 * 24 * 60 - 1))
def test_the_week_of_a_rule_is_when_it_holds(when: When, minute: int) -> None:
    monday = NOON.replace(hour=0)  # 5 January 2026
    at = monday.replace(day=5 + minute // 1440, hour=minute // 60 % 24, minute=minute % 60)
    assert bool(week(when) >> minute & 1) == in_window(when.windows, when.days, at)


@given(WHENS, WHENS)
def test_what_is_covered_and_can_hold_overlaps(first: When, second: When) -> None:
    if covers(first, second) and overlap(second, second):
        assert overlap(first, second)
    assert overlap(first, second) == overlap(second, first)
    assert covers(first, first)


def test_workdays_cover_a_monday() -> None:
    assert covers(When(days=WORKDAYS), When(days=frozenset({0}), months=frozenset({7})))
    assert not covers(When(months=frozenset({7})), When())
