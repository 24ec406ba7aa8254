"""The agent's SunSpec adapters on difficult devices of the field."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.time import Clock
from depot_sim.faults import FaultKind
from depot_sim.modbus.listener import Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.drift import Drift
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky
from depot_sim.sunspec.battery import SunSpecBattery as Battery700
from depot_sim.sunspec.battery124 import SunSpecBattery124
from depot_sim.sunspec.inverter700 import SunSpecInverter700
from depot_sim.sunspec.meter import SunSpecMeter as Meter203
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.meter import SunSpecMeter
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.domain.device import BatterySetpoint, BatterySpec, PvSetpoint, PvSpec
from site_agent.ports import Wake
from support.device_bench import Bench
from support.waiting import until

LEASE_S = 15
CELLS = Battery(capacity_wh=40e3, max_charge_w=10e3, max_discharge_w=10e3, soc_pct=60)
BATTERY = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=40e3, max_charge_w=10e3, max_discharge_w=10e3
)
PV = PvSpec(pv_id="pv1", node="pcc", rated_w=50e3)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def clock(bench: Bench) -> Clock:
    return bench.clock


def our_battery(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
    return SunSpecBattery(link, 1, BATTERY, clock=clock, wake=wake, lease_s=LEASE_S)


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


@pytest.mark.row("trap:S11")
async def test_rates_of_124_are_forced_and_given_back(bench: Bench, stepping: Any) -> None:
    hardware = SunSpecBattery124(
        id="b1",
        listener=Listener(),
        battery=CELLS,
        elapsed=bench.clock.monotonic,
        clock=bench.clock,
    )
    async with hardware.serving() as address, stepping(hardware):
        async with bench.running(address.port, our_battery) as device:
            for power_w in (4_000.0, -6_000.0):
                await device.set_power(to(power_w))
                await until(lambda power_w=power_w: hardware.battery.power_w == power_w)  # type: ignore[misc]
                await until(lambda p=power_w: device.state(bench.clock.now()).power_w.value == p)  # type: ignore[misc]
        await until(lambda: hardware.battery.power_w == 0.0)


@pytest.mark.row("trap:S12")
async def test_heartbeats_keep_a_battery_and_their_end_lets_it_go(
    bench: Bench, stepping: Any
) -> None:
    hardware = Battery700(
        id="b1",
        listener=Listener(),
        battery=CELLS,
        elapsed=bench.clock.monotonic,
        heartbeat_s=30,
        clock=bench.clock,
    )
    hardware.fail(FaultKind.NO_REVERSION, None)  # only the heartbeat is left to end a setpoint
    async with hardware.serving() as address, stepping(hardware):
        async with bench.running(address.port, our_battery) as device:
            begun_s = bench.clock.monotonic()
            while bench.clock.monotonic() < begun_s + 45:
                await device.set_power(to(5_000.0))
                await bench.clock.sleep(1.0)
            assert hardware.battery.power_w == 5_000.0
        await until(lambda: hardware.battery.power_w == 0.0)


async def test_a_meter_whose_scale_factors_change(bench: Bench) -> None:
    plant = Plant(phases_w=(41_230.0, -1_150.0, 60_010.0))
    hardware = Meter203(
        id="pcc",
        listener=Listener(),
        rated_a=400,
        plant=lambda: plant,
        elapsed=bench.clock.monotonic,
        clock=bench.clock,
    )

    def ours(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecMeter:
        return SunSpecMeter(link, 1, name="meter", clock=clock, wake=wake)

    async with hardware.serving() as address, bench.running(address.port, ours) as device:
        seen: list[float] = []

        def read_w() -> float | None:
            value = device.state(bench.clock.now()).power_w.value
            if value is not None:
                seen.append(value)
            return value

        await until(lambda: read_w() == pytest.approx(plant.power_w, abs=50))
        hardware.fail(FaultKind.SCALE_CHANGE, None)
        await until(lambda: read_w() == 100_100.0)  # to the next 100 W
        await bench.clock.sleep(3)
        read_w()
        assert seen == pytest.approx([plant.power_w] * len(seen), abs=500)


@pytest.mark.row("trap:S4")
async def test_an_inverter_whose_model_714_grows_short_at_night(
    bench: Bench, stepping: Any
) -> None:
    drift = Drift.seeded("sky", 300.0)
    pv = Pv(rated_w=50_000, sky=DriftingSky(clearness=0.8, swing=0.0, drift=drift))
    hardware = SunSpecInverter700(
        id="pv1",
        listener=Listener(),
        pv=pv,
        elapsed=bench.clock.monotonic,
        strings=3,
        heartbeat_s=20,
        clock=bench.clock,
    )

    def ours(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecPv:
        return SunSpecPv(link, 1, PV, clock=clock, wake=wake, lease_s=LEASE_S)

    limit = PvSetpoint(pv_id="pv1", limit_w=10_000.0, cause="test")
    async with (
        hardware.serving() as address,
        stepping(hardware),
        bench.running(address.port, ours) as device,
    ):
        await until(lambda: device.state(bench.clock.now()).power_w.value == -40_000.0)
        await device.set_limit(limit)
        await until(lambda: hardware.pv.power_w == -10_000.0)
        hardware.fail(FaultKind.LENGTH_CHANGE, None)
        begun_s = bench.clock.monotonic()
        while bench.clock.monotonic() < begun_s + 45:
            await device.set_limit(limit)
            await bench.clock.sleep(1.0)
        assert hardware.pv.power_w == -10_000.0
        assert device.state(bench.clock.now()).power_w.value == -10_000.0
