from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.performance import Performance, measure, portfolio

QUARTER = timedelta(minutes=15)
At = Callable[[float], datetime]
Series = Callable[..., StepSeries]


@pytest.fixture
def judge(at: At, series: Series) -> Callable[..., Performance]:
    def made(*actual: tuple[float, float, float], asked: float = 40_000.0) -> Performance:
        return measure(
            event=Interval(start=at(0), end=at(60)),
            resolution=QUARTER,
            observe_after=timedelta(minutes=30),
            baseline=series((-60, 120, 100_000.0)),
            actual=series(*actual),
            asked=series((0, 60, asked)),
        )

    return made


def test_key_figures_of_a_plain_event(judge: Callable[..., Performance]) -> None:
    found = judge((0, 15, 90_000.0), (15, 60, 60_000.0), (60, 75, 115_000.0), (75, 90, 99_000.0))
    assert [i.delivered_w for i in found.during] == [10_000, 40_000, 40_000, 40_000]
    assert found.delivered_mean_w == pytest.approx(32_500)
    assert found.delivered_min_w == pytest.approx(10_000)
    assert found.reduced_wh == pytest.approx(32_500)
    assert found.performance_pct == pytest.approx((25 + 100 * 3) / 4)
    assert found.asked_mean_w == pytest.approx(40_000)
    assert found.rebound_w == pytest.approx(15_000)
    assert found.coverage == 1.0
    assert found.missing == ()
    assert found.estimated_intervals == 0


def test_missing_intervals_are_named_and_not_filled(
    judge: Callable[..., Performance], at: At
) -> None:
    found = judge((0, 15, 60_000.0), (15, 22, 60_000.0), (30, 40, 60_000.0))
    assert [i.delivered_w for i in found.during] == [40_000, None, 40_000, None]
    assert [m.start for m in found.missing] == [at(15), at(45)]
    assert found.reduced_wh == pytest.approx(20_000)
    assert found.delivered_mean_w == pytest.approx(40_000)
    assert found.performance_pct == pytest.approx(100)
    assert found.coverage == pytest.approx(32 / 60, abs=1e-6)
    assert found.estimated_intervals == 3
    assert found.rebound_w is None


def test_nothing_measured_means_nothing_known(judge: Callable[..., Performance]) -> None:
    found = judge()
    assert (found.delivered_mean_w, found.delivered_min_w, found.reduced_wh) == (None, None, None)
    assert found.performance_pct is None
    assert found.coverage == 0.0


def test_more_load_than_baseline_is_negative_delivery_and_no_rebound_is_zero(
    judge: Callable[..., Performance],
) -> None:
    found = judge((0, 60, 120_000.0), (60, 90, 80_000.0))
    assert found.delivered_mean_w == pytest.approx(-20_000)
    assert found.performance_pct == pytest.approx(-50)
    assert found.rebound_w == 0.0


def test_a_site_asked_for_nothing_has_no_performance(judge: Callable[..., Performance]) -> None:
    found = judge((0, 60, 90_000.0), asked=0.0)
    assert found.performance_pct is None
    assert found.delivered_mean_w == pytest.approx(10_000)


def test_an_interval_asked_for_in_part_does_not_count_for_performance(
    at: At, series: Series
) -> None:
    found = measure(
        event=Interval(start=at(0), end=at(60)),
        resolution=QUARTER,
        observe_after=QUARTER,
        baseline=series((0, 75, 100_000.0)),
        actual=series((0, 16, 60_000.0), (16, 75, 100_000.0)),
        asked=series((0, 16, 40_000.0)),  # opted out a minute into the second quarter
    )
    assert found.performance_pct == pytest.approx(100)
    assert found.during[1].asked_w == pytest.approx(40_000 / 15)
    assert found.asked_mean_w == pytest.approx(40_000 * 16 / 60)


def test_portfolio_is_the_sum_and_gives_no_credit_for_the_unknown(
    judge: Callable[..., Performance], series: Series
) -> None:
    good = judge((0, 90, 60_000.0))
    patchy = judge((0, 30, 80_000.0), (60, 90, 130_000.0))
    silent = judge()
    whole = portfolio([good, patchy, silent], series((0, 60, 60_000.0)))
    assert [i.delivered_w for i in whole.during] == [60_000, 60_000, 40_000, 40_000]
    assert [i.actual_w for i in whole.during] == [140_000, 140_000, None, None]
    assert [i.baseline_w for i in whole.during] == [200_000] * 4
    assert whole.performance_pct == pytest.approx((100 + 100 + 200 / 3 + 200 / 3) / 4)
    assert whole.coverage == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 / 3) / 4)
    assert whole.rebound_w == 0.0  # 30 kW above at one site, 40 kW below at the other
    assert whole.reduced_wh == pytest.approx(50_000)


def test_a_portfolio_of_nobody(series: Series) -> None:
    whole = portfolio([], series((0, 60, 1.0)))
    assert (whole.during, whole.delivered_mean_w, whole.coverage) == ((), None, 0.0)


def test_an_open_ended_event_cannot_be_measured(at: At) -> None:
    none = StepSeries()
    with pytest.raises(ValueError, match="open-ended"):
        measure(
            event=Interval(start=at(0), end=None),
            resolution=QUARTER,
            observe_after=QUARTER,
            baseline=none,
            actual=none,
            asked=none,
        )
