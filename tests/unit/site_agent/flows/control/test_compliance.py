"""Chargers judged by their meter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from site_agent.flows.control.compliance import Compliance
from support.site import NOON, charger

SECOND = timedelta(seconds=1)


def verdicts(
    *drawn_a: float | None,
    limit_a: float = 10.0,
    plugged: bool = True,
    follows: timedelta | None = None,
) -> list[bool]:
    """The verdict after each sample, ten seconds apart."""
    judge = Compliance(30 * SECOND, 30 * SECOND)
    found = []
    for n, amps in enumerate(drawn_a):
        now = NOON + 10 * n * SECOND
        state = charger(drawn_a=amps, limit_a=limit_a, since=NOON, at=now, plugged=plugged)
        found.append(judge.obeys(replace(state, follows_within=follows), now))
    return found


def test_within_the_tolerance_it_obeys() -> None:
    assert verdicts(*[11.0] * 8) == [True] * 8


def test_beyond_it_for_longer_than_it_may_take_it_does_not() -> None:
    """30 s to follow, 10 s of slack: noticed within 60 s of the limit."""
    assert verdicts(*[11.1] * 7) == [True] * 5 + [False] * 2


def test_one_that_takes_half_a_minute_is_slow_not_disobedient() -> None:
    assert verdicts(*[20.0] * 4, 10.0, 10.0) == [True] * 6


@pytest.mark.parametrize(("seen_s", "patient"), [(2, 2), (20, 4), (45, 6), (300, 7)])
def test_the_time_it_has_been_seen_to_take_counts(seen_s: int, patient: int) -> None:
    learnt = seen_s * SECOND
    assert verdicts(*[20.0] * 9, follows=learnt) == [True] * patient + [False] * (9 - patient)


def test_a_slow_one_under_falling_limits_may_lag_behind_all_of_them() -> None:
    judge = Compliance(30 * SECOND, 30 * SECOND)
    for n in range(12):  # 2 A less every 10 s, followed 30 s later
        now = NOON + 10 * n * SECOND
        drawn, limit = 32.0 - 2 * max(0, n - 3), 32.0 - 2 * n
        state = charger(drawn_a=drawn, limit_a=limit, since=now, at=now)
        assert judge.obeys(state, now)


def test_a_limit_that_keeps_falling_hides_nobody() -> None:
    judge = Compliance(30 * SECOND, 30 * SECOND)
    found = []
    for n in range(8):
        now = NOON + 10 * n * SECOND
        state = charger(drawn_a=32.0, limit_a=20.0 - n, since=now, at=now)
        found.append(judge.obeys(state, now))
    assert found[6] is False


def test_a_surge_long_after_the_limit_has_the_same_time_to_settle() -> None:
    quiet = [10.0] * 6
    assert verdicts(*quiet, *[20.0] * 6) == [True] * 10 + [False] * 2


def test_the_tolerance_grows_with_the_limit() -> None:
    assert verdicts(*[33.5] * 8, limit_a=32.0) == [True] * 8
    assert verdicts(*[33.7] * 8, limit_a=32.0)[-1] is False


def test_forgiven_once_it_stands_at_its_limit() -> None:
    assert verdicts(*[20.0] * 6, 10.0) == [True] * 5 + [False, True]


def test_a_vehicle_that_takes_little_proves_nothing() -> None:
    assert verdicts(*[20.0] * 6, 3.0, 0.0)[-2:] == [False] * 2


def test_a_missing_sample_changes_nothing() -> None:
    assert verdicts(*[20.0] * 6, None, None)[-3:] == [False] * 3


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
