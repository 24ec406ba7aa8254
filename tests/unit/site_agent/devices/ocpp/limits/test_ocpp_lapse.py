"""The trial of a lease, wherever between its beginning and its end the samples fall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.errors import TransientError
from site_agent.devices.ocpp.limits.lapse import Sight, probe
from site_agent.domain.device import Lapse

BEGUN = datetime(2026, 1, 5, 12, 0, 0, 900_000, tzinfo=UTC)
EVERY_S = 5.0


class _Steps:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.at = BEGUN

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - BEGUN).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


async def _told(first_s: float, falls_after_s: float) -> Lapse:
    """A charger that samples every 5 s from `first_s` on and falls to its share as said."""
    clock = _Steps()

    def sight(now: datetime) -> Sight:
        passed_s = (now - BEGUN).total_seconds()
        sampled_s = first_s + EVERY_S * ((passed_s - first_s) // EVERY_S)
        drawn_a = 16.0 if sampled_s < falls_after_s else 6.0
        return Sight(at=BEGUN + timedelta(seconds=sampled_s), drawn_a=drawn_a)

    async def give(_: float) -> None:
        return

    return await probe(give, sight, lambda: True, limit_a=16, rest_a=6, clock=clock)


@pytest.mark.parametrize("first_s", [-4.5, -3.5, -2.5, -1.5, -0.5, -0.05])
@pytest.mark.parametrize("falls_after_s", [18.5, 19.1, 20.0, 20.5, 45.0])
async def test_a_limit_that_ends_a_little_early_or_late_has_ended(
    first_s: float, falls_after_s: float
) -> None:
    """It is told in whole seconds of the charger's clock: 0.9 s after a full one, 0.9 s early."""
    assert await _told(first_s, falls_after_s) is Lapse.DEVICE


@pytest.mark.parametrize("first_s", [-4.5, -2.5, -0.5])
async def test_a_vehicle_that_stops_by_itself_tells_nothing(first_s: float) -> None:
    with pytest.raises(TransientError, match="by itself"):
        await _told(first_s, 8.0)


async def test_a_limit_that_stays_is_none_that_lapses() -> None:
    assert await _told(-1.0, 1e9) is Lapse.NONE
