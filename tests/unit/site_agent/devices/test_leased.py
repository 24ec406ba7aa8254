"""Judging a device must not depend on when it happens to be told again."""

from __future__ import annotations

import asyncio

import pytest

from contracts.errors import TransientError
from site_agent.devices.leased import LeasedSetpoint
from site_agent.devices.obedience import Obedience
from support.manual_clock import ManualClock

LEASE_S = 30.0


class Device:
    """Takes setpoints when the test lets it."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()
        self.asked = asyncio.Event()
        self.broken = False

    async def write(self, power_w: float) -> None:
        self.asked.set()
        await self.free.wait()
        if self.broken:
            raise TransientError("no answer")


def setpoint(device: Device, clock: ManualClock) -> LeasedSetpoint[float]:
    return LeasedSetpoint[float](
        "b1",
        device.write,
        lambda held_w, measured_w: measured_w - held_w,
        valid_for_s=LEASE_S,
        obedience=Obedience(tolerance_w=100.0, settle_s=10.0, strikes=3),
        clock=clock,
    )


async def test_a_measurement_in_the_middle_of_a_refresh_is_no_excuse() -> None:
    device, clock = Device(), ManualClock()
    held = setpoint(device, clock)
    await held.ask(1000.0)
    clock.pass_s(11.0)
    device.free.clear()
    device.asked.clear()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(held.ask(1000.0))
        await device.asked.wait()
        held.judge(0.0)  # what it holds is not known just now
        device.free.set()
    for _ in range(3):
        assert held.obeys
        held.judge(0.0)
    assert not held.obeys


async def test_a_device_that_was_not_told_is_excused_and_judged_anew_later() -> None:
    device, clock = Device(), ManualClock()
    held = setpoint(device, clock)
    await held.ask(1000.0)
    clock.pass_s(11.0)
    device.broken = True
    with pytest.raises(TransientError):
        await held.ask(2000.0)
    for _ in range(5):
        held.judge(0.0)
    assert held.obeys
    device.broken = False
    await held.ask(1000.0)
    for expected in (True, True, True):
        held.judge(0.0)
        assert held.obeys is expected, "it has time to settle"
    clock.pass_s(10.0)
    for _ in range(3):
        held.judge(0.0)
    assert not held.obeys
