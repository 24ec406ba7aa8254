"""Chargers judged by their meter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from site_agent.flows.compliance import Compliance
from support.site import NOON, charger

SECOND = timedelta(seconds=1)


def verdicts(*drawn_a: float | None, limit_a: float = 10.0, plugged: bool = True) -> list[bool]:
    """The verdict after each sample, ten seconds apart."""
    judge = Compliance(30 * SECOND, 30 * SECOND)
    found = []
    for n, amps in enumerate(drawn_a):
        now = NOON + 10 * n * SECOND
        state = charger(drawn_a=amps, limit_a=limit_a, since=NOON, at=now, plugged=plugged)
        found.append(judge.obeys(state, now))
    return found


def test_within_the_tolerance_it_obeys() -> None:
    assert verdicts(*[11.0] * 6) == [True] * 6


def test_beyond_it_for_longer_than_it_may_take_it_does_not() -> None:
    assert verdicts(*[11.1] * 6) == [True] * 4 + [False] * 2


def test_the_tolerance_grows_with_the_limit() -> None:
    assert verdicts(*[33.5] * 6, limit_a=32.0) == [True] * 6
    assert verdicts(*[33.7] * 6, limit_a=32.0)[-1] is False


def test_one_sample_within_it_and_it_obeys_again() -> None:
    assert verdicts(*[20.0] * 5, 10.0) == [True] * 4 + [False, True]


def test_a_missing_sample_changes_nothing() -> None:
    assert verdicts(*[20.0] * 5, None, None)[-3:] == [False] * 3


def test_without_a_vehicle_there_is_nothing_to_judge() -> None:
    assert verdicts(*[20.0] * 6, plugged=False) == [True] * 6


@pytest.mark.parametrize(
    "state",
    [
        charger(drawn_a=32.0, limit_a=10.0, since=NOON + SECOND),  # older than the limit
        charger(drawn_a=32.0),  # never limited
    ],
)
def test_a_sample_that_proves_nothing_judges_nothing(state: object) -> None:
    judge = Compliance(0 * SECOND, 30 * SECOND)
    for n in range(5):
        assert judge.obeys(state, NOON + n * SECOND)  # type: ignore[arg-type]  # parametrized
