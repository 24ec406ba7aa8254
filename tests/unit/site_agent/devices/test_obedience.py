"""Obedience is judged by measured watts, with patience."""

from __future__ import annotations

import pytest

from site_agent.devices.obedience import Obedience


@pytest.fixture
def obedience() -> Obedience:
    obedience = Obedience(tolerance_w=500.0, settle_s=10.0, strikes=3)
    obedience.expect(0.0)
    return obedience


def test_a_device_may_take_its_time(obedience: Obedience) -> None:
    assert not any(obedience.observe(9000.0, float(second)) for second in range(10))
    assert obedience.obeys


def test_three_strikes(obedience: Obedience) -> None:
    assert [obedience.observe(-501.0, second) for second in (10.0, 11.0, 12.0, 13.0)] == [
        False,
        False,
        True,
        False,
    ]
    assert not obedience.obeys


def test_one_good_measurement_clears_it(obedience: Obedience) -> None:
    for second in (10.0, 11.0, 12.0):
        obedience.observe(501.0, second)
    obedience.observe(-500.0, 13.0)
    assert obedience.obeys
    assert not obedience.observe(501.0, 14.0)


def test_a_new_setpoint_gives_new_time(obedience: Obedience) -> None:
    obedience.observe(501.0, 10.0)
    obedience.observe(501.0, 11.0)
    obedience.expect(11.5)
    assert not obedience.observe(501.0, 12.0)
    assert not obedience.observe(501.0, 21.5)


def test_without_a_setpoint_there_is_nothing_to_obey(obedience: Obedience) -> None:
    for second in (10.0, 11.0, 12.0):
        obedience.observe(501.0, second)
    obedience.excuse()
    assert obedience.obeys
    assert not any(obedience.observe(9000.0, second) for second in (13.0, 14.0, 15.0, 16.0))
