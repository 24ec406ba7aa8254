from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.der.draw import Draws, draw

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
BOUNDS = st.integers(-3600, 3600).map(lambda seconds: seconds * SECOND)
few = settings(max_examples=50)


@few
@given(start=BOUNDS, duration=BOUNDS, mrid=st.text(max_size=8))
def test_each_amount_lies_between_nothing_and_its_bound(
    start: timedelta, duration: timedelta, mrid: str
) -> None:
    drawn = draw(mrid, "AB", randomize_start=start, randomize_duration=duration)
    for amount, bound in ((drawn.start, start), (drawn.duration, duration)):
        assert min(bound, timedelta(0)) <= amount <= max(bound, timedelta(0))
        assert amount % SECOND == timedelta(0)
    assert timedelta(0) <= drawn.cancel <= max(abs(start), abs(duration))


def test_without_bounds_nothing_moves() -> None:
    assert draw("c", "AB", randomize_start=0 * HOUR, randomize_duration=0 * HOUR) == Draws()


@pytest.mark.row("sep2:26")
def test_the_same_control_at_the_same_device_draws_the_same_however_it_is_written() -> None:
    one = draw("0a1b", "3E4F", randomize_start=HOUR, randomize_duration=-HOUR)
    assert one == draw("0A1B", "3e4f", randomize_start=HOUR, randomize_duration=-HOUR)
    assert one != draw("0a1b", "3e50", randomize_start=HOUR, randomize_duration=-HOUR)
    assert one != draw("0a1c", "3e4f", randomize_start=HOUR, randomize_duration=-HOUR)


def test_a_fleet_is_spread_evenly_over_the_bound_with_both_ends() -> None:
    drawn = Counter(
        draw("c", f"{n:040X}", randomize_start=-9 * SECOND, randomize_duration=9 * SECOND).start
        for n in range(5000)
    )
    assert drawn.keys() == {-n * SECOND for n in range(10)}
    assert all(400 < count < 600 for count in drawn.values())


def test_start_and_duration_are_drawn_apart() -> None:
    drawn = [draw("c", str(n), randomize_start=HOUR, randomize_duration=HOUR) for n in range(50)]
    assert all(one.start != one.duration for one in drawn)
    assert len({one.start for one in drawn}) > 40
