"""Readings age: good, stale, gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.reading import Quality, Reading
from site_agent.devices.freshness import Freshness

T0 = datetime(2026, 1, 5, tzinfo=UTC)
FRESHNESS = Freshness(stale_after=timedelta(seconds=3), lost_after=timedelta(seconds=30))


@pytest.mark.parametrize(
    ("value", "quality", "age_s", "expected"),
    [
        (5.0, Quality.GOOD, 3, (5.0, Quality.GOOD)),
        (5.0, Quality.GOOD, 3.1, (5.0, Quality.STALE)),
        (5.0, Quality.GOOD, -3.1, (5.0, Quality.STALE)),
        (5.0, Quality.GOOD, -3600, (None, Quality.OFFLINE)),
        (5.0, Quality.GOOD, 30, (5.0, Quality.STALE)),
        (5.0, Quality.GOOD, 30.1, (None, Quality.OFFLINE)),
        (5.0, Quality.ESTIMATED, 3, (5.0, Quality.ESTIMATED)),
        (5.0, Quality.ESTIMATED, 4, (5.0, Quality.STALE)),
        (None, Quality.INVALID, 4, (None, Quality.INVALID)),
        (None, Quality.INVALID, 31, (None, Quality.OFFLINE)),
    ],
)
def test_ageing(
    value: float | None, quality: Quality, age_s: float, expected: tuple[float | None, Quality]
) -> None:
    reading = Reading(value=value, quality=quality, at=T0)
    aged = FRESHNESS.at(reading, T0 + timedelta(seconds=age_s))
    assert (aged.value, aged.quality) == expected
    assert aged.at == T0
