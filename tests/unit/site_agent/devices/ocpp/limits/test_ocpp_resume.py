from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from site_agent.devices.ocpp.limits.resume import Resume, Step

pytestmark = pytest.mark.row("pitfall:P3")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Vehicle:
    """Its ladder, asked every 10 s."""

    def __init__(self) -> None:
        self.resume = Resume(6.0)
        self.now = NOON

    def lasts(
        self, seconds: int, limit_a: float, drawn_a: float | None, soc_pct: float | None = None
    ) -> list[tuple[int, Step]]:
        begun, steps = self.now, []
        while self.now < begun + timedelta(seconds=seconds):
            step = self.resume.step(self.now, limit_a=limit_a, drawn_a=drawn_a, soc_pct=soc_pct)
            if step is not None:
                steps.append((int((self.now - begun).total_seconds()), step))
            self.now += timedelta(seconds=10)
        return steps


def paused() -> Vehicle:
    vehicle = Vehicle()
    assert vehicle.lasts(60, 16, 16) == []
    assert vehicle.lasts(300, 0, 0) == []
    return vehicle


def test_the_ladder_takes_a_step_a_minute_and_ends() -> None:
    vehicle = paused()
    assert vehicle.lasts(900, 10, 0) == [
        (60, Step.PROFILE),
        (120, Step.CLEAR_AND_SET),
        (180, Step.REMOTE_START),
        (240, Step.GIVE_UP),
    ]
    assert vehicle.resume.stuck
    assert vehicle.lasts(10, 10, 9) == []
    assert not vehicle.resume.stuck


def test_who_resumes_is_left_alone() -> None:
    vehicle = paused()
    assert vehicle.lasts(50, 10, 0) == []
    assert vehicle.lasts(300, 10, 9) == []
    assert not vehicle.resume.tried


def test_who_was_full_before_the_pause_is_not_woken() -> None:
    vehicle = Vehicle()
    assert vehicle.lasts(60, 16, 0) == []
    assert vehicle.lasts(60, 0, 0) == []
    assert vehicle.lasts(900, 16, 0) == []


def test_nor_is_who_says_so_or_who_is_not_measured() -> None:
    assert paused().lasts(900, 16, 0, soc_pct=100) == []
    assert paused().lasts(900, 16, None) == []


def test_another_pause_starts_the_ladder_anew() -> None:
    vehicle = paused()
    vehicle.lasts(50, 10, 0)
    assert vehicle.lasts(60, 0, 0) == []
    assert vehicle.lasts(70, 10, 0) == [(60, Step.PROFILE)]
