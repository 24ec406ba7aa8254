"""The adapters against simulated hardware whose setpoints really lapse."""

from __future__ import annotations

import pytest

from contracts.errors import TransientError
from contracts.reading import Quality
from contracts.time import Clock
from depot_sim.faults import FaultKind
from depot_sim.modbus.listener import Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.drift import Drift
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky
from depot_sim.sunspec.battery import SunSpecBattery as BatteryHardware
from depot_sim.sunspec.inverter import SunSpecInverter as InverterHardware
from depot_sim.sunspec.meter import SunSpecMeter as MeterHardware
from site_agent.devices.leased import PATIENCE_S
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.sunspec.battery import SunSpecBattery
from site_agent.devices.sunspec.meter import SunSpecMeter
from site_agent.devices.sunspec.pv import SunSpecPv
from site_agent.domain.device import BatterySetpoint, BatterySpec, Lapse, PvSetpoint, PvSpec
from site_agent.ports import Wake
from support.device_bench import Bench
from support.stepping import stepping
from support.waiting import until

LEASE_S = 9
BATTERY = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=200e3, max_charge_w=90e3, max_discharge_w=100e3
)
PV = PvSpec(pv_id="pv1", node="pcc", rated_w=50e3)


@pytest.fixture
def battery(bench: Bench) -> BatteryHardware:
    state = Battery(capacity_wh=200e3, max_charge_w=90e3, max_discharge_w=100e3, soc_pct=61.5)
    return BatteryHardware(
        id="b1", listener=Listener(), battery=state, elapsed=bench.clock.monotonic
    )


def our_battery(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecBattery:
    return SunSpecBattery(link, 1, BATTERY, clock=clock, wake=wake, lease_s=LEASE_S)


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


@pytest.mark.row("trap:S8")
@pytest.mark.parametrize("power_w", [60_000.0, -80_000.0], ids=["charge", "discharge"])
async def test_a_battery_follows_and_is_measured(
    bench: Bench, battery: BatteryHardware, power_w: float
) -> None:
    async with (
        battery.serving() as address,
        stepping(bench.clock, battery),
        bench.running(address.port, our_battery) as device,
    ):
        await until(lambda: device.state(bench.clock.now()).soc_pct.quality is Quality.GOOD)
        await device.set_power(to(power_w))
        await until(lambda: device.state(bench.clock.now()).power_w.value == power_w)
        assert battery.battery.power_w == power_w
        assert device.state(bench.clock.now()).soc_pct.value == pytest.approx(61.5, abs=0.5)
        assert device.spec.lapse is Lapse.DEVICE
        begun_s = bench.clock.monotonic()
        while bench.clock.monotonic() < begun_s + 1.5 * LEASE_S:
            await device.set_power(to(power_w))
            assert battery.battery.power_w == power_w, "refreshed in time, every time"
            await bench.clock.sleep(1.0)
        assert device.obeys


async def test_a_battery_goes_idle_when_the_control_loop_falls_silent(
    bench: Bench, battery: BatteryHardware
) -> None:
    async with (
        battery.serving() as address,
        stepping(bench.clock, battery),
        bench.running(address.port, our_battery) as device,
    ):
        await device.set_power(to(60_000.0))
        silent_since_s = bench.clock.monotonic()
        await until(lambda: battery.battery.power_w == 60_000.0)
        await until(lambda: battery.battery.power_w == 0.0)
        silent_s = bench.clock.monotonic() - silent_since_s
        assert LEASE_S <= silent_s <= PATIENCE_S + LEASE_S + 2.0
        await until(lambda: device.state(bench.clock.now()).power_w.value == 0.0)
        await device.set_power(to(60_000.0))
        await until(lambda: battery.battery.power_w == 60_000.0)


async def test_a_battery_goes_idle_when_the_agent_dies(
    bench: Bench, battery: BatteryHardware
) -> None:
    async with battery.serving() as address, stepping(bench.clock, battery):
        async with bench.running(address.port, our_battery) as device:
            await device.set_power(to(60_000.0))
            await until(lambda: battery.battery.power_w == 60_000.0)
        dead_since_s = bench.clock.monotonic()
        await until(lambda: battery.battery.power_w == 0.0)
        assert bench.clock.monotonic() - dead_since_s <= LEASE_S + 1.0


async def test_a_silent_battery_is_an_error_and_comes_back(
    bench: Bench, battery: BatteryHardware
) -> None:
    async with (
        battery.serving() as address,
        stepping(bench.clock, battery),
        bench.running(address.port, our_battery) as device,
    ):
        await until(lambda: device.state(bench.clock.now()).online)
        battery.fail(FaultKind.OFFLINE, 20.0)
        with pytest.raises(TransientError):
            await device.set_power(to(60_000.0))
        await until(lambda: not device.state(bench.clock.now()).online)
        await until(lambda: device.state(bench.clock.now()).online)
        await device.set_power(to(60_000.0))
        await until(lambda: battery.battery.power_w == 60_000.0)


async def test_an_inverter_is_curtailed_released_and_freed_when_the_agent_dies(
    bench: Bench,
) -> None:
    pv = Pv(
        rated_w=50e3, sky=DriftingSky(clearness=0.8, swing=0.0, drift=Drift.seeded("sky", 300.0))
    )
    hardware = InverterHardware(id="pv1", listener=Listener(), pv=pv, elapsed=bench.clock.monotonic)

    def ours(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecPv:
        return SunSpecPv(link, 1, PV, clock=clock, wake=wake, lease_s=LEASE_S)

    def limit(limit_w: float | None) -> PvSetpoint:
        return PvSetpoint(pv_id="pv1", limit_w=limit_w, cause="test")

    async with hardware.serving() as address, stepping(bench.clock, hardware):
        async with bench.running(address.port, ours) as device:
            await until(lambda: device.state(bench.clock.now()).power_w.value == -40_000.0)
            await device.set_limit(limit(10_000.0))
            await until(lambda: device.state(bench.clock.now()).power_w.value == -10_000.0)
            assert device.spec.lapse is Lapse.DEVICE
            await device.set_limit(limit(None))
            await until(lambda: hardware.pv.power_w == -40_000.0)
            await device.set_limit(limit(20_000.0))
            await until(lambda: hardware.pv.power_w == -20_000.0)
        dead_since_s = bench.clock.monotonic()
        await until(lambda: hardware.pv.power_w == -40_000.0)
        assert bench.clock.monotonic() - dead_since_s <= LEASE_S + 1.0


async def test_a_meter_shows_the_plant_with_direction(bench: Bench) -> None:
    plant = Plant(phases_w=(41_230.0, -1_150.0, 60_010.0), import_wh=123_456.7)
    hardware = MeterHardware(
        id="pcc",
        listener=Listener(),
        rated_a=400,
        plant=lambda: plant,
        elapsed=bench.clock.monotonic,
    )

    def ours(link: RegisterLink, clock: Clock, wake: Wake) -> SunSpecMeter:
        return SunSpecMeter(link, 1, name="pcc", clock=clock, wake=wake)

    async with (
        hardware.serving() as address,
        bench.running(address.port, ours) as device,
    ):
        await until(
            lambda: device.state(bench.clock.now()).power_w.quality is Quality.GOOD,
        )
        state = device.state(bench.clock.now())
        assert state.power_w.value == pytest.approx(100_090, abs=50)
        currents = [reading.value for reading in state.current_a]
        assert currents == pytest.approx([179.3, -5.0, 260.9], abs=0.1)
        assert state.import_wh.value == 123_457
