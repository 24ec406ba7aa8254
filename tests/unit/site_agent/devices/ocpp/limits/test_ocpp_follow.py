from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from site_agent.devices.ocpp.limits.follow import Follower

pytestmark = pytest.mark.row("pitfall:P8")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def watched(
    told: list[tuple[float, float, float]], drawn: Sequence[float], every_s: float
) -> Follower:
    """`told`: (second, limit before, limit); `drawn`: one sample every so many seconds."""
    follower = Follower()
    events = [(at, 0, before, limit) for at, before, limit in told]
    events += [(n * every_s, 1, amps, 0.0) for n, amps in enumerate(drawn)]
    for at, kind, one, two in sorted(events):
        if kind == 0:
            follower.told(after(at), one, two)
        else:
            follower.sampled(after(at), one)
    return follower


def test_the_delay_is_from_the_limit_to_the_first_sample_within_it() -> None:
    follower = watched([(12, 32, 10)], [32, 32, 32, 32, 32, 10, 10], 10)
    assert follower.follows_s == 38


def test_further_falls_before_it_has_followed_count_from_the_first() -> None:
    follower = watched([(2, 32, 20), (12, 20, 10)], [32, 32, 32, 20, 10], 10)
    assert follower.follows_s == 38


@pytest.mark.parametrize(
    ("told", "drawn"),
    [
        ([(5, 10, 32)], [10, 10, 32]),  # a raise
        ([(5, 32, 16)], [8, 8, 8]),  # it drew less anyway
        ([(5, 32, 10)], [32] * 10),  # it ignores
        ([(5, 32, 10)], [32] * 8 + [10]),  # beyond a minute nothing is followed
    ],
)
def test_what_says_nothing_teaches_nothing(
    told: list[tuple[float, float, float]], drawn: list[float]
) -> None:
    assert watched(told, drawn, 10).follows_s is None


def test_a_spike_at_two_updates_makes_a_charger_that_spikes() -> None:
    drawn = [10, 31, 12, 12, 12, 12, 31, 10, 10]
    assert not watched([(8, 10, 12)], drawn[:5], 10).spikes
    assert watched([(8, 10, 12), (58, 12, 10)], drawn, 10).spikes


def test_one_that_ignores_does_not_spike() -> None:
    told = [(n * 20.0 + 5, 10.0, 12.0) for n in range(5)]
    assert not watched(told, [31] * 12, 10).spikes
