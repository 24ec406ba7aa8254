"""Faults begin, last and end."""

from __future__ import annotations

import math

import pytest

from contracts.testing import FakeClock
from depot_sim.faults import FaultKind, Faults


async def test_a_fault_lasts_as_long_as_it_was_told() -> None:
    clock = FakeClock()
    faults = Faults(frozenset({FaultKind.DROP, FaultKind.KILL}), clock.monotonic)
    assert faults.remaining_s(FaultKind.DROP, FaultKind.KILL) == 0.0
    faults.begin(FaultKind.DROP, 10)
    assert faults.active(FaultKind.DROP)
    assert not faults.active(FaultKind.KILL)
    await clock.advance(4)
    assert faults.remaining_s(FaultKind.DROP, FaultKind.KILL) == pytest.approx(6)
    await clock.advance(6)
    assert not faults.active(FaultKind.DROP)


async def test_a_fault_for_good_ends_when_told_so() -> None:
    faults = Faults(frozenset({FaultKind.KILL}), FakeClock().monotonic)
    faults.begin(FaultKind.KILL, None)
    assert faults.remaining_s(FaultKind.KILL) == math.inf
    faults.begin(FaultKind.KILL, 0)
    assert not faults.active(FaultKind.KILL)


async def test_how_much_of_a_fault_there_is() -> None:
    clock = FakeClock()
    faults = Faults(frozenset({FaultKind.LAG, FaultKind.DROP}), clock.monotonic)
    assert faults.amount(FaultKind.LAG) == 0.0
    faults.begin(FaultKind.LAG, 10, 2.5)
    assert faults.amount(FaultKind.LAG) == 2.5
    await clock.advance(10)
    assert faults.amount(FaultKind.LAG) == 0.0
    faults.begin(FaultKind.LAG, None)
    assert faults.amount(FaultKind.LAG) == 5.0
    faults.begin(FaultKind.DROP, None)
    assert faults.amount(FaultKind.DROP) == 0.0
