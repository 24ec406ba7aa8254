"""Counters: equal to a plain recount, in any order, and never beyond what a policy lets in."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.program import Call, Effect, Program, counters, findings
from gateway.domain.program.call import length
from gateway.domain.program.quota import BackToBack, Counting, MaxInRow, Per, Quota, Scope, Unit
from gateway.domain.program.season import Season
from gateway.domain.program.use import occasions, used
from gateway.domain.program.wall import local_day
from support.calls import NEW_YORK, call, program

START = datetime(2026, 10, 20, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)

QUOTAS = st.builds(
    Quota,
    unit=st.sampled_from(Unit),
    limit=st.integers(0, 12),
    per=st.sampled_from(Per),
    scope=st.sampled_from(Scope),
    tests_count=st.booleans(),
)
NAMES = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=3)


@st.composite
def calls(draw: st.DrawFn, most: int = 12) -> list[Call]:
    """Calls of three weeks over the end of summer time, with every flag."""
    found = []
    for number in range(draw(st.integers(0, most))):
        start = START + draw(st.integers(0, 21 * 96)) * QUARTER
        window = Interval.lasting(start, draw(st.integers(1, 40)) * QUARTER)
        found.append(
            Call(
                event_key=f"u/{number}",
                window=window,
                announced=Interval.lasting(start, draw(st.integers(1, 40)) * QUARTER),
                test=draw(st.booleans()),
                cancelled=draw(st.integers(0, 4)) == 0,
                accepted=draw(st.integers(0, 4)) > 0,
                networks=draw(NAMES),
                sites=draw(NAMES),
            )
        )
    return found


RULES = st.fixed_dictionaries(
    {
        "quotas": st.lists(QUOTAS, min_size=1, max_size=3).map(tuple),
        "in_row": st.lists(st.builds(MaxInRow, days=st.integers(1, 3)), max_size=1).map(tuple),
        "back_to_back": st.builds(
            BackToBack, gap=st.sampled_from([timedelta(0), 2 * QUARTER]), one_event=st.booleans()
        ),
        "counting": st.builds(
            Counting,
            cancelled=st.booleans(),
            shortened_in_full=st.booleans(),
            extension=st.booleans(),
            overlapping_as_one=st.booleans(),
        ),
        "seasons": st.just((Season(name="s", first=(10, 25), last=(2, 1)),)),
        "terms": st.just(((10, 1), (11, 1))),
    }
)


@pytest.mark.row("portfolio:A8")
@settings(deadline=None)
@given(history=calls(), seed=st.integers())
def test_hours_equal_a_recount_quarter_by_quarter(history: list[Call], seed: int) -> None:
    """Without joining, the hours of a month are those of its quarter hours, one by one."""
    one = program()
    for unit_of in (True, False):
        quota = Quota(limit=0, per=Per.MONTH, unit=Unit.HOURS, tests_count=unit_of)
        for month in (10, 11):
            plain = 0
            for asked in history:
                if asked.cancelled or not asked.accepted or (asked.test and not unit_of):
                    continue
                for step in asked.window.split(QUARTER):
                    plain += local_day(step.start, NEW_YORK).month == month
            first = datetime(2026, month, 1, tzinfo=NEW_YORK)
            after = datetime(2026, month + 1, 1, tzinfo=NEW_YORK)
            period = Interval(start=first, end=after)
            assert used(quota, period, occasions(history, one.rules, END)) == plain / 4
    shuffled = list(history)
    Random(seed).shuffle(shuffled)
    assert occasions(shuffled, one.rules, END) == occasions(history, one.rules, END)


@pytest.mark.row("portfolio:A8")
@settings(deadline=None)
@given(history=calls(), rules=RULES)
def test_events_that_are_joined_are_a_plain_recount_of_touching_spans(
    history: list[Call], rules: dict[str, Any]
) -> None:
    """Occasions are the connected parts of the graph of spans that touch, found by brute force."""
    one = program(**rules)
    spans = {
        c.event_key: span
        for c in history
        if (span := c.counted(one.rules.counting, END)) is not None
    }
    group = {key: {key} for key in spans}
    for a, mine in spans.items():
        for b, other in spans.items():
            if a != b and _touch(one, mine, other):
                whole = group[a] | group[b]
                for key in whole:
                    group[key] = whole
    assert {o.keys for o in occasions(history, one.rules, END)} == {
        frozenset(keys) for keys in group.values()
    }


def _touch(one: Program, a: Interval, b: Interval) -> bool:
    first, second = sorted((a, b), key=lambda span: span.start)
    assert first.end is not None
    if second.start < first.end:
        return one.rules.counting.overlapping_as_one
    back = one.rules.back_to_back
    return back.one_event and second.start - first.end <= back.gap


@pytest.mark.row("portfolio:A8")
@settings(deadline=None)
@given(asked=calls(), rules=RULES)
def test_no_limit_is_exceeded_by_what_a_policy_of_opting_out_lets_in(
    asked: list[Call], rules: dict[str, Any]
) -> None:
    one = program(**rules)
    taken: list[Call] = []
    for new in asked:
        found = findings(one, new, taken, END)
        if new.accepted and not any(f.effect is Effect.BREACH for f in found):
            taken.append(new)
    live = [c for c in taken if not c.cancelled]
    for day in range(75):
        for counter in counters(one, live, START + timedelta(days=day)):
            assert counter.used <= counter.quota.limit + 1e-9


@pytest.mark.row("portfolio:A8")
@settings(deadline=None)
@given(history=calls(), rules=RULES, seed=st.integers())
def test_findings_and_counters_do_not_depend_on_the_order_of_the_history(
    history: list[Call], rules: dict[str, Any], seed: int
) -> None:
    one = program(**rules)
    new = call("2026-11-01 00:30", 3, networks=frozenset({"a"}), sites=frozenset({"a", "b"}))
    shuffled = list(history)
    Random(seed).shuffle(shuffled)
    assert set(findings(one, new, shuffled, END)) == set(findings(one, new, history, END))
    assert counters(one, shuffled, END) == counters(one, history, END)


@settings(deadline=None)
@given(history=calls())
def test_a_shortened_or_extended_call_counts_no_longer_than_the_longer_of_both(
    history: list[Call],
) -> None:
    for asked in history:
        for counting in (Counting(), Counting(shortened_in_full=True, extension=False)):
            span = asked.counted(counting, END)
            if span is not None and asked.announced is not None:
                assert length(span) <= max(length(asked.window), length(asked.announced))
