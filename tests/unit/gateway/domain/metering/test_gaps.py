"""Days of 92, 96 and 100 quarters, and what is missing of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.time import Interval
from gateway.domain.metering.gaps import intervals_of_day, missing

QUARTER = timedelta(minutes=15)
BERLIN, ADELAIDE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Adelaide")


@pytest.mark.row("mv:M1")
@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("Europe/Berlin", date(2026, 3, 28), 96),
        ("Europe/Berlin", date(2026, 3, 29), 92),
        ("Europe/Berlin", date(2026, 10, 25), 100),
        ("America/Los_Angeles", date(2026, 3, 8), 92),
        ("America/Los_Angeles", date(2026, 11, 1), 100),
        ("Australia/Lord_Howe", date(2026, 4, 5), 98),
        ("Asia/Kathmandu", date(2026, 3, 29), 96),
    ],
)
def test_a_day_has_the_quarters_its_clocks_give_it(zone: str, day: date, quarters: int) -> None:
    told = intervals_of_day(day, ZoneInfo(zone), QUARTER)
    assert len(told) == quarters
    assert all(a.end == b.start for a, b in pairwise(told))
    whole = Interval(start=told[0].start, end=told[-1].end)
    assert missing([one.start for one in told], whole, QUARTER) == []
    assert missing([], whole, QUARTER) == [whole]


def test_missing_stretches_are_joined() -> None:
    start = datetime(2026, 10, 25, tzinfo=UTC)
    window = Interval.lasting(start, 8 * QUARTER)
    known = [start + number * QUARTER for number in (0, 3, 4, 7)]
    assert missing(known, window, QUARTER) == [
        Interval(start=start + QUARTER, end=start + 3 * QUARTER),
        Interval(start=start + 5 * QUARTER, end=start + 7 * QUARTER),
    ]


def test_an_open_window_has_no_list() -> None:
    with pytest.raises(ValueError, match="closed interval"):
        missing([], Interval(start=datetime(2026, 1, 1, tzinfo=UTC), end=None), QUARTER)


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.sampled_from([BERLIN, ADELAIDE]),
    st.sets(st.integers(0, 99)),
    st.randoms(use_true_random=False),
)
def test_what_is_known_and_what_is_missing_are_the_day(
    day: date, zone: ZoneInfo, dropped: set[int], shuffled: object
) -> None:
    told = intervals_of_day(day, zone, QUARTER)
    assert len(told) in {92, 96, 100}
    kept = [one.start for number, one in enumerate(told) if number not in dropped]
    shuffled.shuffle(kept)  # type: ignore[attr-defined]
    whole = Interval(start=told[0].start, end=told[-1].end)
    gaps = missing(kept, whole, QUARTER)
    lost = [piece.start for gap in gaps for piece in gap.split(QUARTER)]
    assert sorted([*lost, *kept]) == [one.start for one in told]
