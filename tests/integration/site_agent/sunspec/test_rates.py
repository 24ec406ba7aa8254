"""A battery that knows only the rates of model 124: forced either way, held, and left to itself."""

from __future__ import annotations

import pytest

from contracts.errors import PermanentError, TransientError
from contracts.time import Clock
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.domain.device import BatterySetpoint, BatterySpec, Lapse
from site_agent.ports import Wake
from support.device_bench import Bench
from support.sunspec_image import address_of, common, image, model
from support.sunspec_server import ImageServer
from support.waiting import until

SPEC = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=20e3, max_charge_w=10e3, max_discharge_w=10e3
)
STORAGE = {
    "WChaMax": 1000, "WChaMax_SF": 1, "StorCtl_Mod": 0, "OutWRte": 10000, "InWRte": 10000,
    "InOutWRte_SF": -2, "InOutWRte_WinTms": 60, "InOutWRte_RvrtTms": 0, "ChaGriSet": 0,
    "ChaState": 5550, "ChaState_SF": -2,
}  # fmt: skip


def registers(*, without: tuple[str, ...] = (), **changed: int) -> dict[int, int]:
    points = {name: raw for name, raw in (STORAGE | changed).items() if name not in without}
    return image(common(), model(103, W=0, W_SF=0, St=4), model(124, **points))


def battery(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
    return SunSpecBattery(link, 1, SPEC, clock=clock, wake=wake)


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


def signed(word: int) -> int:
    return word - 0x10000 if word >= 0x8000 else word


@pytest.mark.row("trap:S11")
@pytest.mark.parametrize(
    ("power_w", "out_rate", "in_rate"),
    [
        pytest.param(5_000.0, -5000, 5000, id="charging"),
        pytest.param(-2_500.0, 2500, -2500, id="discharging"),
        pytest.param(0.0, 0, 0, id="held"),
        pytest.param(1e9, -10000, 10000, id="cut to its limit"),
    ],
)
async def test_rates_go_before_the_switch(
    bench: Bench, power_w: float, out_rate: int, in_rate: int
) -> None:
    server = ImageServer(registers())
    async with server.serving(), bench.running(server.port, battery) as device:
        await device.set_power(to(power_w))
        start = address_of(server.registers, 124)
        writes = [(at - start, [signed(word) for word in words]) for at, words in server.writes]
        assert writes == [(12, [out_rate, in_rate, 0, 30]), (5, [3]), (17, [1])]
        assert device.spec.lapse is Lapse.UNKNOWN, "some keep the timer and ignore it"
        await until(lambda: device.state(bench.clock.now()).soc_pct.value == 55.5)


@pytest.mark.row("trap:S11")
async def test_watts_are_preferred_where_they_are_whole(bench: Bench) -> None:
    part = model(704, WSet=0, WSetEna=0)  # no scale factor
    whole = model(704, WSet=0, WSetEna=0, WSet_SF=0)
    for control, count in ((part, 3), (whole, 1)):
        words = image(common(), control, model(103, W=0, W_SF=0, St=4), model(124, **STORAGE))
        server = ImageServer(words)
        async with server.serving(), bench.running(server.port, battery) as device:
            await device.set_power(to(1000.0))
            assert len(server.writes) == count


@pytest.mark.row("trap:S1")
@pytest.mark.parametrize(
    "without",
    [("InOutWRte_SF",), ("WChaMax_SF",), ("WChaMax",), ("OutWRte",), ("InWRte",), ("StorCtl_Mod",)],
    ids=" ".join,
)
async def test_rates_fail_closed(bench: Bench, without: tuple[str, ...]) -> None:
    server = ImageServer(registers(without=without))
    async with server.serving(), bench.running(server.port, battery) as device:
        with pytest.raises(PermanentError):
            await device.set_power(to(1000.0))
        assert server.writes == []


async def test_a_maximum_of_nothing_is_no_maximum(bench: Bench) -> None:
    server = ImageServer(registers(WChaMax=0))
    async with server.serving(), bench.running(server.port, battery) as device:
        with pytest.raises(PermanentError):
            await device.set_power(to(1000.0))
        assert server.writes == []


async def test_no_timer_no_lapse(bench: Bench) -> None:
    server = ImageServer(registers(without=("InOutWRte_RvrtTms", "InOutWRte_WinTms", "ChaGriSet")))
    async with server.serving(), bench.running(server.port, battery) as device:
        await device.set_power(to(1000.0))
        assert [len(words) for _, words in server.writes] == [2, 1]
        assert device.spec.lapse is Lapse.NONE


async def test_a_device_that_clamps_negative_rates_is_not_steered(bench: Bench) -> None:
    server = ImageServer(registers())

    def clamp(address: int, values: list[int]) -> bool:
        server.put(address, [0 if word >= 0x8000 else word for word in values])
        return False

    server.on_write = clamp
    async with server.serving(), bench.running(server.port, battery) as device:
        with pytest.raises(TransientError, match="did not keep OutWRte"):
            await device.set_power(to(1000.0))
