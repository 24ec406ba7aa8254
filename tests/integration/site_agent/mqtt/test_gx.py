"""Devices behind a simulated Victron GX, by their topic maps, at a broker that is not ours."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from contracts.errors import TransientError
from contracts.reading import Quality
from depot_sim.faults import FaultKind
from site_agent.devices.mqtt.device import TopicSource, make_source
from site_agent.devices.mqtt.library import load_map
from site_agent.devices.mqtt.topic_map import TopicMap
from site_agent.devices.points.battery import PointBattery
from site_agent.devices.points.meter import PointMeter
from site_agent.devices.points.pv import PointPv
from site_agent.domain.device import BatterySetpoint, BatterySpec, MeterState, PvSpec
from support.device_bench import Wakes
from support.fast_clock import FastClock
from support.mqtt import names
from support.mqtt_hardware import PORTAL, Elsewhere, Hardware, living, working
from support.waiting import until

SPEC = BatterySpec(
    battery_id="b1", node="pcc", capacity_wh=100e3, max_charge_w=50e3, max_discharge_w=60e3
)
INSTANCES = {"portal": PORTAL, "vebus": "276", "battery": "512"}
LAPSE_S = 60.0
SLACK_S = 40.0
"""Two real seconds, for a busy machine."""


@pytest.fixture
async def clock() -> FastClock:
    return FastClock(20.0)


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Elsewhere]:
    broker = Elsewhere(tmp_path)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(broker.server.run())
        async with asyncio.timeout(60):
            await broker.server.ready.wait()
        yield broker
        running.cancel()


@pytest.fixture
async def hardware(elsewhere: Elsewhere, clock: FastClock) -> AsyncIterator[Hardware]:
    async with living(Hardware(elsewhere.of_devices, clock, PORTAL)) as hardware:
        yield hardware


def impatient(topic_map: TopicMap, within_s: float) -> TopicMap:
    """The same, but not waiting long for a confirmation."""
    control = topic_map.controls["power"]
    confirm = control.confirm.model_copy(update={"within_s": within_s})
    return topic_map.model_copy(
        update={"controls": {"power": control.model_copy(update={"confirm": confirm})}}
    )


def source(elsewhere: Elsewhere, clock: FastClock, topic_map: TopicMap, **more: str) -> TopicSource:
    known = {name: (INSTANCES | more)[name] for name in topic_map.names}
    return make_source(
        elsewhere.address, topic_map, names("x", **known), name=topic_map.id, clock=clock
    )


def battery(elsewhere: Elsewhere, clock: FastClock, within_s: float = 20.0) -> PointBattery:
    topic_map = impatient(load_map("victron.gx-battery"), within_s)
    wire = source(elsewhere, clock, topic_map)
    return PointBattery(wire, SPEC, clock=clock, wake=Wakes())


def meter(elsewhere: Elsewhere, clock: FastClock) -> PointMeter:
    wire = source(elsewhere, clock, load_map("victron.gx-meter"), instance="30")
    return PointMeter(wire, name="meter", clock=clock, wake=Wakes())


def to(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


def known(state: MeterState) -> bool:
    """Whether every reading has come; a GX says each by itself."""
    return all(one.value is not None for one in (*state.current_a, state.import_wh))


async def held(device: PointBattery, power_w: float, clock: FastClock, for_s: float) -> None:
    """As the control loop: again and again, whatever it answers."""
    ends_s = clock.monotonic() + for_s
    while clock.monotonic() < ends_s:
        with suppress(TransientError):
            await device.set_power(to(power_w))
        await clock.sleep(1.0)


@pytest.mark.row("trap:Q6")
@pytest.mark.row("trap:Q3")
async def test_it_follows_for_longer_than_its_timers(
    elsewhere: Elsewhere, clock: FastClock, hardware: Hardware
) -> None:
    """Keep-alives keep it talking (60 s) and refreshes keep the setpoint (60 s)."""
    device = battery(elsewhere, clock)
    async with working(device):
        await until(lambda: device.state(clock.now()).online)
        await device.set_power(to(-40_000.0))
        await until(lambda: hardware.battery.battery.power_w == -40_000.0)
        await held(device, -40_000.0, clock, for_s=1.1 * LAPSE_S)
        assert hardware.battery.battery.power_w == -40_000.0
        await until(lambda: device.state(clock.now()).online)
        assert device.state(clock.now()).soc_pct.value == pytest.approx(50, abs=3)
        assert device.obeys
    dead_since_s = clock.monotonic()
    await until(lambda: hardware.battery.battery.power_w == 0.0)
    assert clock.monotonic() - dead_since_s <= LAPSE_S + SLACK_S


@pytest.mark.row("trap:Q6")
async def test_what_a_keep_alive_is_for(
    elsewhere: Elsewhere, clock: FastClock, hardware: Hardware
) -> None:
    """A device that only speaks while it is kept alive, and of what changes."""
    whole = load_map("victron.gx-meter")
    kept = whole.model_copy(update={"requests": whole.requests[:1]})
    listening = source(elsewhere, clock, whole.model_copy(update={"requests": ()}), instance="30")
    speaking = source(elsewhere, clock, kept, instance="30")

    async def restless() -> None:
        while True:
            hardware.building_w += 100.0
            await clock.sleep(0.5)

    async with asyncio.TaskGroup() as tasks:
        changing = tasks.create_task(restless())
        async with working(listening):
            await clock.sleep(5.0)
            assert not listening.answers
            async with working(speaking):
                await until(lambda: listening.answers)
                await clock.sleep(1.1 * LAPSE_S)
                await until(lambda: listening.answers)
            await clock.sleep(1.1 * LAPSE_S)
            assert not listening.answers
        changing.cancel()


@pytest.mark.row("trap:Q3")
async def test_a_setpoint_that_is_not_shown_is_not_confirmed(
    elsewhere: Elsewhere, clock: FastClock, hardware: Hardware
) -> None:
    device = battery(elsewhere, clock, within_s=0.5)
    async with working(device):
        await until(lambda: device.state(clock.now()).online)
        hardware.battery.fail(FaultKind.REFUSES, None)
        with pytest.raises(TransientError, match="does not show"):
            await device.set_power(to(1_000.0))
        hardware.battery.fail(FaultKind.REFUSES, 0)
        await held(device, 1_000.0, clock, for_s=20.0)
        assert hardware.battery.battery.power_w == 1_000.0


@pytest.mark.row("trap:Q3")
async def test_a_late_confirmation_counts_for_the_next_try(
    elsewhere: Elsewhere, clock: FastClock, hardware: Hardware
) -> None:
    device = battery(elsewhere, clock, within_s=0.3)
    async with working(device):
        await until(lambda: device.state(clock.now()).online)
        hardware.battery.fail(FaultKind.UNRESPONSIVE, None)
        with pytest.raises(TransientError):
            await device.set_power(to(1_000.0))
        hardware.battery.fail(FaultKind.UNRESPONSIVE, 0)
        hardware.battery.fail(FaultKind.LATE, None, 2.0)
        await held(device, 2_000.0, clock, for_s=60.0)
        assert hardware.battery.battery.power_w == 2_000.0


async def test_accepted_but_ignored_is_disobedience(
    elsewhere: Elsewhere, clock: FastClock, hardware: Hardware
) -> None:
    device = battery(elsewhere, clock)
    async with working(device):
        await until(lambda: device.state(clock.now()).online)
        hardware.battery.fail(FaultKind.IGNORES_WRITES, None, 0)
        await device.set_power(to(30_000.0))
        while device.obeys:
            await device.set_power(to(30_000.0))
            await clock.sleep(1.0)
        assert hardware.battery.battery.power_w == 0.0


async def test_the_meter_and_the_roof(
    elsewhere: Elsewhere, clock: FastClock, hardware: Hardware
) -> None:
    ours = meter(elsewhere, clock)
    wire = source(elsewhere, clock, load_map("victron.gx-pv"), instance="20")
    roof = PointPv(wire, PvSpec(pv_id="roof", node="pcc", rated_w=20e3), clock=clock, wake=Wakes())
    async with working(ours, roof):
        await until(lambda: roof.state(clock.now()).online)
        assert roof.state(clock.now()).power_w.value == -10_000.0
        assert not roof.state(clock.now()).takes_limits
        await until(lambda: ours.state(clock.now()).power_w.value == -3_100.0)
        await until(lambda: known(ours.state(clock.now())))
        currents = [one.value for one in ours.state(clock.now()).current_a]
        assert currents == pytest.approx([-3100 / 690] * 3, abs=0.01)
        hardware.meter.fail(FaultKind.OFFLINE, None)
        await until(lambda: ours.state(clock.now()).power_w.quality is Quality.STALE)
        hardware.meter.fail(FaultKind.OFFLINE, 0)
        await until(lambda: ours.state(clock.now()).power_w.quality is Quality.GOOD)


@pytest.mark.row("trap:Q2")
async def test_a_killed_broker_comes_back_and_so_does_everyone(
    elsewhere: Elsewhere, clock: FastClock, hardware: Hardware
) -> None:
    device, ours = battery(elsewhere, clock), meter(elsewhere, clock)
    async with working(device, ours):
        await until(lambda: device.state(clock.now()).online)
        await until(lambda: ours.state(clock.now()).power_w.quality is Quality.GOOD)
        pid = elsewhere.server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not device.state(clock.now()).online)
        await until(lambda: ours.state(clock.now()).power_w.quality is not Quality.GOOD)
        with pytest.raises(TransientError):
            await device.set_power(to(1000.0))
        await until(lambda: device.state(clock.now()).online)
        await until(lambda: ours.state(clock.now()).power_w.quality is Quality.GOOD)
        while hardware.battery.battery.power_w != 1000.0:
            await held(device, 1000.0, clock, for_s=2.0)
