import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Grid, Sampler, grid, joined, merged, overlay, pointwise, total

T0 = datetime(2026, 3, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)

At = Callable[[float], datetime]
Series = Callable[..., StepSeries]

cuts = st.lists(st.integers(0, 10_000), min_size=2, max_size=12, unique=True).map(sorted)


@st.composite
def gappy(draw: st.DrawFn) -> StepSeries:
    """Steps at odd seconds, some left out."""
    edges = draw(cuts)
    values = draw(
        st.lists(st.none() | st.floats(-1e5, 1e5), min_size=len(edges) - 1, max_size=len(edges) - 1)
    )
    return StepSeries.of(
        (Interval(start=T0 + a * SECOND, end=T0 + b * SECOND), v)
        for a, b, v in zip(edges, edges[1:], values, strict=False)
        if v is not None
    )


@given(series=gappy(), bins=cuts)
def test_sampler_agrees_with_the_plain_mean_and_coverage(
    series: StepSeries, bins: list[int]
) -> None:
    windows = [
        Interval(start=T0 + a * SECOND, end=T0 + b * SECOND) for a, b in itertools.pairwise(bins)
    ]
    for window, found in zip(windows, Sampler(series).means(windows), strict=True):
        seconds = window.duration
        assert seconds is not None
        share = series.covered_seconds(window) / seconds.total_seconds()
        assert found.coverage == pytest.approx(share, abs=1e-8)
        plain = series.mean(window)
        if plain is None:
            assert found.value is None
        else:
            assert found.value == pytest.approx(plain, rel=1e-6, abs=1e-3)


@given(series=gappy(), bins=cuts)
def test_whole_is_the_mean_where_all_is_covered_and_nothing_elsewhere(
    series: StepSeries, bins: list[int]
) -> None:
    windows = [
        Interval(start=T0 + a * SECOND, end=T0 + b * SECOND) for a, b in itertools.pairwise(bins)
    ]
    sampler = Sampler(series)
    expected = [m.value if m.coverage == 1 else None for m in sampler.means(windows)]
    found = [None if isnan(value) else value for value in sampler.whole(Grid(windows)).tolist()]
    assert found == expected


@given(series=gappy(), bins=cuts)
def test_a_sampler_with_other_values_is_that_of_the_series_with_them(
    series: StepSeries, bins: list[int]
) -> None:
    windows = Grid(
        [Interval(start=T0 + a * SECOND, end=T0 + b * SECOND) for a, b in itertools.pairwise(bins)]
    )
    first = Sampler(series)
    before = first.whole(windows).tolist()
    other = first.with_values([step.value * 2 + 1 for step in series])
    plain = Sampler(series.map(lambda value: value * 2 + 1))
    assert other.whole(windows).tolist() == pytest.approx(
        plain.whole(windows).tolist(), nan_ok=True
    )
    assert first.whole(windows).tolist() == pytest.approx(before, nan_ok=True)


@given(parts=st.lists(gappy(), min_size=1, max_size=4), second=st.integers(0, 10_000))
def test_total_is_the_sum_where_all_are_known_and_a_gap_elsewhere(
    parts: list[StepSeries], second: int
) -> None:
    instant = T0 + second * SECOND
    values = [part.value_at(instant) for part in parts]
    known = [value for value in values if value is not None]
    found = total(parts).value_at(instant)
    if len(known) < len(values):
        assert found is None
    else:
        assert found == pytest.approx(sum(known))


def test_pointwise_keeps_an_open_end(at: At) -> None:
    open_ended = StepSeries.of([(Interval(start=at(0), end=None), 5.0)])
    both = pointwise(max, (open_ended, open_ended))
    assert [(s.interval.end, s.value) for s in both] == [(None, 5.0)]


def test_sampler_over_an_open_ended_step_is_exact(at: At) -> None:
    open_ended = StepSeries.of([(Interval(start=at(0), end=None), 7.0)])
    (mean,) = Sampler(open_ended).means([Interval(start=at(10), end=at(20))])
    assert mean.value == pytest.approx(7.0)
    assert mean.coverage == 1.0


def test_overlay_switches_at_the_instant(series: Series, at: At) -> None:
    laid = overlay(series((0, 60, 1.0)), series((0, 90, 2.0)), at(30))
    assert laid == series((0, 30, 1.0), (30, 90, 2.0))
    assert overlay(StepSeries(), series((0, 90, 2.0)), at(30)) == series((30, 90, 2.0))
    assert overlay(series((0, 60, 1.0)), StepSeries(), at(-5)) == StepSeries()


def test_joined_makes_equal_touching_steps_one(series: Series) -> None:
    pieces = series((0, 10, 1.0), (10, 20, 1.0), (20, 30, 2.0), (40, 50, 2.0))
    assert joined(pieces) == series((0, 20, 1.0), (20, 30, 2.0), (40, 50, 2.0))


def test_grid_starts_the_events_intervals_at_its_start(at: At) -> None:
    bins = grid(
        Interval(start=at(-20), end=at(40)),
        Interval(start=at(0), end=at(20)),
        timedelta(minutes=15),
    )
    assert [(b.start, b.end) for b in bins] == [
        (at(a), at(b)) for a, b in [(-20, -15), (-15, 0), (0, 15), (15, 20), (20, 35), (35, 40)]
    ]


def test_grid_refuses_an_event_outside_its_span(at: At) -> None:
    with pytest.raises(ValueError, match="inside"):
        grid(Interval(start=at(0), end=at(10)), Interval(start=at(5), end=at(15)), SECOND)


def test_merged_joins_overlapping_and_touching(at: At) -> None:
    spans = [Interval(start=at(a), end=at(b)) for a, b in [(50, 60), (0, 10), (10, 20), (5, 15)]]
    assert [(s.start, s.end) for s in merged(spans)] == [(at(0), at(20)), (at(50), at(60))]
