from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.metered import IntervalMean, interval_means

T0 = datetime(2026, 1, 5, tzinfo=UTC)


def span(start: float, end: float) -> Interval:
    return Interval(start=T0 + timedelta(seconds=start), end=T0 + timedelta(seconds=end))


@given(
    st.lists(st.tuples(st.integers(1, 90), st.integers(-9, 9), st.booleans()), max_size=30),
    st.integers(-50, 200),
    st.integers(1, 60),
    st.integers(1, 20),
)
def test_as_the_series_itself_says(
    steps: list[tuple[int, int, bool]], start: int, length: int, count: int
) -> None:
    at, laid = 0, []
    for seconds, value, known in steps:
        if known:
            laid.append((span(at, at + seconds), float(value)))
        at += seconds
    series = StepSeries.of(laid)
    pieces = [span(start + n * length, start + (n + 1) * length) for n in range(count)]
    for piece, mean in zip(pieces, interval_means(series, pieces), strict=True):
        assert mean.value == pytest.approx(series.mean(piece))
        assert mean.coverage == pytest.approx(series.covered_seconds(piece) / length)


def test_nothing_known() -> None:
    assert interval_means(StepSeries(), [span(0, 10)]) == [IntervalMean(value=None, coverage=0.0)]


def test_an_open_interval_has_no_mean() -> None:
    with pytest.raises(ValueError, match="closed"):
        interval_means(StepSeries(), [Interval(start=T0, end=None)])
