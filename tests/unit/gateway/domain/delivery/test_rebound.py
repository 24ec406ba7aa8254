from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.time import Interval
from gateway.domain.delivery.correction import Correction
from gateway.domain.delivery.course import Course
from gateway.domain.delivery.measured import PortfolioMinute
from gateway.domain.delivery.rebound import in_words, returning_minute

END = datetime(2026, 7, 1, 18, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def minute(number: int, *given_w: float | None) -> PortfolioMinute:
    found = returning_minute(given_w, Interval.lasting(END + (number - 1) * MINUTE, MINUTE))
    assert found is not None
    return found


def test_who_was_not_measured_counts_as_the_others() -> None:
    seen = minute(1, -10_000.0, None, -20_000.0)
    assert (seen.delivered_w, seen.coverage) == pytest.approx((-45_000.0, 2 / 3))


def test_a_minute_in_which_few_were_measured_says_nothing() -> None:
    assert returning_minute([None, None, 5.0], Interval.lasting(END, MINUTE)) is None
    assert returning_minute([], Interval.lasting(END, MINUTE)) is None


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        pytest.param((), "nothing was measured after the end", id="blind"),
        pytest.param(
            (minute(0, -90_000.0), minute(1, 0.0), minute(2, 5_000.0)),
            "the load stayed at or below the baseline",
            id="before the end does not count",
        ),
        pytest.param(
            (minute(1, -1_000.0), minute(4, -34_000.0), minute(5, -30_000.0)),
            "highest load 34.0 kW above the baseline, 4 min after the end",
            id="the highest",
        ),
        pytest.param(
            (minute(2, -10_000.0, None),),
            "highest load 20.0 kW above the baseline, 2 min after the end "
            "(50 % of the sites measured)",
            id="told how much is measured",
        ),
    ],
)
@pytest.mark.row("portfolio:A11")
def test_the_rebound_in_words(minutes: tuple[PortfolioMinute, ...], words: str) -> None:
    course = Course(event_key="u/e", correction=Correction(modification=0, at=END))
    assert in_words(replace(course, minutes=minutes), END) == words
