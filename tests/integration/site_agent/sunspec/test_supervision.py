"""Who is in command, and whether both sides live: LocRemCtl and heartbeats on a real socket."""

from __future__ import annotations

from contextlib import suppress

import pytest
from pymodbus.constants import ExcCodes

from contracts.errors import TransientError
from contracts.inverter import FixedPowerFactor
from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.leased import PATIENCE_S
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.functions import SunSpecFunctions
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.devices.sunspec.supervision import STUCK_S, LocalControlError
from site_agent.domain.device import BatterySetpoint, BatterySpec, PvSetpoint, PvSpec
from site_agent.ports import Wake
from site_agent.store.memory import MemoryKeyValues
from support.device_bench import Bench
from support.modbus_link import linked
from support.sunspec_image import address_of, common, image, model
from support.sunspec_server import ImageServer
from support.waiting import until

SPEC = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=400e3, max_charge_w=150e3, max_discharge_w=150e3
)
PV = PvSpec(pv_id="pv1", node="pcc", rated_w=50e3)
CTRL_HB_802, HB_802, LOCAL_802 = 19, 18, 17
CTRL_HB_715, HB_715, LOCAL_715 = 5, 3, 2


def registers(**bank: int) -> dict[int, int]:
    cells = {"SoC": 50, "SoC_SF": 0, "LocRemCtl": 0, "CtrlHb": 7, "Hb": 3}
    return image(
        common(),
        model(701, W=0, W_SF=1, St=1, InvSt=3),
        model(704, WSet_SF=0, WSetEna=0, WSet=0, WSetRvrtTms=0),
        model(715, LocRemCtl=0, DERHb=1, ControllerHb=0xFFFE),
        model(802, **(cells | bank)),
    )


def battery(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
    return SunSpecBattery(link, 1, SPEC, clock=clock, wake=wake)


def patient(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
    return SunSpecBattery(link, 1, SPEC, clock=clock, wake=wake, lease_s=600)


def pv(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecPv:
    return SunSpecPv(link, 1, PV, clock=clock, wake=wake)


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


def charge(device: SunSpecBattery, bench: Bench) -> Reading:
    return device.state(bench.clock.now()).soc_pct


def word(server: ImageServer, model_id: int, offset: int) -> int:
    return server.registers[address_of(server.registers, model_id) + offset]


def ours(server: ImageServer) -> tuple[int, int]:
    """Our counts at 715 (its low word wraps into the high one) and 802."""
    high, low = word(server, 715, CTRL_HB_715), word(server, 715, CTRL_HB_715 + 1)
    return high << 16 | low, word(server, 802, CTRL_HB_802)


def set_word(server: ImageServer, model_id: int, offset: int, value: int) -> None:
    server.put(address_of(server.registers, model_id) + offset, [value])


@pytest.mark.row("trap:S12")
async def test_our_heartbeats_count_while_the_control_loop_asks(bench: Bench) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, battery) as device:
        await until(lambda: device.state(bench.clock.now()).online)
        assert ours(server) == (0xFFFE, 7), "nobody has asked for anything yet"
        while ours(server)[1] < 10:
            with suppress(TransientError):  # the loop asks again
                await device.set_power(to(0.0))
            await bench.clock.sleep(0.3)
        assert ours(server)[0] >= 0x10000, "it counts on from what was there"
        silent_s = bench.clock.monotonic()
        await until(lambda: bench.clock.monotonic() > silent_s + PATIENCE_S + 2.0)
        stopped = ours(server)
        await until(lambda: bench.clock.monotonic() > silent_s + PATIENCE_S + 6.0)
        assert ours(server) == stopped, "a dead control loop must look dead"


@pytest.mark.row("trap:S12")
async def test_a_heartbeat_never_reads_not_implemented(bench: Bench) -> None:
    server = ImageServer(registers(CtrlHb=0xFFFE))
    async with server.serving(), bench.running(server.port, battery) as device:
        while word(server, 802, CTRL_HB_802) != 0:
            assert word(server, 802, CTRL_HB_802) == 0xFFFE
            with suppress(TransientError):  # the loop asks again
                await device.set_power(to(0.0))
            await bench.clock.sleep(0.3)


async def test_a_device_without_our_heartbeat_gets_none(bench: Bench) -> None:
    words = image(
        common(),
        model(701, W=0, W_SF=1, St=1),
        model(704, WSet_SF=0, WSetEna=0, WSet=0),
        model(802, SoC=50, SoC_SF=0),
    )
    server = ImageServer(words)
    async with server.serving(), bench.running(server.port, battery) as device:
        begun_s = bench.clock.monotonic()
        while bench.clock.monotonic() < begun_s + 4.0:
            with suppress(TransientError):  # the loop asks again
                await device.set_power(to(0.0))
            await bench.clock.sleep(0.5)
        setpoint = address_of(server.registers, 704) + 22
        assert {address for address, _ in server.writes} == {setpoint}
        await until(lambda: device.state(bench.clock.now()).online)


async def test_a_refused_heartbeat_is_not_the_end(bench: Bench) -> None:
    server = ImageServer(registers())
    place = address_of(server.registers, 802) + CTRL_HB_802
    refused = 0

    def refuse(address: int, values: list[int]) -> ExcCodes | None:
        nonlocal refused
        refused += address == place
        return ExcCodes.ILLEGAL_ADDRESS if address == place else None

    server.on_write = refuse
    async with server.serving(), bench.running(server.port, battery) as device:
        begun_s = bench.clock.monotonic()
        while bench.clock.monotonic() < begun_s + 5.0:
            with suppress(TransientError):  # the loop asks again
                await device.set_power(to(0.0))
            await bench.clock.sleep(0.5)
        await until(lambda: device.state(bench.clock.now()).online)
        assert refused == 1


@pytest.mark.row("trap:S12")
@pytest.mark.parametrize(("model_id", "offset"), [(802, HB_802), (715, HB_715 + 1)])
async def test_their_heartbeat_that_stands_still_takes_the_device_offline(
    bench: Bench, model_id: int, offset: int
) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, battery) as device:
        begun_s = bench.clock.monotonic()
        await until(lambda: bench.clock.monotonic() > begun_s + STUCK_S + 3.0)
        await until(lambda: device.state(bench.clock.now()).online)  # one that never counted
        for count in (77, 78):
            set_word(server, model_id, offset, count)
            counted_s = bench.clock.monotonic()
            await bench.clock.sleep(2.5)
        await until(lambda: charge(device, bench).quality is Quality.INVALID)
        assert bench.clock.monotonic() - counted_s >= STUCK_S
        assert not device.state(bench.clock.now()).online
        set_word(server, model_id, offset, 79)
        await until(lambda: device.state(bench.clock.now()).online)
        await until(lambda: charge(device, bench).value == 50.0)


@pytest.mark.parametrize(("model_id", "offset"), [(802, LOCAL_802), (715, LOCAL_715)])
async def test_under_local_control_nothing_is_written(
    bench: Bench, model_id: int, offset: int
) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, battery) as device:
        await device.set_power(to(5000.0))
        set_word(server, model_id, offset, 1)
        await until(lambda: device.state(bench.clock.now()).local)
        server.writes.clear()
        begun_s = bench.clock.monotonic()
        while bench.clock.monotonic() < begun_s + 15.0:  # beyond the refresh at 10 s
            with pytest.raises(LocalControlError, match="b1 is under local control"):
                await device.set_power(to(6000.0))
            await bench.clock.sleep(1.0)
        assert server.writes == []
        await until(lambda: device.state(bench.clock.now()).online)  # it is measured all the same
        set_word(server, model_id, offset, 0)
        await until(lambda: not device.state(bench.clock.now()).local)
        await device.set_power(to(6000.0))
        assert server.writes


