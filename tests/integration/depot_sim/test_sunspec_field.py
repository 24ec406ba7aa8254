"""SunSpec devices with the models and faults of the field, as two foreign clients see them."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from depot_sim.faults import FaultKind
from depot_sim.modbus.listener import Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.drift import Drift
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.sunspec.battery124 import SunSpecBattery124
from depot_sim.sunspec.inverter import SunSpecInverter
from depot_sim.sunspec.inverter700 import SunSpecInverter700
from depot_sim.sunspec.meter import SunSpecMeter
from support.foreign_modbus import client, model_at, scanned
from support.waiting import until

PLANT = Plant(
    phases_w=(41_230.0, -1_150.0, 60_010.0),
    import_wh=123_456.7,
    phases_v=(228.0, 231.0, 226.0),
    frequency_hz=49.91,
)


def meter(clock: Any, *, floats: bool = False) -> SunSpecMeter:
    return SunSpecMeter(
        id="pcc",
        listener=Listener(),
        rated_a=400,
        plant=lambda: PLANT,
        elapsed=clock.monotonic,
        floats=floats,
        clock=clock,
    )


def cells() -> Battery:
    return Battery(capacity_wh=40_000, max_charge_w=10_000, max_discharge_w=10_000, soc_pct=61.5)


def roof() -> Pv:
    drift = Drift.seeded("sky", 300.0)
    return Pv(rated_w=50_000, sky=DriftingSky(clearness=0.8, swing=0.0, drift=drift))


async def test_a_meter_in_floats(clock: Any) -> None:
    async with meter(clock, floats=True).serving() as address:
        device = await scanned(address)
    shown = device.models[213][0]
    assert shown.W.cvalue == pytest.approx(PLANT.power_w)
    assert shown.PhVphC.cvalue == 226.0
    assert shown.Hz.cvalue == pytest.approx(49.91)
    assert shown.TotWhImp.cvalue == pytest.approx(123_456.7, abs=0.01)


async def test_scale_factors_change_while_values_stay(clock: Any) -> None:
    pcc = meter(clock)
    async with pcc.serving() as address:
        before = await scanned(address)
        pcc.fail(FaultKind.SCALE_CHANGE, None)
        after = await scanned(address)
        pcc.fail(FaultKind.SCALE_CHANGE, 0)
        again = await scanned(address)
    first, second, third = (d.models[203][0] for d in (before, after, again))
    assert second.W_SF.value == first.W_SF.value + 1
    assert second.W.value == pytest.approx(first.W.value / 10, abs=1)
    assert second.W.cvalue == pytest.approx(PLANT.power_w, abs=500)
    assert third.W.value == first.W.value
    assert third.PhVphA.cvalue == 228.0


async def test_measured_values_are_lost_and_ratings_stay(clock: Any) -> None:
    inverter = SunSpecInverter(
        id="pv", listener=Listener(), pv=roof(), elapsed=clock.monotonic, strings=2, clock=clock
    )
    inverter.step(0.0, 1.0)
    async with inverter.serving() as address:
        device = await scanned(address)
        inverter.fail(FaultKind.SENTINEL, None)
        lost = await scanned(address)
    assert device.models[103][0].W.cvalue == 40_000
    assert [module.DCW.cvalue for module in device.models[160][0].module] == pytest.approx(
        [40_000 / 0.97 / 2] * 2, abs=2
    )
    assert lost.models[103][0].W.value is None
    assert lost.models[120][0].WRtg.cvalue == 50_000


async def test_a_model_grows_short_at_night_and_the_next_one_moves(clock: Any) -> None:
    inverter = SunSpecInverter700(
        id="pv",
        listener=Listener(),
        pv=roof(),
        elapsed=clock.monotonic,
        strings=3,
        heartbeat_s=60,
        clock=clock,
    )
    inverter.step(0.0, 1.0)
    async with inverter.serving() as address, client(address) as link:
        by_day = await scanned(address)
        day = await model_at(link, 714), await model_at(link, 715)
        inverter.fail(FaultKind.LENGTH_CHANGE, None)
        night = await model_at(link, 714), await model_at(link, 715)
        at_night = await scanned(address)
        await link.write_registers(night[1] + 5, [0, 77], device_id=1)
        heard = await link.read_holding_registers(night[1] + 5, count=2, device_id=1)
        inverter.fail(FaultKind.LENGTH_CHANGE, 0)
        heard_by_day = await link.read_holding_registers(day[1] + 5, count=2, device_id=1)
    assert by_day.models[714][0].L.value == 18 + 3 * 25
    assert at_night.models[714][0].L.value == 18
    assert at_night.models[714][0].NPrt.value == 0
    assert by_day.models[714][0].Prt[2].DCW.cvalue == pytest.approx(40_000 / 0.97 / 3, abs=5)
    assert day[0] == night[0]
    assert day[1] - night[1] == 75
    assert heard.registers == heard_by_day.registers == [0, 77]


async def test_rates_of_124_bound_and_force(clock: Any, stepping: Any) -> None:
    battery = SunSpecBattery124(
        id="b", listener=Listener(), battery=cells(), elapsed=clock.monotonic, clock=clock
    )
    async with battery.serving() as address, client(address) as link, stepping(battery):
        device = await scanned(address)
        assert [model.model_id for model in device.model_list] == [1, 103, 120, 124]
        assert device.models[124][0].ChaState.cvalue == 61.5
        rates = await model_at(link, 124)

        async def put(mode: int, out_pct: float, in_pct: float, timer_s: int) -> None:
            words = struct.unpack(">2H", struct.pack(">2h", int(out_pct * 100), int(in_pct * 100)))
            await link.write_registers(rates + 12, [*words, 0, timer_s], device_id=1)
            await link.write_register(rates + 5, mode, device_id=1)

        await put(0b11, -40.0, 40.0, 60)
        await until(lambda: battery.battery.power_w == 4_000)
        await until(lambda: battery.battery.power_w == 0)
        mode = await link.read_holding_registers(rates + 5, count=1, device_id=1)
        assert mode.registers == [0]
        await put(0b01, 100.0, -25.0, 0)
        await until(lambda: battery.battery.power_w == -2_500)
        await clock.sleep(20)
        assert battery.battery.power_w == -2_500


def lease(discharge_w: int, timer_s: int) -> list[int]:
    """704.WSetEna to WSetRvrtTms."""
    data = struct.pack(">HHiihhHI", 1, 1, discharge_w, 0, 0, 0, 0, timer_s)
    return list(struct.unpack(">11H", data))


def battery700(clock: Any, heartbeat_s: float | None = None) -> SunSpecBattery:
    return SunSpecBattery(
        id="b",
        listener=Listener(),
        battery=cells(),
        elapsed=clock.monotonic,
        heartbeat_s=heartbeat_s,
        clock=clock,
    )


@pytest.mark.parametrize(("model", "offset", "words"), [(715, 5, 2), (802, 19, 1)])
async def test_a_setpoint_ends_with_the_heartbeat(
    model: int, offset: int, words: int, clock: Any, stepping: Any
) -> None:
    battery = battery700(clock, heartbeat_s=60)
    async with battery.serving() as address, client(address) as link, stepping(battery):
        counter = await model_at(link, model) + offset
        controls = await model_at(link, 704)
        await link.write_registers(controls + 22, lease(5_000, 0), device_id=1)
        for beat in range(1, 4):
            await link.write_registers(counter, [0, beat][-words:], device_id=1)
            await clock.sleep(8)
        assert battery.battery.power_w == -5_000
        await until(lambda: battery.battery.power_w == 0)
        theirs = await link.read_holding_registers(await model_at(link, 802) + 18, count=1)
        assert theirs.registers[0] > 20


@pytest.mark.parametrize(("amount", "kept"), [(0, 1), (1, 0)])
async def test_writes_are_confirmed_and_ignored(
    amount: float, kept: int, clock: Any, stepping: Any
) -> None:
    battery = battery700(clock)
    battery.fail(FaultKind.IGNORES_WRITES, None, amount)
    async with battery.serving() as address, client(address) as link, stepping(battery):
        controls = await model_at(link, 704)
        reply = await link.write_registers(controls + 22, lease(5_000, 60), device_id=1)
        assert not reply.isError()
        enabled = await link.read_holding_registers(controls + 22, count=1, device_id=1)
        assert enabled.registers == [kept]
        await clock.sleep(5)
        assert battery.battery.power_w == 0.0


async def test_timers_a_third_late_and_never(clock: Any, stepping: Any) -> None:
    late, endless = battery700(clock), battery700(clock)
    late.fail(FaultKind.LATE_TIMER, None)
    endless.fail(FaultKind.NO_REVERSION, None)
    begun_s = clock.monotonic()
    async with stepping(late, endless):
        for battery in (late, endless):
            async with battery.serving() as address, client(address) as link:
                controls = await model_at(link, 704)
                await link.write_registers(controls + 22, lease(5_000, 60), device_id=1)
                await until(lambda battery=battery: battery.battery.power_w == -5_000)  # type: ignore[misc]
        await until(lambda: late.battery.power_w == 0)
        assert clock.monotonic() - begun_s >= 80
        assert endless.battery.power_w == -5_000


async def test_a_dead_device_is_gone_and_comes_back_without_its_setpoint(
    clock: Any, stepping: Any
) -> None:
    battery = battery700(clock)
    async with battery.serving() as address, stepping(battery):
        async with client(address) as link:
            controls = await model_at(link, 704)
            await link.write_registers(controls + 22, lease(5_000, 0), device_id=1)
            await until(lambda: battery.battery.power_w == -5_000)
            battery.fail(FaultKind.KILL, None)
            await until(lambda: battery.battery.power_w == 0)
            await until(lambda: not link.connected)
        battery.fail(FaultKind.KILL, 0)
        async with client(address) as link:
            enabled = await link.read_holding_registers(controls + 22, count=1, device_id=1)
            assert enabled.registers == [0]
        assert battery.battery.power_w == 0.0
