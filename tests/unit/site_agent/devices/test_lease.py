"""A lease is refreshed while the loop lives and lapses when it does not."""

from __future__ import annotations

import pytest

from site_agent.devices.lease import Lease, Terms


@pytest.fixture
def lease() -> Lease[float]:
    lease = Lease[float](valid_for_s=30.0, patience_s=5.0)
    assert lease.ask(1000.0, 0.0)
    lease.told(1000.0, 0.0)
    return lease


@pytest.mark.parametrize(
    ("value", "now_s", "must_tell"),
    [
        pytest.param(1000.0, 9.9, False, id="the same value soon after"),
        pytest.param(1000.0, 10.0, True, id="the same value at a third of its life"),
        pytest.param(1001.0, 0.1, True, id="another value"),
    ],
)
def test_ask(lease: Lease[float], value: float, now_s: float, must_tell: bool) -> None:
    assert lease.ask(value, now_s) is must_tell


@pytest.mark.parametrize(
    ("asked_s", "now_s", "refresh"),
    [
        pytest.param(8.0, 9.9, None, id="not yet"),
        pytest.param(8.0, 10.0, 1000.0, id="a third of its life"),
        pytest.param(8.0, 13.0, 1000.0, id="the loop asked 5 s ago"),
        pytest.param(8.0, 13.1, None, id="the loop is silent"),
    ],
)
def test_refresh(lease: Lease[float], asked_s: float, now_s: float, refresh: float | None) -> None:
    lease.ask(1000.0, asked_s)
    assert lease.refresh(now_s) == refresh


def test_a_refresh_starts_the_life_anew(lease: Lease[float]) -> None:
    lease.ask(1000.0, 10.0)
    lease.told(1000.0, 10.0)
    assert lease.refresh(12.0) is None
    assert not lease.ask(1000.0, 19.9)
    assert lease.refresh(20.0) == 1000.0


def test_nothing_is_refreshed_once_what_the_device_holds_is_unknown(lease: Lease[float]) -> None:
    lease.forget()
    assert lease.held(0.1) is None
    assert lease.refresh(11.0) is None
    assert lease.ask(1000.0, 11.0)


def test_a_loop_that_comes_back_after_the_lapse_tells_the_device_again(
    lease: Lease[float],
) -> None:
    assert lease.refresh(100.0) is None
    assert lease.ask(1000.0, 100.0)


@pytest.mark.parametrize(("now_s", "held"), [(0.0, 1000.0), (30.0, 1000.0), (30.1, None)])
def test_held_until_it_lapses(lease: Lease[float], now_s: float, held: float | None) -> None:
    assert lease.held(now_s) == held


def test_a_doubted_setpoint_is_told_again_once(lease: Lease[float]) -> None:
    lease.doubt()
    assert lease.held(1.0) == 1000.0
    assert lease.refresh(1.0) == 1000.0
    assert lease.ask(1000.0, 1.0)
    lease.told(1000.0, 1.0)
    assert lease.refresh(2.0) is None
    assert not lease.ask(1000.0, 2.0)


@pytest.mark.row("truth:L1")
def test_a_lease_has_a_value_an_expiry_and_a_cause() -> None:
    lease = Lease[float](valid_for_s=30.0, patience_s=5.0)
    assert lease.terms(0.0) is None
    lease.ask(-5000.0, 0.0, "the connection contract")
    assert lease.terms(0.0) is None, "asked for, but not told"
    lease.told(-5000.0, 1.0)
    terms = lease.terms(11.0)
    assert terms == Terms(value=-5000.0, expires_in_s=20.0, cause="the connection contract")
    assert lease.terms(31.5) is None
