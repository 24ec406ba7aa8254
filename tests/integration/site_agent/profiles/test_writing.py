"""Writing a device by its profile: order, read-back, heartbeats, refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from contracts.clock import SystemClock
from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.time import Clock
from depot_sim.modbus.pdu import Table
from site_agent.devices.modbus.link import LinkSettings, Priority, RegisterLink
from site_agent.devices.profiles.library import catalog
from site_agent.devices.profiles.schema import Profile
from site_agent.devices.profiles.steered import SteeredSource, source_of
from support.fast_clock import FastClock
from support.live_source import running
from support.modbus_link import linked
from support.profile_text import BATTERY, CHARGER, METER, profile
from support.register_device import RegisterDevice, serving
from support.waiting import until


def a_battery() -> RegisterDevice:
    device = RegisterDevice()
    device.put(Table.HOLDING, 0, [0] * 3)
    device.put(Table.HOLDING, 10, [0] * 4)
    return device


@asynccontextmanager
async def steered(
    device: RegisterDevice, one: Profile, clock: Clock | None = None
) -> AsyncIterator[SteeredSource]:
    clock = clock or SystemClock()
    async with serving(device) as port, linked(port, timeout_s=5.0) as link:
        source = source_of(
            one, link, name="acme", clock=clock, wake=lambda: None, fail_safe_a=8.0,
            unit_id=device.unit_id,
        )  # fmt: skip
        assert isinstance(source, SteeredSource)
        yield source


@pytest.mark.row("trap:P5")
async def test_the_timer_is_written_each_time_before_the_setpoint() -> None:
    device = a_battery()
    async with steered(device, profile(BATTERY)) as source:
        assert source.lapse_s == 30.0
        await source.write("power", -5000.0)
        await source.write("power", -5000.0)
        await source.write("power", None)
    minus_5000 = (0xFFFF, 0xEC78)
    assert device.written == [(12, (30,)), (10, minus_5000)] * 2 + [(10, (0, 0))]


@pytest.mark.row("truth:L1")
async def test_what_a_register_does_not_keep_is_not_confirmed() -> None:
    device = a_battery()
    device.deaf.add(10)
    async with steered(device, profile(BATTERY), FastClock(20.0)) as source:
        with pytest.raises(TransientError, match="did not keep what was written to 10"):
            await source.write("power", 100.0)


class SlowDevice(RegisterDevice):
    """Shows what was written at the second look only."""

    before: int | None = None

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        self.before = self.words[table, address + 1]
        super().write(table, address, values)

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        words = list(super().read(table, address, count))
        if address == 10 and self.before is not None:
            words[1], self.before = self.before, None
        return words


async def test_a_device_that_takes_a_moment_is_looked_at_again() -> None:
    device = SlowDevice()
    device.put(Table.HOLDING, 0, [0] * 14)
    async with steered(device, profile(BATTERY), FastClock(20.0)) as source:
        await source.write("power", 100.0)
    looks = [address for _, address, _ in device.asked]
    assert looks == [10, 10]
    assert [address for address, _ in device.written] == [12, 10], "not written twice"


async def test_a_refused_register_is_a_refusal() -> None:
    device = RegisterDevice()
    device.put(Table.HOLDING, 12, [0])
    async with steered(device, profile(BATTERY)) as source:
        with pytest.raises(PermanentError, match="illegal data address"):
            await source.write("power", 100.0)
        with pytest.raises(PermanentError, match="no control power_limit"):
            await source.write("power_limit", 100.0)


async def test_a_profile_without_controls_takes_no_setpoints() -> None:
    device = a_battery()
    async with serving(device) as port, linked(port) as link:
        source = source_of(profile(METER), link, name="m", clock=SystemClock(), wake=lambda: None)
    assert not isinstance(source, SteeredSource)


async def test_small_currents_of_a_charger_are_a_pause_and_release_is_its_fail_safe() -> None:
    device = RegisterDevice()
    device.put(Table.HOLDING, 0, [0] * 13)
    async with steered(device, profile(CHARGER)) as source:
        for limit_a, raw in ((12.3, 123), (5.9, 0), (6.0, 60), (None, 80)):
            await source.write("current_limit", limit_a)
            assert device.number(10, "H") == raw
    assert device.number(11, "H") == 8.0


async def test_nothing_is_written_to_another_device() -> None:
    device = a_battery()
    one = profile(BATTERY, "match: {address: 13, type: uint16, among: [7]}")
    async with steered(device, one) as source:
        with pytest.raises(ProtocolError, match="is no Acme battery"):
            await source.write("power", 100.0)
        assert not device.written
        device.put(Table.HOLDING, 13, [7])
        await source.write("power", 100.0)
        assert device.written


async def test_a_coil_switches_and_is_read_back() -> None:
    device = a_battery()
    device.put(Table.COILS, 7, [0])
    coil = "      - {address: 7, type: bool, table: coil, put: {positive: 1, negative: 1, zero: 0}}"
    one = profile(BATTERY.replace("    release:", coil + "\n    release:"))
    async with steered(device, one) as source:
        await source.write("power", 100.0)
        assert device.words[Table.COILS, 7] == 1
        await source.write("power", 0.0)
        assert device.words[Table.COILS, 7] == 0


async def test_a_limit_that_falls_goes_before_everything_else() -> None:
    asked: list[Priority] = []

    class Noting(RegisterLink):
        async def write_register(
            self, unit: int, address: int, value: int, *, priority: Priority = Priority.CONTROL
        ) -> None:
            asked.append(priority)

    clock = SystemClock()
    link = Noting(LinkSettings(host="127.0.0.1"), clock)
    source = source_of(catalog()["keba.p30"], link, name="k", clock=clock, wake=lambda: None)
    assert isinstance(source, SteeredSource)
    for limit_a in (16.0, 20.0, 10.0, None):
        await source.write("current_limit", limit_a)
    first, rise, fall = asked[0], asked[3], asked[6]
    assert (first, rise, fall) == (Priority.SAFETY, Priority.CONTROL, Priority.SAFETY)
    assert asked[9] is Priority.CONTROL


HEART = "heartbeat: {every: 0.5, write: [{address: 13, type: uint16, put: beat, verify: false}]}"


@pytest.mark.row("trap:P5")
async def test_a_heart_beats_while_setpoints_are_asked_for_and_no_longer() -> None:
    device, clock = a_battery(), FastClock(20.0)

    def beats() -> list[int]:
        return [values[0] for address, values in device.written if address == 13]

    async with steered(device, profile(BATTERY, HEART), clock) as source, running(source):
        await clock.sleep(2.0)
        assert not beats(), "nothing is in force"
        await source.write("power", 100.0)
        await until(lambda: len(beats()) > 4)
        assert beats() == sorted(set(beats())), "each beat differs from the one before"
        told_s = clock.monotonic()
        await until(lambda: clock.monotonic() > told_s + 20.0)
        silent = len(beats())
        await clock.sleep(5.0)
        assert len(beats()) == silent, "setpoints are not asked for any more: it may lapse"
        await source.write("power", 100.0)
        await source.write("power", None)
        silent = len(beats())
        await clock.sleep(5.0)
        assert len(beats()) == silent, "released"


async def test_a_percentage_counts_from_what_the_device_names_its_maximum() -> None:
    device = RegisterDevice()
    device.put(Table.INPUT, 5000, [330])
    device.put(Table.HOLDING, 5006, [0x55, 1000])
    async with steered(device, catalog()["sungrow.sg"]) as source:
        await source.write("power_limit", 16_500.0)
        assert device.written == [(5007, (500,)), (5006, (0xAA,))]
        await source.write("power_limit", 99_000.0)
        assert device.number(5007, "H") == 1000.0
        await source.write("power_limit", None)
        assert device.number(5006, "H") == 0x55
        device.put(Table.INPUT, 5000, [0])
        with pytest.raises(TransientError, match="what its maximum is"):
            await source.write("power_limit", 1000.0)


async def test_a_percentage_of_nothing_is_not_in_force() -> None:
    device = a_battery()
    device.put(Table.HOLDING, 14, [0])
    base = "    base: {address: 14, type: uint16}\n    release"
    one = profile(BATTERY.replace("put: value", "put: percent").replace("    release", base), HEART)
    async with steered(device, one) as source:
        with pytest.raises(TransientError, match="what its maximum is"):
            await source.write("power", 100.0)
    assert not device.written, "not even a heartbeat, which would keep the last one alive"


async def test_sungrow_is_told_direction_size_and_timer() -> None:
    device = RegisterDevice()
    device.put(Table.HOLDING, 13049, [0, 0xCC, 0])
    device.put(Table.HOLDING, 13079, [0])
    async with steered(device, catalog()["sungrow.sh"]) as source:
        for power_w, command in ((-4000.0, 0xBB), (2500.0, 0xAA), (0.0, 0xCC)):
            await source.write("power", power_w)
            words = [device.number(address, "H") for address in (13049, 13050, 13051, 13079)]
            assert words == [3, command, abs(power_w), 60]
        await source.write("power", None)
        assert device.number(13049, "H") == 0


async def test_victron_is_told_a_third_for_each_phase() -> None:
    device = RegisterDevice(227)
    device.put(Table.HOLDING, 37, [0])
    device.put(Table.HOLDING, 40, [0, 0])
    async with steered(device, catalog()["victron.multi"]) as source:
        await source.write("power", -10_000.0)
        assert [device.number(address, "h") for address in (37, 40, 41)] == [-3333.0] * 3
        assert source.lapse_s is None


async def test_keba_is_told_its_fail_safe_by_single_registers() -> None:
    device = RegisterDevice(255)
    for address in (5004, 5016, 5018):
        device.put(Table.HOLDING, address, [0])
    async with steered(device, catalog()["keba.p30"]) as source:
        await source.write("current_limit", 12.5)
    assert device.written == [(5016, (8000,)), (5018, (60,)), (5004, (12_500,))]


async def test_alfen_is_told_floats() -> None:
    device = RegisterDevice()
    device.put(Table.HOLDING, 1210, [0, 0])
    async with steered(device, catalog()["alfen.ng9xx"]) as source:
        await source.write("current_limit", 12.3)
        assert device.number(1210, "f") == pytest.approx(12.3)
        await source.write("current_limit", 3.0)
        assert device.number(1210, "f") == 0.0
