"""Our MQTT battery with simulated hardware, whose commands really lapse."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contracts.clock import SystemClock
from contracts.errors import TransientError
from contracts.reading import Quality
from depot_sim.faults import FaultKind
from depot_sim.mqtt.battery import MqttBattery as Hardware
from depot_sim.mqtt.device import Broker
from depot_sim.physics.battery import Battery
from site_agent.devices.leased import PATIENCE_S
from site_agent.devices.mqtt.broker import SiteBroker
from site_agent.devices.mqtt.device import TopicDevice
from site_agent.devices.points.battery import PointBattery
from site_agent.domain.device import BatterySetpoint, BatterySpec
from support.device_bench import Wakes
from support.fast_clock import FastClock
from support.mqtt import OWN, names
from support.waiting import until

CLOCK = SystemClock()
LEASE_S = 6.0
SPEC = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=100e3, max_charge_w=50e3, max_discharge_w=60e3
)


@pytest.fixture
async def clock() -> FastClock:
    return FastClock(10.0)


@pytest.fixture
async def hardware(broker: SiteBroker, clock: FastClock) -> AsyncIterator[Hardware]:
    battery = Hardware(
        id="b1",
        site_id="d1",
        broker=Broker(host="127.0.0.1", port=broker.port, username="b1", password="one"),
        battery=Battery(capacity_wh=100e3, max_charge_w=50e3, max_discharge_w=60e3, soc_pct=50),
        clock=clock,
        elapsed=clock.monotonic,
    )

    async def step() -> None:
        last_s = clock.monotonic()
        while True:
            await clock.sleep(0.2)
            now_s = clock.monotonic()
            battery.step(now_s, now_s - last_s)
            last_s = now_s

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(battery.run()), tasks.create_task(step())]
        yield battery
        for task in running:
            task.cancel()


@asynccontextmanager
async def ours(broker: SiteBroker, clock: FastClock) -> AsyncIterator[PointBattery]:
    wire = TopicDevice(
        broker.address, OWN, names("b1"), name="b1", clock=clock, valid_for_s=LEASE_S
    )
    device = PointBattery(wire, SPEC, clock=clock, wake=Wakes())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(device.run())
        try:
            yield device
        finally:
            running.cancel()


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


async def persistently(device: PointBattery, setpoint: BatterySetpoint) -> None:
    """As the control loop: again after every transient error (the retained state came first)."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await device.set_power(setpoint)
            except TransientError:
                await CLOCK.sleep(0.1)


async def test_it_follows_and_is_refreshed(
    broker: SiteBroker, clock: FastClock, hardware: Hardware
) -> None:
    async with ours(broker, clock) as device:
        await until(lambda: device.state(clock.now()).online)
        await device.set_power(to(-40_000.0))
        await until(lambda: device.state(clock.now()).power_w.value == -40_000.0)
        assert device.state(clock.now()).soc_pct.value == pytest.approx(50, abs=1)
        begun_s = clock.monotonic()
        while clock.monotonic() < begun_s + 1.5 * LEASE_S:
            await device.set_power(to(-40_000.0))
            assert hardware.battery.power_w == -40_000.0
            await clock.sleep(1.0)
        assert device.obeys


async def test_it_goes_idle_when_the_control_loop_falls_silent(
    broker: SiteBroker, clock: FastClock, hardware: Hardware
) -> None:
    async with ours(broker, clock) as device:
        await until(lambda: device.state(clock.now()).online)
        await device.set_power(to(40_000.0))
        silent_since_s = clock.monotonic()
        await until(lambda: hardware.battery.power_w == 40_000.0)
        await until(lambda: hardware.battery.power_w == 0.0)
        assert clock.monotonic() - silent_since_s <= PATIENCE_S + LEASE_S + 2.0


async def test_it_goes_idle_when_the_agent_dies(
    broker: SiteBroker, clock: FastClock, hardware: Hardware
) -> None:
    async with ours(broker, clock) as device:
        await until(lambda: device.state(clock.now()).online)
        await device.set_power(to(40_000.0))
        await until(lambda: hardware.battery.power_w == 40_000.0)
    dead_since_s = clock.monotonic()
    await until(lambda: hardware.battery.power_w == 0.0)
    assert clock.monotonic() - dead_since_s <= LEASE_S + 1.0


async def test_its_last_will_takes_it_offline_at_once(
    broker: SiteBroker, clock: FastClock, hardware: Hardware
) -> None:
    async with ours(broker, clock) as device:
        await until(lambda: device.state(clock.now()).online)
        hardware.fail(FaultKind.DROP, 10.0)
        await until(lambda: not device.state(clock.now()).online)
        assert device.state(clock.now()).power_w.quality is Quality.OFFLINE
        with pytest.raises(TransientError, match="not online"):
            await device.set_power(to(1000.0))
        await until(lambda: device.state(clock.now()).online)
        await persistently(device, to(1000.0))


async def test_a_killed_broker_comes_back_and_so_does_everyone(
    broker: SiteBroker, clock: FastClock, hardware: Hardware
) -> None:
    async with ours(broker, clock) as device:
        await until(lambda: device.state(clock.now()).online)
        pid = broker._server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not device.state(clock.now()).online)
        with pytest.raises(TransientError):
            await device.set_power(to(1000.0))
        await until(lambda: device.state(clock.now()).online)
        await persistently(device, to(1000.0))
        await until(lambda: hardware.battery.power_w == 1000.0)
