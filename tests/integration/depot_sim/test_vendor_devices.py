"""Devices with registers of their makers, as pymodbus' client reads and writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from depot_sim.faults import FaultKind
from depot_sim.modbus.device import Bus
from depot_sim.modbus.listener import Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.drift import Drift
from depot_sim.physics.evse import Evse
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky
from depot_sim.physics.vehicle import Vehicle
from depot_sim.vendor.alfen import STATION_UNIT, AlfenCharger
from depot_sim.vendor.contacts import Contacts
from depot_sim.vendor.meters import Em540Meter, Sdm630Meter
from depot_sim.vendor.sungrow import CHARGE, DISCHARGE, SungrowBattery, SungrowInverter
from depot_sim.vendor.victron import SYSTEM_UNIT, VictronBattery
from support.foreign_modbus import client
from support.waiting import until

PLANT = Plant(
    phases_w=(41_230.0, -1_150.0, 60_010.0),
    phases_var=(0.0, 500.0, 0.0),
    import_wh=123_456.7,
    export_wh=890.0,
    frequency_hz=49.97,
)
TYPES = AsyncModbusTcpClient.DATATYPE


async def number(
    link: AsyncModbusTcpClient,
    address: int,
    kind: str,
    *,
    unit: int = 1,
    order: str = "big",
    table: str = "holding",
) -> float:
    datatype = TYPES[kind]
    ask = getattr(link, f"read_{table}_registers")
    reply = await ask(address, count=datatype.value[1], device_id=unit)
    assert not reply.isError(), reply
    word_order: Any = order
    value = link.convert_from_registers(reply.registers, datatype, word_order=word_order)
    assert isinstance(value, int | float)
    return float(value)


def cells() -> Battery:
    return Battery(capacity_wh=40_000, max_charge_w=10_000, max_discharge_w=10_000, soc_pct=61.5)


def roof() -> Pv:
    sky = DriftingSky(clearness=0.8, swing=0.0, drift=Drift.seeded("sky", 300.0))
    return Pv(rated_w=110_000, sky=sky)


async def test_em540(clock: Any) -> None:
    meter = Em540Meter(
        id="m", listener=Listener(), plant=lambda: PLANT, elapsed=clock.monotonic, clock=clock
    )
    async with meter.serving() as address, client(address) as link:

        async def read(at: int, kind: str = "INT32") -> float:
            return await number(link, at, kind, order="little", table="input")

        assert await read(11, "UINT16") == 1760
        assert await read(40) / 10 == pytest.approx(PLANT.power_w)
        assert [await read(at) / 10 for at in (18, 20, 22)] == list(PLANT.phases_w)
        assert await read(0) / 10 == 230
        assert await read(12) / 1000 == pytest.approx(PLANT.phases_a[0], abs=0.001)
        assert await read(51, "INT16") / 10 == 50.0
        assert await read(1340) / 1000 == 49.97
        assert await read(1280, "INT64") == pytest.approx(123_457, abs=1)
        meter.fail(FaultKind.SENTINEL, None)
        assert await read(40) == 0x7FFFFFFF
        meter.fail(FaultKind.SENTINEL, 0)
        meter.fail(FaultKind.SIGN_FLIPPED, None)
        assert await read(40) / 10 == pytest.approx(-PLANT.power_w)
        meter.fail(FaultKind.SIGN_FLIPPED, None, 3)
        assert await read(22) / 10 == -60_010
        assert await read(18) / 10 == 41_230
        meter.fail(FaultKind.SIGN_FLIPPED, 0)
        meter.fail(FaultKind.SCALED, None, 0.01)
        assert await read(40) / 10 == pytest.approx(PLANT.power_w / 100, abs=0.1)


async def test_sdm630(clock: Any) -> None:
    meter = Sdm630Meter(
        id="m", listener=Listener(), plant=lambda: PLANT, elapsed=clock.monotonic, clock=clock
    )
    async with meter.serving() as address, client(address) as link:

        async def read(at: int) -> float:
            return await number(link, at, "FLOAT32", table="input")

        assert await read(52) == pytest.approx(PLANT.power_w)
        assert await read(14) == pytest.approx(-1_150)
        assert await read(60) == pytest.approx(500)
        assert await read(70) == pytest.approx(49.97, abs=0.001)
        assert await read(72) == pytest.approx(123.4567, abs=0.001)
        refused = await link.read_holding_registers(52, count=2, device_id=1)
        assert refused.exception_code == 1


async def test_sungrow_battery_lets_go_without_its_heartbeat(clock: Any, stepping: Any) -> None:
    battery = SungrowBattery(
        id="b", listener=Listener(), battery=cells(), elapsed=clock.monotonic, clock=clock
    )
    async with battery.serving() as address, client(address) as link, stepping(battery):
        for at, value in ((13_079, 600), (13_051, 6_000), (13_050, CHARGE), (13_049, 3)):
            await link.write_register(at, value, device_id=1)
        await until(lambda: battery.battery.power_w == 6_000)
        assert await number(link, 13_000, "UINT16", table="input") == 2
        assert await number(link, 13_021, "UINT16", table="input") == 6_000
        soc = await number(link, 13_022, "UINT16", table="input")
        assert soc / 10 == pytest.approx(battery.battery.soc_pct, abs=0.2)
        await link.write_register(13_079, 10, device_id=1)
        await until(lambda: battery.battery.power_w == 0)
        assert await number(link, 13_049, "UINT16") == 0


async def test_sungrow_battery_forced_holds_for_ever(clock: Any, stepping: Any) -> None:
    battery = SungrowBattery(
        id="b", listener=Listener(), battery=cells(), elapsed=clock.monotonic, clock=clock
    )
    async with battery.serving() as address, client(address) as link, stepping(battery):
        await link.write_registers(13_049, [2, DISCHARGE, 4_000], device_id=1)
        await clock.sleep(20)
        assert battery.battery.power_w == -4_000
        battery.fail(FaultKind.KILL, None)
        await until(lambda: battery.battery.power_w == 0)
        battery.fail(FaultKind.KILL, 0)
        await clock.sleep(2)
        assert battery.battery.power_w == 0.0


async def test_victron_battery_has_two_units_and_holds_what_it_was_told(
    clock: Any, stepping: Any
) -> None:
    battery = VictronBattery(
        id="b",
        listener=Listener(unit_id=227),
        battery=cells(),
        elapsed=clock.monotonic,
        clock=clock,
    )
    async with battery.serving() as address, client(address) as link, stepping(battery):
        await link.write_register(37, 65_536 - 2_000, device_id=227)
        await link.write_registers(40, [65_536 - 1_000, 65_536 - 1_000], device_id=227)
        await until(lambda: battery.battery.power_w == -4_000)
        await clock.sleep(20)
        assert battery.battery.power_w == -4_000
        assert await number(link, 12, "INT16", unit=227) == pytest.approx(-133, abs=1)
        soc = await number(link, 843, "UINT16", unit=SYSTEM_UNIT)
        assert soc == pytest.approx(battery.battery.soc_pct, abs=1)


async def test_sungrow_inverter_keeps_its_limit(clock: Any, stepping: Any) -> None:
    inverter = SungrowInverter(
        id="pv", listener=Listener(), pv=roof(), elapsed=clock.monotonic, clock=clock
    )
    async with inverter.serving() as address, client(address) as link, stepping(inverter):
        await until(lambda: inverter.pv.power_w == -88_000)
        made = await number(link, 5_030, "UINT32", order="little", table="input")
        assert made == 88_000
        await link.write_registers(5_006, [0xAA, 250], device_id=1)
        await until(lambda: inverter.pv.power_w == -27_500)
        assert await number(link, 5_037, "UINT16", table="input") == 0x8100
        await clock.sleep(20)
        assert inverter.pv.power_w == -27_500
        inverter.fail(FaultKind.IGNORES_WRITES, None)
        await link.write_register(5_006, 0x55, device_id=1)
        assert await number(link, 5_006, "UINT16") == 0x55
        await clock.sleep(5)
        assert inverter.pv.power_w == -27_500


Alfen = Callable[..., AlfenCharger]


@pytest.fixture
def alfen(clock: Any) -> Alfen:
    def make(validity_s: float = 3600) -> AlfenCharger:
        return AlfenCharger(
            id="ac-1",
            listener=Listener(),
            evse=Evse(rated_a=32),
            validity_s=validity_s,
            safe_a=8,
            elapsed=clock.monotonic,
            clock=clock,
        )

    return make


def van() -> Vehicle:
    return Vehicle(id="van", id_tag="T", capacity_wh=60_000, soc_pct=40, max_ac_w=22_080)


async def set_a(link: AsyncModbusTcpClient, amperes: float) -> None:
    words = link.convert_to_registers(amperes, TYPES.FLOAT32)
    await link.write_registers(1210, words, device_id=1)


async def mode3(link: AsyncModbusTcpClient) -> str:
    reply = await link.read_holding_registers(1201, count=5, device_id=1)
    text = link.convert_from_registers(reply.registers, TYPES.STRING)
    assert isinstance(text, str)
    return text


async def test_alfen_charger(alfen: Alfen, stepping: Any) -> None:
    charger = alfen()
    async with charger.serving() as address, client(address) as link, stepping(charger):
        assert await mode3(link) == "A"
        name = await link.read_holding_registers(100, count=17, device_id=STATION_UNIT)
        assert link.convert_from_registers(name.registers, TYPES.STRING) == "ALF_1000"
        charger.plug(van())
        await set_a(link, 16.0)
        await until(lambda: charger.evse.power_w == pytest.approx(16 * 3 * 230))
        assert await mode3(link) == "C2"
        assert await number(link, 344, "FLOAT32") == pytest.approx(11_040)
        assert 1 <= await number(link, 1208, "UINT32") <= 3600
        await set_a(link, 0.0)
        await until(lambda: charger.evse.power_w == 0)
        assert await mode3(link) == "B1"
        assert await number(link, 374, "FLOAT64") > 0
        with pytest.raises(ValueError, match="taken by van"):
            charger.plug(van())
        assert charger.unplug() is not None
        assert charger.phases_w == (0.0, 0.0, 0.0)


async def test_alfen_charger_falls_back_to_its_safe_current(alfen: Alfen, stepping: Any) -> None:
    charger = alfen(validity_s=60)
    charger.plug(van())
    async with charger.serving() as address, client(address) as link, stepping(charger):
        await set_a(link, 0.0)
        assert charger.limit_a == 0
        await until(lambda: charger.limit_a == 8)
        await until(lambda: charger.evse.power_w == pytest.approx(8 * 3 * 230))
        assert await number(link, 1206, "FLOAT32") == 8
        assert await number(link, 1214, "UINT16") == 0


async def test_timers_that_are_late_or_never_end(alfen: Alfen, clock: Any) -> None:
    late, endless = alfen(validity_s=60), alfen(validity_s=60)
    begun_s = clock.monotonic()
    late.fail(FaultKind.LATE_TIMER, None)
    endless.fail(FaultKind.NO_REVERSION, None)
    for charger in (late, endless):
        async with charger.serving() as address, client(address) as link:
            await set_a(link, 16.0)
    await until(lambda: late.limit_a == 8)
    assert clock.monotonic() - begun_s >= 80
    assert endless.limit_a == 16


async def test_contacts(clock: Any) -> None:
    box = Contacts(id="io", listener=Listener(), count=8, elapsed=clock.monotonic, clock=clock)
    async with box.serving() as address, client(address) as link:
        box.put(2, closed=True)
        bits = await link.read_discrete_inputs(0, count=8, device_id=1)
        assert bits.bits[:8] == [False, False, True, False, False, False, False, False]
        assert await number(link, 0, "UINT16", table="input") == 4
        await link.write_coils(17, [True, False, True], device_id=1)
        assert box.outputs == [False, True, False, True, False, False]
        coils = await link.read_coils(16, count=6, device_id=1)
        assert coils.bits[:6] == box.outputs
        for refused in (
            await link.read_discrete_inputs(4, count=8, device_id=1),
            await link.write_coil(3, True, device_id=1),
            await link.read_input_registers(1, count=1, device_id=1),
        ):
            assert refused.exception_code == 2
        box.fail(FaultKind.FREEZE, None)
        box.put(2, closed=False)
        frozen = await link.read_discrete_inputs(0, count=3, device_id=1)
        assert frozen.bits[:3] == [False, False, True]


async def test_a_bus_of_different_devices(clock: Any) -> None:
    meter = Sdm630Meter(
        id="m", listener=Listener(unit_id=3), plant=lambda: PLANT, elapsed=clock.monotonic
    )
    battery = SungrowBattery(
        id="b", listener=Listener(unit_id=4), battery=cells(), elapsed=clock.monotonic
    )
    meter.fail(FaultKind.DROP, None)
    async with (
        Bus(Listener(), [meter, battery], clock).serving() as address,
        client(address, patience_s=0.3) as link,
    ):
        with pytest.raises(ModbusException):
            await number(link, 52, "FLOAT32", unit=3, table="input")
    async with (
        Bus(Listener(), [meter, battery], clock).serving() as address,
        client(address) as link,
    ):
        assert await number(link, 13_022, "UINT16", unit=4, table="input") == 615
