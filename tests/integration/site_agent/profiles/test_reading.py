"""Reading a device by its profile: deadlines, refusals, strangers, silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from contracts.clock import SystemClock
from contracts.reading import Quality
from contracts.testing import FakeClock
from depot_sim.modbus.pdu import RefusedError, Table
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.profiles.schema import Profile
from site_agent.devices.profiles.source import ProfileSource
from support.live_source import running
from support.modbus_link import linked
from support.profile_text import METER, SENSOR, profile
from support.register_device import RegisterDevice, serving
from support.waiting import until

CLOCK = SystemClock()


@asynccontextmanager
async def reading(
    device: RegisterDevice, one: Profile, timeout_s: float = 5.0
) -> AsyncIterator[ProfileSource]:
    """A source that reads the device by this profile."""
    async with serving(device) as port, linked(port, timeout_s=timeout_s) as link:
        source = ProfileSource(one, link, name="acme", clock=CLOCK, wake=lambda: None)
        async with running(source):
            yield source


def with_frequency_and_voltage(frequency_at: int) -> Profile:
    return profile(
        METER,
        f"  frequency: {{address: {frequency_at}, type: uint16}}",
        "  voltage_l1: {address: 6, type: uint16}",
    )


async def asked_when_settled(device: RegisterDevice, source: ProfileSource) -> set[tuple[int, int]]:
    """Address and count of every request, once the voltage is read."""
    await until(lambda: source.board.fresh("voltage_l1", CLOCK.now()) == 230.0)
    device.asked.clear()
    await until(lambda: len(device.asked) > 6)
    assert power(source) == 1234.0
    return {(address, count) for _, address, count in device.asked}


def a_meter(power_w: int = 1234) -> RegisterDevice:
    device = RegisterDevice()
    device.put_number(Table.HOLDING, 0, "i", power_w)
    return device


def power(source: ProfileSource) -> float | None:
    return source.board.fresh("active_power", CLOCK.now())


async def test_neighbours_are_read_in_one_request() -> None:
    device = a_meter()
    for address in range(2, 12):
        device.put(Table.HOLDING, address, [7])
    one = profile(
        METER,
        "  current_l1: {address: 4, type: uint16}",
        "  voltage_l1: {address: 9, type: uint16}",
    )
    async with reading(device, one) as source:
        await until(lambda: power(source) == 1234.0)
    assert set(device.asked) == {(Table.HOLDING, 0, 10)}


async def test_a_register_that_is_refused_does_not_take_the_others_along() -> None:
    device = a_meter()
    device.put(Table.HOLDING, 6, [230])
    async with reading(device, with_frequency_and_voltage(4)) as source:
        asked = await asked_when_settled(device, source)
        missing = source.board.reading("frequency", CLOCK.now())
    assert (missing.value, missing.quality) == (None, Quality.INVALID)
    assert all(address != 4 for address, _ in asked), "not asked for again at once"


async def test_a_device_that_refuses_gaps_is_read_without_them() -> None:
    device = a_meter()
    device.put(Table.HOLDING, 2, [50])
    device.put(Table.HOLDING, 6, [230])
    async with reading(device, with_frequency_and_voltage(2)) as source:
        assert await asked_when_settled(device, source) == {(0, 3), (6, 1)}


class OneByOne(RegisterDevice):
    """Answers for one value at a time only."""

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        if count > 2:
            self.asked.append((table, address, count))
            raise RefusedError(2)
        return super().read(table, address, count)


async def test_a_device_that_refuses_blocks_is_read_one_by_one() -> None:
    device = OneByOne()
    device.put_number(Table.HOLDING, 0, "i", 1234)
    device.put(Table.HOLDING, 2, [50])
    one = profile(METER, "  frequency: {address: 2, type: uint16}")
    async with reading(device, one) as source:
        await until(lambda: {count for _, _, count in device.asked[-6:]} == {1, 2})
        assert power(source) == 1234.0
        assert source.board.fresh("frequency", CLOCK.now()) == 50.0


async def test_nothing_is_believed_of_another_device() -> None:
    device = a_meter()
    device.put(Table.HOLDING, 9, [99])
    one = profile(METER, "match: {address: 9, type: uint16, among: [7]}")
    async with reading(device, one) as source:
        await until(lambda: len(device.asked) > 2)
        assert (source.answers, power(source)) == (False, None)
        device.put(Table.HOLDING, 9, [7])
        await until(lambda: power(source) == 1234.0)


async def test_a_device_that_comes_back_is_looked_at_anew() -> None:
    device = a_meter()
    device.put(Table.HOLDING, 9, [7])
    one = profile(METER, "match: {address: 9, type: uint16, among: [7]}")
    async with reading(device, one, timeout_s=0.2) as source:
        await until(lambda: power(source) == 1234.0)
        device.unplug(1.5)
        await until(lambda: not source.answers)
        device.put(Table.HOLDING, 9, [99])
        device.asked.clear()
        await until(lambda: len(device.asked) > 2)
        assert {address for _, address, _ in device.asked} == {9}
        assert not source.answers


async def test_bits_are_read_from_coils_and_discrete_inputs() -> None:
    device = RegisterDevice()
    device.put(Table.COILS, 3, [1])
    device.put(Table.DISCRETE_INPUTS, 5, [1, 0])
    async with reading(device, profile(SENSOR)) as source:
        await until(lambda: source.board.fresh("fault", CLOCK.now()) is not None)
        shown = {point: source.board.fresh(point, CLOCK.now()) for point in source.board.points}
    assert shown == {"contact": 1.0, "online": 1.0, "fault": 0.0}


@pytest.mark.row("truth:V6")
async def test_a_device_that_falls_silent_has_no_value_and_comes_back_by_itself() -> None:
    device = a_meter()
    async with reading(device, profile(METER), timeout_s=0.2) as source:
        await until(lambda: power(source) == 1234.0)
        device.unplug(2.0)
        await until(lambda: power(source) is None)
        assert not source.answers
        await until(lambda: power(source) == 1234.0)
        assert source.answers


async def test_whether_it_answers_is_judged_by_what_is_read_most_often() -> None:
    device = a_meter()
    device.put(Table.HOLDING, 2, [50])
    slow_first = METER.replace("groups:\n", "groups:\n  slow: {every: 600, max_age: 600}\n")
    one = profile(
        slow_first.replace("int32}", "int32, group: fast}"),
        "  frequency: {address: 2, type: uint16}",
    )
    async with reading(device, one, timeout_s=0.2) as source:
        await until(lambda: source.answers and power(source) == 1234.0)
        device.unplug(1.0)
        await until(lambda: not source.answers)


class SlowLink(RegisterLink):
    """Takes its time over each read, by a clock moved by hand."""

    def __init__(self, clock: FakeClock, takes_s: float) -> None:
        self.clock, self.takes_s = clock, takes_s
        self.begun: list[float] = []

    async def read_holding(self, *args: object, **more: object) -> tuple[int, ...]:
        self.begun.append(self.clock.monotonic())
        await self.clock.sleep(self.takes_s)
        return (0, 5)


@pytest.mark.row("truth:V5")
async def test_a_group_keeps_absolute_deadlines_and_never_bursts() -> None:
    clock = FakeClock()
    link = SlowLink(clock, takes_s=0.02)
    source = ProfileSource(profile(METER), link, name="acme", clock=clock, wake=lambda: None)
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(source.run())
        await clock.advance(0.35)
        assert link.begun == pytest.approx([0.0, 0.1, 0.2, 0.3])
        link.takes_s = 0.27
        await clock.advance(0.4)
        link.takes_s = 0.02
        await clock.advance(0.4)
        run.cancel()
    assert link.begun[4:] == pytest.approx([0.4, 0.7, 1.0, 1.1])
