from datetime import UTC, datetime, timedelta

import pytest

from contracts.time import Interval
from gridyard.demo.history import synthetic_history

NOW = datetime(2026, 3, 4, 15, 30, 20, tzinfo=UTC)


def test_every_past_day_has_the_hours_around_now_and_a_plausible_level() -> None:
    history = synthetic_history(around=NOW, typical_w=50_000.0, seed=3, days=10)
    for day in range(1, 11):
        window = Interval.lasting(NOW - timedelta(days=day), timedelta(minutes=10))
        assert history.covered_seconds(window) == 600.0
        mean = history.mean(window)
        assert mean is not None
        assert mean == pytest.approx(50_000.0, rel=0.15)
    assert history.covered_seconds(Interval.lasting(NOW, timedelta(hours=1))) == 0.0


def test_the_same_seed_gives_the_same_history() -> None:
    once, again, other = (
        synthetic_history(around=NOW, typical_w=1.0, seed=seed, days=2) for seed in (1, 1, 2)
    )
    assert once == again
    assert once != other
