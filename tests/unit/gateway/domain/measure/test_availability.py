"""What was still there to give, and how fast load followed."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.availability import (
    Availability,
    Response,
    availability,
    availability_of_all,
    response,
)
from gateway.domain.measure.performance import Performance, measure

START = datetime(2026, 6, 1, 16, tzinfo=UTC)
QUARTER, MINUTE = timedelta(minutes=15), timedelta(minutes=1)
EVENT = Interval.lasting(START, 4 * QUARTER)
WATCHED = Interval.lasting(START, 6 * QUARTER)


def every(step: timedelta, *values_w: float | None) -> StepSeries:
    """Steps from the event's start on; None is a gap."""
    return StepSeries.of(
        (Interval.lasting(START + n * step, step), w)
        for n, w in enumerate(values_w)
        if w is not None
    )


def flat(value_w: float) -> StepSeries:
    return StepSeries.of([(WATCHED, value_w)])


def measured(*actual_w: float | None) -> Performance:
    return measure(
        event=EVENT,
        resolution=QUARTER,
        observe_after=2 * QUARTER,
        baseline=flat(100e3),
        actual=every(QUARTER, *actual_w),
        asked=flat(40e3),
    )


GIVING = measured(60e3, 60e3, 70e3, 80e3, 110e3, 95e3)
"""40, 40, 30 and 20 kW less; then 10 kW more, then 5 less."""


@pytest.mark.row("mv:M3")
def test_rebound_is_told_as_power_and_as_energy() -> None:
    assert (GIVING.rebound_w, GIVING.rebound_wh) == (10e3, 2_500)
    assert measured(60e3, 60e3, 60e3, 60e3).rebound_wh is None


@pytest.mark.row("mv:M3")
@pytest.mark.parametrize(
    ("still", "committed_w", "expected"),
    [
        pytest.param(
            every(QUARTER, 0.0, 10e3, 10e3, 10e3),
            40e3,
            Availability(still_w=7_500, there_share=0.75, known_share=1.0),
            id="delivered or held ready counts alike",
        ),
        pytest.param(
            every(QUARTER, 0.0, None, None, 30e3),
            40e3,
            Availability(still_w=15_000, there_share=1.0, known_share=0.5),
            id="what was not told is not known",
        ),
        pytest.param(
            every(QUARTER, 0.0, 0.0, 0.0, 0.0),
            0.0,
            Availability(still_w=0.0, there_share=None, known_share=1.0),
            id="nothing committed",
        ),
        pytest.param(StepSeries(), 40e3, Availability(), id="never told"),
    ],
)
def test_availability_of_a_site(
    still: StepSeries, committed_w: float, expected: Availability
) -> None:
    assert availability(GIVING, still, committed_w) == expected


def test_availability_of_the_whole_is_what_its_sites_told_together() -> None:
    still = [every(QUARTER, 0.0, 5e3, 5e3, 5e3), every(QUARTER, 0.0, None, 5e3, 5e3)]
    found = availability_of_all(GIVING, still, 40e3)
    assert found == Availability(still_w=6_250, there_share=0.75, known_share=1.0)
    assert availability_of_all(GIVING, [], 40e3) == Availability()


@pytest.mark.row("mv:M3")
def test_first_response_full_response_and_the_ramp_between() -> None:
    falling = every(MINUTE, 100e3, 97e3, 84e3, 74e3, 64e3, 60e3)
    found = response(EVENT, flat(100e3), falling, flat(40e3))
    assert (found.first_s, found.full_s) == (120.0, 240.0)
    assert found.ramp_w_per_min == pytest.approx(16_000)


@pytest.mark.parametrize(
    ("actual_w", "expected"),
    [
        pytest.param((100e3, 100e3), Response(), id="none"),
        pytest.param((100e3, 90e3), Response(first_s=60.0), id="a part of it"),
        pytest.param((60e3, 60e3), Response(first_s=0.0, full_s=0.0), id="there at once"),
    ],
)
def test_a_point_that_was_not_reached_is_not_told(
    actual_w: tuple[float, ...], expected: Response
) -> None:
    assert response(EVENT, flat(100e3), every(MINUTE, *actual_w), flat(40e3)) == expected


def test_a_site_that_was_asked_later_is_timed_from_then() -> None:
    asked = every(QUARTER, 0.0, 40e3, 40e3)
    actual = every(QUARTER, 60e3, 100e3, 60e3)
    found = response(EVENT, flat(100e3), actual, asked)
    assert (found.first_s, found.full_s) == (900.0, 900.0)
    assert response(EVENT, flat(100e3), actual, StepSeries()) == Response()
