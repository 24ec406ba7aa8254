"""Setpoints as bytes, by hand from the register tables of models 704 and 123.

Offsets are counted from a model's header; the images begin at 40000 with the marker and a common
model of 66 registers, so the next header is 40070.
"""

from __future__ import annotations

import pytest

from contracts.time import Clock
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.domain.device import BatterySetpoint, BatterySpec, PvSetpoint, PvSpec
from site_agent.ports import Wake
from support.device_bench import Bench
from support.sunspec_image import common, image, model
from support.sunspec_server import ImageServer

BATTERY = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=400e3, max_charge_w=150e3, max_discharge_w=150e3
)
PV = PvSpec(pv_id="pv1", node="pcc", rated_w=50e3)

CHARGE_120_KW = """
    0000 001d 01 10 9c9c 000b 16
    0001            WSetEna on
    0001            WSetMod watts
    fffe 2b40       WSet -120000: charging is negative generation
    0000 0000       WSetRvrt 0 W
    0000            WSetPct, as it was
    0000            WSetPctRvrt, as it was
    0001            WSetEnaRvrt on
    0000 001e       WSetRvrtTms 30 s
"""
CURTAIL_TO_HALF = """
    0000 0011 01 10 9cab 0005 0a
    01f4            WMaxLimPct 50.0 %
    0000            WMaxLimPct_WinTms at once
    001e            WMaxLimPct_RvrtTms 30 s
    0000            WMaxLimPct_RmpTms, as it was
    0001            WMaxLim_Ena on
"""


def octets(listing: str) -> bytes:
    """The hex at the beginning of each line."""
    lines = [line[:32].partition("  ")[0] for line in map(str.strip, listing.splitlines())]
    return bytes.fromhex("".join(lines))


def battery(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
    return SunSpecBattery(link, 1, BATTERY, clock=clock, wake=wake)


def pv(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecPv:
    return SunSpecPv(link, 1, PV, clock=clock, wake=wake)


@pytest.fixture
async def bench() -> Bench:
    return Bench()


def writes(server: ImageServer) -> list[bytes]:
    """FC16 frames without their transaction numbers."""
    return [frame[2:] for frame in server.received if frame[7] == 0x10]


async def test_charging_a_battery(bench: Bench) -> None:
    zeros = dict.fromkeys(
        ("WSetEna", "WSetMod", "WSet", "WSetRvrt", "WSetPct", "WSetPctRvrt", "WSetEnaRvrt"), 0
    )
    server = ImageServer(image(common(), model(704, WSet_SF=0, WSetRvrtTms=0, **zeros)))
    async with server.serving(), bench.running(server.port, battery) as device:
        await device.set_power(BatterySetpoint(battery_id="b1", power_w=120e3, cause="test"))
    assert writes(server) == [octets(CHARGE_120_KW)]


async def test_curtailing_an_inverter(bench: Bench) -> None:
    controls = {f"WMaxLimPct_{name}": 0 for name in ("WinTms", "RvrtTms", "RmpTms")}
    server = ImageServer(
        image(
            common(),
            model(121, WMax=5000, WMax_SF=1),
            model(123, WMaxLimPct=1000, WMaxLimPct_SF=-1, WMaxLim_Ena=0, **controls),
        )
    )
    async with server.serving(), bench.running(server.port, pv) as device:
        await device.set_limit(PvSetpoint(pv_id="pv1", limit_w=25e3, cause="test"))
    assert writes(server) == [octets(CURTAIL_TO_HALF)]
