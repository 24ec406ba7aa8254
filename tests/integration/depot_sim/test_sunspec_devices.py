"""The SunSpec devices as two foreign clients see them: pysunspec2's own, and pymodbus'."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from pymodbus.exceptions import ModbusIOException

from contracts.errors import ConfigError
from depot_sim.faults import FaultKind
from depot_sim.modbus.listener import Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.drift import Drift
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.sunspec.inverter import SunSpecInverter
from depot_sim.sunspec.meter import SunSpecMeter
from support.foreign_modbus import client, model_at, scanned


@pytest.fixture
def battery(clock: Any) -> SunSpecBattery:
    state = Battery(capacity_wh=200_000, max_charge_w=90_000, max_discharge_w=100_000, soc_pct=61.5)
    return SunSpecBattery(id="bess", listener=Listener(), battery=state, elapsed=clock.monotonic)


@pytest.fixture
def inverter(clock: Any) -> SunSpecInverter:
    pv = Pv(
        rated_w=50_000, sky=DriftingSky(clearness=0.8, swing=0.0, drift=Drift.seeded("sky", 300.0))
    )
    return SunSpecInverter(id="pv", listener=Listener(), pv=pv, elapsed=clock.monotonic)


def meter_of(plant: Plant, clock: Any) -> SunSpecMeter:
    return SunSpecMeter(
        id="pcc", listener=Listener(), rated_a=400, plant=lambda: plant, elapsed=clock.monotonic
    )


async def test_meter_decodes_to_the_plant(clock: Any) -> None:
    plant = Plant(phases_w=(41_230.0, -1_150.0, 60_010.0), import_wh=123_456.7, export_wh=89.0)
    async with meter_of(plant, clock).serving() as address:
        device = await scanned(address)
    assert [model.model_id for model in device.model_list] == [1, 203]
    meter = device.ac_meter_abcn[0]
    assert meter.W.cvalue == pytest.approx(plant.power_w, abs=50)
    assert meter.WphB.cvalue == pytest.approx(-1_150, abs=50)
    assert meter.AphC.cvalue == pytest.approx(60_010 / 230, abs=0.1)
    assert meter.AphB.cvalue == pytest.approx(5.0, abs=0.1)
    assert meter.PhVphA.cvalue == 230
    assert meter.Hz.cvalue == 50
    assert meter.TotWhImp.cvalue == 123_457
    assert meter.TotWhExp.cvalue == 89
    assert meter.TotVAhExp.cvalue is None
    assert device.common[0].SN.value == "pcc"


async def test_battery_decodes_with_generation_positive(battery: SunSpecBattery) -> None:
    battery.battery = battery.battery.step(3600.0, setpoint_w=-50_000)
    async with battery.serving() as address:
        device = await scanned(address)
    assert [model.model_id for model in device.model_list] == [1, 701, 702, 704, 713, 802]
    measured = device.DERMeasureAC[0]
    assert measured.W.cvalue == 50_000
    assert measured.WL2.cvalue == pytest.approx(16_667, abs=5)
    assert measured.TotWhInj.cvalue == 50_000
    assert device.DERCapacity[0].WChaRteMaxRtg.cvalue == 90_000
    assert device.DERCapacity[0].WDisChaRteMaxRtg.cvalue == 100_000
    soc_pct = battery.battery.soc_pct
    assert device.DERStorageCapacity[0].SoC.cvalue == pytest.approx(soc_pct, abs=0.05)
    assert device.DERStorageCapacity[0].WHRtg.cvalue == 200_000
    assert device.battery[0].SoC.cvalue == pytest.approx(soc_pct, abs=0.05)
    assert device.battery[0].ChaSt.value == 3


async def test_inverter_decodes_with_generation_positive(inverter: SunSpecInverter) -> None:
    inverter.step(0.0, 1.0)
    async with inverter.serving() as address:
        device = await scanned(address)
    assert [model.model_id for model in device.model_list] == [1, 103, 120, 121, 123]
    assert device.models[103][0].W.cvalue == 40_000
    assert device.models[103][0].St.value == 4
    assert device.models[120][0].WRtg.cvalue == 50_000
    assert device.models[121][0].WMax.cvalue == 50_000
    assert device.models[123][0].WMaxLim_Ena.value == 0


def setpoint(discharge_w: int, timer_s: int, *, after_w: int = 0, after_on: int = 0) -> list[int]:
    """One FC16 of 11 registers: WSetEna, WSetMod, WSet, WSetRvrt, pct x2, EnaRvrt, RvrtTms."""
    data = struct.pack(">HHiihhHI", 1, 1, discharge_w, after_w, 0, 0, after_on, timer_s)
    return list(struct.unpack(">11H", data))


async def test_setpoint_lapses_by_itself(
    battery: SunSpecBattery, clock: Any, stepping: Any
) -> None:
    async with battery.serving() as address, client(address) as link, stepping(battery):
        controls = await model_at(link, 704)
        begun_s = clock.monotonic()
        await link.write_registers(controls + 22, setpoint(-60_000, 20), device_id=1)
        await clock.sleep(1)
        assert battery.battery.power_w == 60_000  # asked to absorb, so it charges
        await clock.sleep(12)
        await link.write_registers(controls + 22, setpoint(80_000, 20), device_id=1)
        await clock.sleep(12)
        assert clock.monotonic() - begun_s > 20
        assert battery.battery.power_w == -80_000  # the second write began the timer afresh
        remaining = await link.read_holding_registers(controls + 33, count=2, device_id=1)
        assert 1 <= remaining.registers[1] <= 8
        await clock.sleep(10)
        assert battery.battery.power_w == 0.0
        enabled = await link.read_holding_registers(controls + 22, count=1, device_id=1)
        assert enabled.registers == [0]


async def test_setpoint_reverts_to_the_chosen_value(
    battery: SunSpecBattery, clock: Any, stepping: Any
) -> None:
    async with battery.serving() as address, client(address) as link, stepping(battery):
        controls = await model_at(link, 704)
        lease = setpoint(50_000, 5, after_w=-7_000, after_on=1)
        await link.write_registers(controls + 22, lease, device_id=1)
        await clock.sleep(1)
        assert battery.battery.power_w == -50_000
        await clock.sleep(6)
        assert battery.battery.power_w == 7_000


async def test_a_setpoint_without_timer_stays(
    battery: SunSpecBattery, clock: Any, stepping: Any
) -> None:
    async with battery.serving() as address, client(address) as link, stepping(battery):
        controls = await model_at(link, 704)
        await link.write_registers(controls + 22, setpoint(5_000, 0), device_id=1)
        await clock.sleep(20)
        assert battery.battery.power_w == -5_000
        await link.write_registers(controls + 22, [0], device_id=1)
        await clock.sleep(1)
        assert battery.battery.power_w == 0.0


async def test_curtailment_lapses_by_itself(
    inverter: SunSpecInverter, clock: Any, stepping: Any
) -> None:
    async with inverter.serving() as address, client(address) as link, stepping(inverter):
        controls = await model_at(link, 123)
        limit = [200, 0, 10, 0, 1]  # 20.0 %, WinTms, RvrtTms, RmpTms, Ena
        await link.write_registers(controls + 5, limit, device_id=1)
        await clock.sleep(1)
        assert inverter.pv.power_w == -10_000
        state = await link.read_holding_registers(
            await model_at(link, 103) + 38, count=1, device_id=1
        )
        assert state.registers == [5]
        await clock.sleep(11)
        assert inverter.pv.power_w == -40_000
        enabled = await link.read_holding_registers(controls + 9, count=1, device_id=1)
        assert enabled.registers == [0]
        await link.write_registers(controls + 4, [0], device_id=1)
        await clock.sleep(1)
        assert inverter.pv.power_w == 0.0


async def test_read_only_points_cannot_be_written(battery: SunSpecBattery) -> None:
    async with battery.serving() as address, client(address) as link:
        soc = await model_at(link, 713) + 4
        reply = await link.write_registers(soc, [1000], device_id=1)
        assert reply.exception_code == 2
        beyond = await link.read_holding_registers(60_000, count=1, device_id=1)
        assert beyond.exception_code == 2
        coils = await link.read_coils(40_000, count=1, device_id=1)
        assert coils.isError()


async def test_frozen_meter_answers_with_the_past(clock: Any) -> None:
    plant = Plant(phases_w=(10_000.0, 10_000.0, 10_000.0))
    meter = SunSpecMeter(
        id="pcc", listener=Listener(), rated_a=100, plant=lambda: plant, elapsed=clock.monotonic
    )
    async with meter.serving() as address, client(address) as link:
        power = await model_at(link, 203) + 18

        async def read() -> int:
            reply = await link.read_holding_registers(power, count=1, device_id=1)
            return reply.registers[0] * 10

        assert await read() == 30_000
        meter.fail(FaultKind.FREEZE, 10)
        plant = Plant()
        assert await read() == 30_000
        await clock.sleep(11)
        assert await read() == 0


async def test_offline_meter_never_answers_and_comes_back(clock: Any) -> None:
    meter = meter_of(Plant(), clock)
    async with meter.serving() as address:
        meter.fail(FaultKind.OFFLINE, 10)
        async with client(address, patience_s=0.2) as link:
            with pytest.raises(ModbusIOException):
                await link.read_holding_registers(40_000, count=2, device_id=1)
        await clock.sleep(10)
        device = await scanned(address)
    assert len(device.model_list) == 2


async def test_a_device_knows_its_faults(battery: SunSpecBattery) -> None:
    with pytest.raises(ValueError, match="no fault outage here; known: busy, cut, "):
        battery.fail(FaultKind.OUTAGE, 1)


async def test_a_taken_port_is_an_error(battery: SunSpecBattery, clock: Any) -> None:
    async with battery.serving() as address:
        second = SunSpecMeter(
            id="pcc",
            listener=Listener(port=address.port),
            rated_a=100,
            plant=Plant,
            elapsed=clock.monotonic,
        )
        with pytest.raises(ConfigError, match="listen"):
            async with second.serving():
                pass
