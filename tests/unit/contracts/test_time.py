import asyncio
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.testing import FakeClock
from contracts.time import Interval, as_utc

T0 = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
SECONDS = st.integers(min_value=0, max_value=10**6)


def at(seconds: int) -> datetime:
    return T0 + timedelta(seconds=seconds)


def span(a: int, b: int) -> Interval:
    return Interval(start=at(min(a, b)), end=at(max(a, b)))


SPANS = st.builds(span, SECONDS, SECONDS)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="give a time zone"):
        as_utc(datetime(2026, 1, 1))  # noqa: DTZ001 (the point of the test)
    with pytest.raises(ValueError, match="give a time zone"):
        Interval(start=datetime(2026, 1, 1), end=None)  # noqa: DTZ001 (as above)


def test_other_zones_become_utc() -> None:
    local = datetime(2026, 3, 29, 2, 0, tzinfo=timezone(timedelta(hours=2)))
    assert Interval(start=local, end=None).start.isoformat() == "2026-03-29T00:00:00+00:00"


def test_an_interval_holds_its_start_and_not_its_end() -> None:
    interval = span(10, 20)
    assert [t for t in (9, 10, 19, 20) if at(t) in interval] == [10, 19]
    assert at(10**9) in Interval(start=at(10), end=None)


def test_an_interval_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Interval(start=at(1), end=at(0))


@given(SPANS, SPANS)
def test_the_intersection_is_common_to_both_and_the_same_from_either_side(
    a: Interval, b: Interval
) -> None:
    common = a.intersection(b)
    assert common == b.intersection(a)
    assert a.overlaps(b) == (common is not None)
    if common is not None:
        assert common.start in a
        assert common.start in b
        assert common.intersection(a) == common


@given(SPANS, st.integers(min_value=1, max_value=10**5))
def test_pieces_join_without_gap_or_overlap(whole: Interval, step: int) -> None:
    if whole.duration is not None and whole.duration / timedelta(seconds=step) > 500:
        return
    pieces = list(whole.split(timedelta(seconds=step)))
    for before, after in pairwise(pieces):
        assert before.end == after.start
        assert before.duration == timedelta(seconds=step)
    if pieces:
        assert (pieces[0].start, pieces[-1].end) == (whole.start, whole.end)


def test_an_open_interval_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="only a closed interval"):
        list(Interval(start=T0, end=None).split(timedelta(hours=1)))


async def test_the_fake_clock_wakes_sleepers_in_order_at_their_own_time() -> None:
    clock, woken = FakeClock(T0), list[tuple[str, float]]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        for name, seconds in (("late", 30.0), ("early", 5.0), ("middle", 10.0)):
            tasks.create_task(sleeper(name, seconds))
        await clock.advance(20.0)
        assert woken == [("early", 5.0), ("middle", 10.0)]
        assert clock.now() == at(20)
        await clock.advance(20.0)
    assert woken[-1] == ("late", 30.0)
