"""Natures over profiles, against simulated devices of four makers on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contracts.time import Clock
from depot_sim.faults import FaultKind
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.points.battery import PointBattery
from site_agent.devices.points.charger import PointCharger
from site_agent.devices.points.meter import PointMeter
from site_agent.devices.points.pv import PointPv
from site_agent.devices.profiles.library import find
from site_agent.devices.profiles.source import ProfileSource
from site_agent.devices.profiles.steered import source_of
from site_agent.domain.device import (
    BatterySetpoint,
    BatterySpec,
    ChargerSetpoint,
    ChargerSpec,
    Lapse,
    PvSetpoint,
    PvSpec,
)
from site_agent.ports import Device
from site_agent.store.memory import MemorySessions
from support.leaping_clock import leaping, leaping_clock
from support.modbus_link import linked
from support.vendor_yard import Yard, van
from support.waiting import until

CELLS = {"node": "pcc", "capacity_wh": 40_000.0, "max_charge_w": 1e4, "max_discharge_w": 1e4}


def the_clock() -> Clock:
    clock = leaping_clock()
    assert clock is not None
    return clock


def source(name: str, link: RegisterLink, clock: Clock) -> ProfileSource:
    return source_of(find(name), link, name=name, clock=clock, wake=lambda: None, fail_safe_a=6.0)


@asynccontextmanager
async def asking(device: Device, ask: object, clock: Clock) -> AsyncIterator[None]:
    """The device runs, and is asked for the same every second, as by the control loop."""

    async def loop() -> None:
        while True:
            await ask()  # type: ignore[operator]
            await clock.sleep(1.0)

    async with asyncio.TaskGroup() as tasks:
        runs = [tasks.create_task(device.run()), tasks.create_task(loop())]
        try:
            yield
        finally:
            for run in runs:
                run.cancel()


@leaping
async def test_a_meter_follows_the_true_sum() -> None:
    clock = the_clock()
    yard = Yard(clock)
    async with yard.serving(yard.meter) as (port,), linked(port, timeout_s=5.0) as link:
        meter = PointMeter(
            source("carlo-gavazzi.em540", link, clock),
            name="meter",
            clock=clock,
            wake=lambda: None,
        )
        async with asyncio.TaskGroup() as tasks:
            run = tasks.create_task(meter.run())
            await until(lambda: meter.state(clock.now()).power_w.value == pytest.approx(6000.0))
            yard.building_w = -3000.0
            await until(lambda: meter.state(clock.now()).power_w.value == pytest.approx(-3000.0))
            state = meter.state(clock.now())
            run.cancel()
    assert state.current_a[0].value == pytest.approx(-1000 / 230, abs=0.01)


@pytest.mark.row("trap:P5")
@leaping
async def test_a_sungrow_battery_obeys_and_is_free_within_its_time_when_we_die() -> None:
    clock = the_clock()
    yard = Yard(clock)
    battery_sim = yard.sungrow
    async with yard.serving(battery_sim) as (port,), linked(port, timeout_s=5.0) as link:
        spec = BatterySpec(battery_id="rack", lapse=Lapse.DEVICE, **CELLS)  # type: ignore[arg-type]
        battery = PointBattery(
            source("sungrow.sh", link, clock), spec, clock=clock, wake=lambda: None
        )

        async def ask() -> None:
            await battery.set_power(
                BatterySetpoint(battery_id="rack", power_w=-4000.0, cause="test")
            )

        async with asking(battery, ask, clock):
            await until(lambda: battery.state(clock.now()).power_w.value == -4000.0)
            state = battery.state(clock.now())
            assert state.online
            assert state.soc_pct.value == pytest.approx(60.0, abs=1.0)
            begun_s = clock.monotonic()
            await until(lambda: clock.monotonic() > begun_s + 150.0)
            assert battery_sim.battery.power_w == pytest.approx(-4000.0), "its heart beats"
            assert battery.obeys
        died_s = clock.monotonic()
        await until(lambda: battery_sim.battery.power_w == 0.0)
        assert clock.monotonic() - died_s <= 60.0 * 1.33 + 2.0


@leaping
async def test_a_victron_that_ignores_what_it_accepts_is_found_out() -> None:
    clock = the_clock()
    yard = Yard(clock)
    yard.victron.fail(FaultKind.IGNORES_WRITES, None)
    async with yard.serving(yard.victron) as (port,), linked(port, timeout_s=5.0) as link:
        spec = BatterySpec(battery_id="multi", lapse=Lapse.DEVICE, **CELLS)  # type: ignore[arg-type]
        battery = PointBattery(
            source("victron.multi", link, clock), spec, clock=clock, wake=lambda: None
        )
        assert battery.spec.lapse is Lapse.NONE

        async def ask() -> None:
            await battery.set_power(
                BatterySetpoint(battery_id="multi", power_w=6000.0, cause="test")
            )

        async with asking(battery, ask, clock):
            await until(lambda: not battery.obeys)
            yard.victron.fail(FaultKind.IGNORES_WRITES, 0.0)
            await battery.set_power(
                BatterySetpoint(battery_id="multi", power_w=6003.0, cause="test")
            )
            await until(lambda: battery.obeys)


@leaping
async def test_a_sungrow_inverter_is_curtailed_and_freed_when_the_loop_falls_silent() -> None:
    clock = the_clock()
    yard = Yard(clock)
    async with yard.serving(yard.roof) as (port,), linked(port, timeout_s=5.0) as link:
        spec = PvSpec(pv_id="roof", node="pcc", rated_w=30_000.0)
        roof = PointPv(source("sungrow.sg", link, clock), spec, clock=clock, wake=lambda: None)

        def made_w() -> float:
            return -(roof.state(clock.now()).power_w.value or 0.0)

        async with asyncio.TaskGroup() as tasks:
            run = tasks.create_task(roof.run())
            await until(lambda: roof.state(clock.now()).online)
            await until(lambda: made_w() > 10_000.0)
            await roof.set_limit(PvSetpoint(pv_id="roof", limit_w=3000.0, cause="test"))
            await until(lambda: made_w() == pytest.approx(3000.0, abs=30.0))
            assert roof.state(clock.now()).obeys
            await until(lambda: made_w() > 10_000.0)
            run.cancel()


@pytest.mark.row("truth:T3")
@leaping
async def test_an_alfen_charger_is_steered_and_falls_to_its_fail_safe_when_we_die() -> None:
    clock = the_clock()
    yard = Yard(clock)
    store = MemorySessions()
    async with yard.serving(yard.alfen) as (port,), linked(port, timeout_s=5.0) as link:
        charger = PointCharger(
            source("alfen.ng9xx", link, clock),
            ChargerSpec(evse_id="ac", node="pcc"),
            clock=clock,
            wake=lambda: None,
            sessions=store,
        )
        wanted_a = 10.0

        async def ask() -> None:
            await charger.set_limit(ChargerSetpoint(evse_id="ac", limit_a=wanted_a, cause="test"))

        async with asking(charger, ask, clock):
            await until(lambda: charger.state(clock.now()).online)
            assert charger.state(clock.now()).transaction_id is None
            yard.alfen.plug(van())
            await until(lambda: (charger.state(clock.now()).power_w.value or 0.0) > 6800.0)
            state = charger.state(clock.now())
            assert state.transaction_id is not None
            assert state.confirmed_limit_a == 10.0
            assert state.current_a.value == pytest.approx(10.0)
            wanted_a = 0.0
            await until(lambda: charger.state(clock.now()).power_w.value == 0.0)
            wanted_a = 16.0
            begun_s = clock.monotonic()
            await until(lambda: clock.monotonic() > begun_s + 100.0)
            assert yard.alfen.limit_a == 16.0, "told again before it lapses"
            assert (charger.state(clock.now()).energy_wh.value or 0.0) > 100.0
        died_s = clock.monotonic()
        await until(lambda: yard.alfen.limit_a == 6.0)
        assert clock.monotonic() - died_s <= 60.0 * 1.33 + 2.0
    (session,) = await store.sessions(clock.now().replace(year=2000), clock.now())
    assert session.evse_id == "ac"
