"""What a utility should have of a series, and what it got."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.completeness import MOST_STRETCHES, Duty, completeness, with_gaps

T0 = datetime(2026, 11, 28, tzinfo=UTC)
MIN = timedelta(minutes=1)
DAY = Interval(start=T0, end=T0 + timedelta(days=1))


def span(start: float, end: float) -> Interval:
    return Interval(start=T0 + start * MIN, end=T0 + end * MIN)


def duty(told: float, *gaps: Interval, begin: float = 0, end: float | None = None) -> Duty:
    return Duty(
        utility_id="u1",
        key="r1",
        what="usage",
        period=5 * MIN,
        begin=T0 + begin * MIN,
        end=None if end is None else T0 + end * MIN,
        allowance=2 * MIN,
        told_until=T0 + told * MIN,
        gaps=gaps,
    )


@pytest.mark.row("mv:M5")
@pytest.mark.parametrize(
    ("one", "now", "due", "told", "behind", "gaps"),
    [
        (duty(0), 6, 0, 0, 0, 0),  # the first interval has a minute left to be told
        (duty(0), 7, 1, 0, 1, 0),
        (duty(60), 62, 12, 12, 0, 0),
        (duty(30), 62, 12, 6, 6, 0),
        (duty(60, span(10, 20)), 62, 12, 10, 0, 2),
        (duty(30, span(20, 30)), 62, 12, 4, 6, 2),
        (duty(60, begin=30), 62, 6, 6, 0, 0),
        (duty(60, end=60), 200, 12, 12, 0, 0),  # over: nothing more is due
        (duty(90), 62, 12, 12, 0, 0),  # told ahead of time is no more than told
    ],
)
def test_counts(one: Duty, now: float, due: int, told: int, behind: int, gaps: int) -> None:
    found = completeness(one, DAY, T0 + now * MIN)
    assert (found.due, found.told, found.behind, found.gaps) == (due, told, behind, gaps)


def test_where_something_is_missing_and_how_much_is_not() -> None:
    found = completeness(duty(30, span(10, 20)), DAY, T0 + 62 * MIN)
    assert found.missing == (span(10, 20), span(30, 60))
    assert found.share == pytest.approx(4 / 12)
    assert completeness(duty(0), DAY, T0).share is None


def test_only_what_ends_in_the_window_counts() -> None:
    window = span(30, 60)
    found = completeness(duty(60, span(10, 40)), window, T0 + 300 * MIN)
    assert (found.due, found.gaps, found.missing) == (6, 2, (span(30, 40),))


@given(
    told=st.integers(0, 300),
    holes=st.lists(st.tuples(st.integers(0, 55), st.integers(1, 5)), max_size=5),
    now=st.integers(0, 400),
    start=st.integers(0, 200),
)
def test_everything_due_is_told_behind_or_a_gap(
    told: int, holes: list[tuple[int, int]], now: int, start: int
) -> None:
    pieces = [Interval.lasting(T0 + 5 * n * MIN, 5 * MIN) for n in range(60)]
    empty = {n for first, count in holes for n in range(first, min(60, first + count))}
    whole = [p.start for n, p in enumerate(pieces) if n not in empty]
    one = duty(told // 5 * 5, *with_gaps((), pieces, whole))
    window = Interval(start=T0 + start * MIN, end=DAY.end)
    found = completeness(one, window, T0 + now * MIN)
    assert found.due == found.told + found.behind + found.gaps
    assert min(found.due, found.told, found.behind, found.gaps) >= 0
    ends = [n for n in range(400) if start < 5 * (n + 1) <= now - 2]
    assert found.due == len(ends)
    assert found.gaps == sum(1 for n in ends if n in empty and 5 * (n + 1) <= told // 5 * 5)


def test_stretches_are_joined_and_the_oldest_forgotten() -> None:
    five = [span(5 * n, 5 * n + 5) for n in range(4)]
    first = with_gaps((), five[:2], [five[0].start])
    assert first == (span(5, 10),)
    assert with_gaps(first, five[2:], []) == (span(5, 20),)
    late = Interval.lasting(T0 + timedelta(days=40), 5 * MIN)
    assert with_gaps(first, [late], [late.start]) == ()
    many = [Interval.lasting(T0 + 10 * n * MIN, 5 * MIN) for n in range(MOST_STRETCHES + 9)]
    assert with_gaps((), many, []) == tuple(many[9:])
