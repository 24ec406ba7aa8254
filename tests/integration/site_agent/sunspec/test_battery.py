"""A battery on a real socket: the setpoint on the wire, read back, refreshed, disobeyed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pymodbus.constants import ExcCodes

from contracts.errors import PermanentError, TransientError
from contracts.reading import Quality
from contracts.time import Clock
from site_agent.devices.leased import PATIENCE_S
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.modbus.replies import ModbusRefusedError
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.codec import CapabilityMissingError
from site_agent.domain.device import BatterySetpoint, BatterySpec, Lapse
from site_agent.ports import Wake
from support.device_bench import Bench
from support.sunspec_image import address_of, common, image, model, vendor
from support.sunspec_server import ImageServer
from support.waiting import until

SPEC = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=400e3, max_charge_w=150e3, max_discharge_w=150e3
)
SET = {
    "WSet_SF": 0, "WSetEna": 0, "WSetMod": 0, "WSet": 0, "WSetRvrt": 0, "WSetPct": 55,
    "WSetPctRvrt": 66, "WSetEnaRvrt": 0, "WSetRvrtTms": 0, "WSetRvrtRem": 30,
}  # fmt: skip


def registers(*, without: tuple[str, ...] = (), **changed: float) -> dict[int, int]:
    controls = {name: raw for name, raw in (SET | changed).items() if name not in without}
    return image(
        common(),
        model(704, **controls),
        model(701, W=-50, W_SF=1, St=1, InvSt=3),
        vendor(),
        model(713, SoC=555, Pct_SF=-1),
    )


def battery(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
    return SunSpecBattery(link, 1, SPEC, clock=clock, wake=wake)


def brief(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
    return SunSpecBattery(link, 1, SPEC, clock=clock, wake=wake, lease_s=12)


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


def words(power_w: int) -> list[int]:
    raw = power_w & 0xFFFFFFFF
    return [raw >> 16, raw & 0xFFFF]


@pytest.mark.row("trap:S2")
async def test_state(bench: Bench) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, battery) as device:
        assert not device.state(bench.clock.now()).online
        await until(lambda: bench.wakes.count == 1)
        state = device.state(bench.clock.now())
        assert state.online
        assert state.power_w.value == 500.0, "701.W -500 is absorption: charging"
        assert state.soc_pct.value == 55.5
        assert state.spec == SPEC


@pytest.mark.parametrize(
    ("power_w", "wset"),
    [
        pytest.param(120_000.0, -120_000, id="charging"),
        pytest.param(-80_000.4, 80_000, id="discharging"),
        pytest.param(0.0, 0, id="idle"),
        pytest.param(1e9, -150_000, id="cut to its limit"),
    ],
)
async def test_a_setpoint_is_one_write_of_eleven_registers(
    bench: Bench, power_w: float, wset: int
) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, battery) as device:
        await device.set_power(to(power_w))
        assert server.writes == [(40070 + 22, [1, 1, *words(wset), 0, 0, 55, 66, 1, 0, 30])]
        assert device.spec.lapse is Lapse.DEVICE


async def test_an_inverted_setpoint(bench: Bench) -> None:
    def inverted(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
        return SunSpecBattery(link, 1, SPEC, clock=clock, wake=wake, invert_setpoint=True)

    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, inverted) as device:
        await device.set_power(to(5000.0))
        assert server.writes[0][1][2:4] == words(5000)


async def test_what_it_holds_is_not_written_again_until_a_third_of_its_life(bench: Bench) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, brief) as device:
        begun_s = bench.clock.monotonic()
        while bench.clock.monotonic() < begun_s + 10.0:
            await device.set_power(to(500.0))
            await bench.clock.sleep(0.5)
        assert len(server.writes) == 3, "at 0, 4 and 8 s"


async def test_the_adapter_refreshes_by_itself_and_stops_when_the_loop_is_silent(
    bench: Bench,
) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, brief) as device:
        begun_s = bench.clock.monotonic()
        await device.set_power(to(500.0))
        assert len(server.writes) == 1
        await until(lambda: len(server.writes) == 2)
        assert 4.0 <= bench.clock.monotonic() - begun_s <= PATIENCE_S + 1.0
        await until(lambda: bench.clock.monotonic() > begun_s + 15.0)
        assert len(server.writes) == 2


async def test_another_setpoint_is_written_at_once(bench: Bench) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, battery) as device:
        await device.set_power(to(1000.0))
        await device.set_power(to(2000.0))
        assert [values[2:4] for _, values in server.writes] == [words(-1000), words(-2000)]


async def test_capacity_of_the_device_bounds_the_setpoint(bench: Bench) -> None:
    small = image(
        common(),
        model(704, **SET),
        model(701, W=0, W_SF=0, St=1),
        model(702, W_SF=1, WChaRteMaxRtg=9000, WChaRteMax=6000, WDisChaRteMaxRtg=7000),
        model(713, SoC=55, Pct_SF=0),
    )
    server = ImageServer(small)
    async with server.serving(), bench.running(server.port, battery) as device:
        await until(lambda: device.state(bench.clock.now()).online)
        assert device.spec.max_charge_w == 60e3
        assert device.spec.max_discharge_w == 70e3
        await device.set_power(to(100e3))
        assert server.writes[0][1][2:4] == words(-60_000)


@pytest.mark.row("trap:S1")
@pytest.mark.parametrize(
    "without",
    [("WSet_SF",), ("WSet",), ("WSetEna",)],
    ids=["no scale factor", "no setpoint", "no switch"],
)
async def test_writes_fail_closed(bench: Bench, without: tuple[str, ...]) -> None:
    server = ImageServer(registers(without=without))
    async with server.serving(), bench.running(server.port, battery) as device:
        with pytest.raises(CapabilityMissingError):
            await device.set_power(to(1000.0))
        assert server.writes == []


async def test_a_battery_without_controls(bench: Bench) -> None:
    server = ImageServer(image(common(), model(701, W=0, W_SF=0), model(802, SoC=50, SoC_SF=0)))
    async with server.serving(), bench.running(server.port, battery) as device:
        await until(lambda: device.state(bench.clock.now()).soc_pct.value == 50.0)
        with pytest.raises(PermanentError):
            await device.set_power(to(1000.0))
        assert server.writes == []


@pytest.mark.parametrize(
    ("changes", "without", "lapse"),
    [
        pytest.param({}, ("WSetRvrtTms", "WSetRvrtRem"), Lapse.NONE, id="no timer"),
        pytest.param({"WSetRvrtRem": 4}, (), Lapse.UNKNOWN, id="not re-armed"),
        pytest.param({}, ("WSetRvrtRem",), Lapse.DEVICE, id="a timer that shows no rest"),
    ],
)
async def test_lapse_is_what_the_device_shows(
    bench: Bench, changes: dict[str, int], without: tuple[str, ...], lapse: Lapse
) -> None:
    server = ImageServer(registers(without=without, **changes))
    async with server.serving(), bench.running(server.port, battery) as device:
        await device.set_power(to(1000.0))
        assert device.spec.lapse is lapse
        assert device.state(bench.clock.now()).spec.lapse is lapse


async def test_a_battery_that_refuses_registers_in_between_gets_its_points_alone(
    bench: Bench,
) -> None:
    """Its timer first and its setpoint right after, and so from the beginning next time."""
    pct = 40070 + 28

    def strict(address: int, values: list[int]) -> ExcCodes | None:
        covered = range(address, address + len(values))
        return ExcCodes.ILLEGAL_ADDRESS if pct in covered else None

    server = ImageServer(registers(), on_write=strict)
    async with server.serving(), bench.running(server.port, battery) as device:
        await device.set_power(to(1000.0))
        pieces = [
            (40070 + 30, [1, 0, 30]),
            (40070 + 22, [1, 1, *words(-1000), 0, 0]),
        ]
        assert server.writes == pieces
        await device.set_power(to(0.0))
        assert server.writes[2:] == [pieces[0], (pieces[1][0], [1, 1, 0, 0, 0, 0])]
        frames = [frame for frame in server.received if frame[7] == 0x10]
        assert len(frames) == 5, "the whole block was tried once"
        assert device.spec.lapse is Lapse.DEVICE


def ignore(address: int, values: list[int]) -> bool:
    return False


def refuse(code: ExcCodes) -> Callable[[int, list[int]], ExcCodes]:
    return lambda address, values: code


@pytest.mark.parametrize(
    ("on_write", "error"),
    [
        pytest.param(ignore, TransientError, id="accepted but not kept"),
        pytest.param(refuse(ExcCodes.ILLEGAL_ADDRESS), ModbusRefusedError, id="refused"),
        pytest.param(refuse(ExcCodes.DEVICE_BUSY), TransientError, id="busy"),
    ],
)
async def test_a_setpoint_that_is_not_taken_is_an_error_and_is_tried_again(
    bench: Bench,
    on_write: Callable[[int, list[int]], ExcCodes | bool | None],
    error: type[Exception],
) -> None:
    server = ImageServer(registers(), on_write=on_write)
    async with server.serving(), bench.running(server.port, battery) as device:
        with pytest.raises(error):
            await device.set_power(to(1000.0))
        server.on_write = None
        server.writes.clear()
        await device.set_power(to(1000.0))
        assert len(server.writes) == 1


@pytest.mark.row("trap:S7")
async def test_a_battery_that_does_not_follow_is_noticed_and_told_once_more(bench: Bench) -> None:
    def patient(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
        return SunSpecBattery(link, 1, SPEC, clock=clock, wake=wake, lease_s=600)

    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, patient) as device:
        begun_s = bench.clock.monotonic()
        await device.set_power(to(20_000.0))
        while device.obeys:
            assert len(server.writes) == 1
            await device.set_power(to(20_000.0))
            await bench.clock.sleep(0.5)
        assert bench.clock.monotonic() - begun_s >= 12.0, "10 s to settle and three strikes"
        await until(lambda: len(server.writes) == 2)
        assert server.writes[1] == server.writes[0]
        place = address_of(server.registers, 701)
        server.put(place, model(701, W=-2000, W_SF=1, St=1, InvSt=3))
        await until(lambda: device.obeys)


async def test_a_fault_takes_it_offline_but_keeps_its_readings(bench: Bench) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, battery) as device:
        await until(lambda: bench.wakes.count == 1)
        assert device.state(bench.clock.now()).online, "the first wake told that it answers"
        place = address_of(server.registers, 701)
        server.put(place, model(701, W=0, W_SF=1, St=1, InvSt=6))
        await until(lambda: not device.state(bench.clock.now()).online)
        assert device.state(bench.clock.now()).power_w.quality is Quality.GOOD
        assert bench.wakes.count == 2


async def test_a_battery_that_is_gone(bench: Bench) -> None:
    server = ImageServer(registers())
    async with server.serving():
        pass
    async with bench.running(server.port, battery) as device:
        with pytest.raises(TransientError):
            await device.set_power(to(1000.0))
        async with server.serving():
            await until(lambda: device.state(bench.clock.now()).online)
            await device.set_power(to(1000.0))
        assert len(server.writes) == 1
