from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.reports.curve import joined, paired, runs, thinned

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = Interval.lasting(START, timedelta(hours=1))


def steps(*rows: tuple[int, int, float]) -> StepSeries:
    return StepSeries.of(
        (Interval(start=START + timedelta(seconds=a), end=START + timedelta(seconds=b)), v)
        for a, b, v in rows
    )


@given(
    lengths=st.lists(st.integers(1, 120), min_size=1, max_size=60),
    at_most=st.integers(1, 40),
    base=st.floats(-1e5, 1e5),
)
def test_thinning_keeps_the_energy_of_a_series_without_gaps(
    lengths: list[int], at_most: int, base: float
) -> None:
    edges = [sum(lengths[:n]) for n in range(len(lengths) + 1)]
    rows = pairwise(edges)
    series = steps(*((a, b, base + n) for n, (a, b) in enumerate(rows)))
    window = Interval.lasting(START, timedelta(seconds=edges[-1]))
    thin = thinned(series, window, at_most)
    assert len(thin) <= max(at_most, len(series) if len(series) <= at_most else 0)
    assert thin.integral_h(window) == pytest.approx(series.integral_h(window), rel=1e-6, abs=1e-3)


def test_a_gap_stays_a_gap() -> None:
    series = steps(*((n, n + 1, 5.0) for n in range(3600) if not 1200 <= n < 1800))
    thin = thinned(series, HOUR, 60)
    assert len(thin) == 50
    assert thin.value_at(START + timedelta(minutes=25)) is None
    assert [len(run) for run in runs(thin)] == [20, 30]


def test_a_short_series_is_not_touched() -> None:
    series = steps((0, 10, 1.0), (20, 30, 2.0))
    assert thinned(series, HOUR, 2) == series


def test_an_open_window_is_refused() -> None:
    with pytest.raises(ValueError, match="open-ended"):
        thinned(steps((0, 1, 1.0)), Interval(start=START, end=None), 10)


def test_pairs_exist_only_where_both_have_a_value() -> None:
    a, b = steps((0, 10, 1.0), (20, 40, 2.0)), steps((5, 30, 7.0), (35, 50, 8.0))
    found = [
        (
            (i.start - START).total_seconds(),
            (i.end - START).total_seconds() if i.end else None,
            x,
            y,
        )
        for i, x, y in paired(a, b)
    ]
    assert found == [(5, 10, 1.0, 7.0), (20, 30, 2.0, 7.0), (35, 40, 2.0, 8.0)]


def test_neighbours_of_one_value_are_one_step_and_gaps_stay() -> None:
    series = steps((0, 10, 1.0), (10, 20, 1.0), (20, 30, 2.0), (40, 50, 2.0), (50, 60, 2.0))
    assert joined(series) == steps((0, 20, 1.0), (20, 30, 2.0), (40, 60, 2.0))
    assert joined(StepSeries()) == StepSeries()