async def test_what_was_held_before_local_control_is_told_again(bench: Bench) -> None:
    server = ImageServer(registers())
    setpoint = address_of(server.registers, 704) + 22
    async with server.serving(), bench.running(server.port, patient) as device:
        await device.set_power(to(5000.0))
        set_word(server, 715, LOCAL_715, 1)
        await until(lambda: device.state(bench.clock.now()).local)
        server.writes.clear()
        set_word(server, 715, LOCAL_715, 0)
        await until(lambda: not device.state(bench.clock.now()).local)
        with suppress(TransientError):
            await device.set_power(to(5000.0))
        await until(lambda: setpoint in {address for address, _ in server.writes})


async def test_an_inverter_under_local_control(bench: Bench) -> None:
    words = image(
        common(),
        model(701, W=4000, W_SF=1, St=1, InvSt=3),
        model(702, WMaxRtg=5000, W_SF=1),
        model(704, WMaxLimPctEna=0, WMaxLimPct=100, WMaxLimPct_SF=0),
        model(715, LocRemCtl=1),
    )
    server = ImageServer(words)
    async with server.serving(), bench.running(server.port, pv) as device:
        await until(lambda: device.state(bench.clock.now()).local)
        with pytest.raises(LocalControlError):
            await device.set_limit(PvSetpoint(pv_id="pv1", limit_w=1000.0, cause="test"))
        assert server.writes == []


async def test_functions_wait_while_a_device_is_under_local_control(bench: Bench) -> None:
    words = image(
        common(),
        model(704, PFWInjEna=0, PF_SF=-2, PFWInjRvrtTms=0),
        model(715, LocRemCtl=1, DERHb=1, ControllerHb=0),
    )
    server = ImageServer(words)
    power_factor = FixedPowerFactor(while_="injecting", power_factor=0.95, absorbs_var=True)
    async with server.serving(), linked(server.port, clock=bench.clock, timeout_s=2.0) as link:
        functions = SunSpecFunctions(
            link, 1, device_id="b1", memory=MemoryKeyValues(), clock=bench.clock
        )
        with pytest.raises(LocalControlError):
            await functions.hold([power_factor])
        assert server.writes == []


async def test_limits_of_the_bank_bind_at_once(bench: Bench) -> None:
    amperes = {"V": 800, "V_SF": 0, "AMax_SF": 0}
    server = ImageServer(registers(AChaMax=100, ADisChaMax=50, **amperes))
    async with server.serving(), bench.running(server.port, battery) as device:
        await until(lambda: device.state(bench.clock.now()).online)
        assert (device.spec.max_charge_w, device.spec.max_discharge_w) == (80e3, 40e3)
        cold = model(802, SoC=50, SoC_SF=0, AChaMax=0, ADisChaMax=50, **amperes)
        server.put(address_of(server.registers, 802), cold)
        await until(lambda: device.spec.max_charge_w == 0.0)
        server.put(address_of(server.registers, 802), registers_of_fault())
        await until(lambda: not device.state(bench.clock.now()).online)


def registers_of_fault() -> list[int]:
    return model(802, SoC=50, SoC_SF=0, State=99)
