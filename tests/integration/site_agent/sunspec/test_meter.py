"""A meter on a real socket: read, lost, found again, rearranged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.meter import SunSpecMeter
from site_agent.ports import Meter, Wake
from support.device_bench import Bench
from support.sunspec_image import address_of, common, image, model, vendor
from support.sunspec_server import ImageServer
from support.waiting import until


def readings(power_w: int = 6000, current: int = 100) -> list[int]:
    return model(
        203, W=power_w, W_SF=0, AphA=current, AphB=current, AphC=current, A_SF=-1,
        TotWhImp=777, TotWh_SF=0,
    )  # fmt: skip


def meter(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecMeter:
    return SunSpecMeter(link, 1, name="pcc", clock=clock, wake=wake)


def power_of(device: Meter, bench: Bench) -> float | None:
    return device.state(bench.clock.now()).power_w.value


async def test_reads_every_quarter_of_a_second(bench: Bench) -> None:
    server = ImageServer(image(common(65), vendor(), readings()))
    async with server.serving(), bench.running(server.port, meter) as device:
        before = device.state(bench.clock.now())
        assert before.power_w.quality is Quality.OFFLINE
        await until(lambda: power_of(device, bench) == 6000.0)
        state = device.state(bench.clock.now())
        assert [current.value for current in state.current_a] == [10.0, 10.0, 10.0]
        assert state.import_wh.value == 777.0
        reads = len(server.reads)
        begun_s = bench.clock.monotonic()
        await until(lambda: bench.clock.monotonic() >= begun_s + 5.0)
        polls = len(server.reads) - reads
        assert 10 <= polls <= 21, "4 polls a second at most, one request each"
        assert all(count == 55 for _, count in server.reads[reads:])


async def test_a_jump_of_current_wakes_the_control_loop(bench: Bench) -> None:
    server = ImageServer(image(common(), readings(current=100)))
    async with server.serving(), bench.running(server.port, meter) as device:
        await until(lambda: power_of(device, bench) == 6000.0)
        wakes = bench.wakes.count
        place = address_of(server.registers, 203)
        server.put(place, readings(power_w=6001, current=150))
        await until(lambda: power_of(device, bench) == 6001.0)
        assert bench.wakes.count == wakes, "5 A are no news"
        server.put(place, readings(power_w=6002, current=250))
        await until(lambda: power_of(device, bench) == 6002.0)
        assert bench.wakes.count == wakes + 1


async def test_a_lost_meter_turns_stale_then_vanishes_and_comes_back(bench: Bench) -> None:
    server = ImageServer(image(common(), readings()))
    async with server.serving():
        pass  # takes a port, to be absent from
    async with bench.running(server.port, meter) as device:
        async with server.serving():
            await until(lambda: power_of(device, bench) == 6000.0)
            heard = bench.wakes.count
        await until(lambda: _quality(device, bench) is Quality.STALE)
        assert power_of(device, bench) == 6000.0
        later = device.state(bench.clock.now() + timedelta(seconds=31))
        assert later.power_w == Reading.missing(later.power_w.at, Quality.OFFLINE)
        await until(lambda: bench.wakes.count > heard)  # for it does not answer
        wakes = bench.wakes.count
        async with server.serving():
            await until(lambda: _quality(device, bench) is Quality.GOOD)
        assert bench.wakes.count == wakes + 1


@pytest.mark.row("trap:S4")
async def test_a_map_that_changes_is_searched_anew(bench: Bench) -> None:
    """As an SMA STP X20, whose model 714 is shorter at night: all that follows it moves."""
    server = ImageServer(image(common(), vendor(length=20), readings(6000)))
    async with server.serving(), bench.running(server.port, meter) as device:
        await until(lambda: power_of(device, bench) == 6000.0)
        server.registers = image(common(), vendor(length=3), readings(1234))
        await until(lambda: power_of(device, bench) == 1234.0)


@pytest.mark.parametrize("end", [[0xFFFF], []], ids=["end without a length", "no end marker"])
async def test_lists_that_end_badly(bench: Bench, end: list[int]) -> None:
    server = ImageServer(image(common(), readings(), end=end))
    async with server.serving(), bench.running(server.port, meter) as device:
        await until(lambda: power_of(device, bench) == 6000.0)


async def test_without_a_scale_factor_there_is_no_power(bench: Bench) -> None:
    bare = model(203, W=6000, AphA=100, A_SF=-1)
    server = ImageServer(image(common(), bare))
    async with server.serving(), bench.running(server.port, meter) as device:
        await until(lambda: device.state(bench.clock.now()).current_a[0].value == 10.0)
        state = device.state(bench.clock.now())
        assert (state.power_w.value, state.power_w.quality) == (None, Quality.INVALID)


@pytest.mark.parametrize(
    "registers",
    [
        pytest.param({}, id="no registers at all"),
        pytest.param(dict.fromkeys(range(0x10000), 0xFFFF), id="all ones"),
        pytest.param(image(common(), model(103, W=1, W_SF=0)), id="an inverter"),
        pytest.param(image([203, 0xFFF0]), id="a length beyond the address space"),
    ],
)
async def test_a_device_that_is_no_meter_stays_offline(
    bench: Bench, registers: dict[int, int]
) -> None:
    server = ImageServer(registers)
    async with server.serving(), bench.running(server.port, meter) as device:
        await until(lambda: bench.wakes.count > 0)
        assert _quality(device, bench) is Quality.OFFLINE
        server.registers = image(common(), readings())
        await until(lambda: power_of(device, bench) == 6000.0)


def _quality(device: Meter, bench: Bench) -> Quality:
    return device.state(bench.clock.now()).power_w.quality
