from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def span(a: float, b: float | None) -> Interval:
    end = None if b is None else T0 + timedelta(seconds=b)
    return Interval(start=T0 + timedelta(seconds=a), end=end)


def series(*steps: tuple[float, float | None, float]) -> StepSeries:
    return StepSeries.of((span(a, b), value) for a, b, value in steps)


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 50), st.integers(1, 20), st.floats(-1e6, 1e6, allow_nan=False, width=32)
    ),
    max_size=12,
)


def laid_out(samples: list[tuple[int, int, float]]) -> StepSeries:
    """Steps one after the other, with a gap before each."""
    steps, now = [], 0
    for gap, length, value in samples:
        now += gap
        steps.append((span(now, now + length), value))
        now += length
    return StepSeries.of(steps)


def test_values_hold_over_their_steps_and_gaps_have_none() -> None:
    s = series((0, 10, 1.0), (20, None, 2.0))
    found = [s.value_at(T0 + timedelta(seconds=t)) for t in (0, 9.9, 10, 20, 10**6)]
    assert found == [1.0, 1.0, None, 2.0, 2.0]


def test_overlapping_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        series((0, 10, 1.0), (9, 20, 2.0))
    with pytest.raises(ValueError, match="overlap"):
        series((0, None, 1.0), (9, 20, 2.0))


def test_the_mean_is_weighted_by_time_and_leaves_gaps_out() -> None:
    s = series((0, 10, 1.0), (10, 40, 5.0), (60, 100, 9.0))
    assert s.mean(span(0, 40)) == pytest.approx((10 * 1 + 30 * 5) / 40)
    assert s.mean(span(0, 60)) == pytest.approx((10 * 1 + 30 * 5) / 40)
    assert s.mean(span(41, 59)) is None
    assert s.covered_seconds(span(30, 70)) == 20.0


def test_an_hour_of_a_kilowatt_is_a_kilowatt_hour() -> None:
    assert series((0, 3600, 1000.0)).integral_h(span(0, 7200)) == pytest.approx(1000.0)


def test_an_open_step_counts_inside_a_closed_window_only() -> None:
    s = series((0, None, 4.0))
    assert s.mean(span(10, 20)) == 4.0
    with pytest.raises(ValueError, match="open-ended"):
        s.covered_seconds(span(0, None))


@given(SAMPLES, st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_parts_of_a_window_add_up(
    samples: list[tuple[int, int, float]], a: int, b: int, c: int
) -> None:
    low, middle, high = sorted((a, b, c))
    s = laid_out(samples)
    whole = s.integral_h(span(low, high))
    parts = s.integral_h(span(low, middle)) + s.integral_h(span(middle, high))
    assert whole == pytest.approx(parts, abs=1e-6)
    assert s.clip(span(low, high)).covered_seconds(span(0, 300)) == pytest.approx(
        s.covered_seconds(span(low, high))
    )


@given(SAMPLES)
def test_the_mean_lies_between_the_extremes(samples: list[tuple[int, int, float]]) -> None:
    mean = laid_out(samples).mean(span(0, 2000))
    if samples:
        values = [value for _, _, value in samples]
        assert mean is not None
        assert min(values) - 1e-3 <= mean <= max(values) + 1e-3
    else:
        assert mean is None


@given(
    SAMPLES,
    st.booleans(),
    st.integers(0, 300),
    st.one_of(st.none(), st.integers(0, 300)),
)
def test_a_clip_is_every_step_cut_to_the_window(
    samples: list[tuple[int, int, float]], ends_open: bool, low: int, length: int | None
) -> None:
    """However few of the steps are looked at for it."""
    steps = [(step.interval, step.value) for step in laid_out(samples)]
    if ends_open and steps:
        steps[-1] = (Interval(start=steps[-1][0].start, end=None), steps[-1][1])
    window = span(low, None if length is None else low + length)
    pieces = ((interval.intersection(window), value) for interval, value in steps)
    cut = [(piece, value) for piece, value in pieces if piece is not None]
    assert [(s.interval, s.value) for s in StepSeries.of(steps).clip(window)] == cut
