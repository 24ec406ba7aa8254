"""Two clocks, a whole number of seconds apart, and no gap in what is in force."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.time import Interval
from gateway.utility.sep2.difference import Difference

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


@pytest.mark.parametrize("apart_s", [-0.9, -0.4, 0.0, 0.4, 0.9, 61.3])
def test_what_is_in_force_there_is_in_force_here(apart_s: float) -> None:
    difference = Difference()
    difference.measured(ours=NOON + seconds(apart_s), theirs=NOON)
    now_there = Interval(start=NOON, end=None)
    assert NOON + seconds(apart_s) in difference.ours(now_there)


def test_what_comes_keeps_its_place() -> None:
    difference = Difference()
    difference.measured(ours=NOON + seconds(2.6), theirs=NOON)
    later = Interval.lasting(NOON + seconds(10), seconds(5))
    assert difference.ours(later) == Interval.lasting(NOON + seconds(13), seconds(5))


def test_a_measurement_within_a_second_changes_nothing() -> None:
    difference = Difference()
    assert difference.measured(ours=NOON + seconds(2.2), theirs=NOON)
    assert not difference.measured(ours=NOON + seconds(2.9), theirs=NOON)
    assert difference.ours_at(NOON) == NOON + seconds(2)
