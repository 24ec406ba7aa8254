"""Our Modbus server as pymodbus' clients and the agent's own link meet it: right, and wrong."""

from __future__ import annotations

import asyncio
import os
import select
import struct
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType

from contracts.errors import ConfigError, TransientError
from depot_sim.faults import FaultKind
from depot_sim.modbus.device import Bus, ModbusDevice
from depot_sim.modbus.framing import Framing
from depot_sim.modbus.listener import Address, Listener
from depot_sim.modbus.pdu import Table
from site_agent.devices.modbus import link as agent
from support import foreign_modbus
from support.fast_clock import FastClock
from support.modbus_link import linked
from support.waiting import PATIENCE_S


class Echo(ModbusDevice):
    """Every register holds its own address and, in the upper byte, the number of its unit."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(id="echo", listener=listener, elapsed=time.monotonic)
        self.written: list[tuple[Table, int, list[int]]] = []

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        del table
        high = self.listener.unit_id << 8
        return [high | at & 0xFF for at in range(address, address + count)]

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        self.written.append((table, address, list(values)))


def client(
    address: Address, framing: Framing = Framing.TCP, timeout_s: float = 5.0
) -> AbstractAsyncContextManager[AsyncModbusTcpClient]:
    framer = FramerType.RTU if framing is Framing.RTU else FramerType.SOCKET
    return foreign_modbus.client(address, patience_s=timeout_s, framer=framer)


async def ask(link: Any, address: int = 1, unit: int = 1) -> list[int]:
    reply = await link.read_holding_registers(address, count=1, device_id=unit)
    assert not reply.isError(), reply
    registers: list[int] = reply.registers
    return registers


@pytest.mark.parametrize("framing", Framing)
async def test_every_function_by_a_foreign_client(framing: Framing) -> None:
    device = Echo(Listener(framing=framing))
    async with device.serving() as address, client(address, framing) as link:
        assert await ask(link, 3) == [0x0103]
        inputs = await link.read_input_registers(4, count=125, device_id=1)
        assert len(inputs.registers) == 125
        coils = await link.read_coils(0, count=3, device_id=1)
        assert coils.bits[:3] == [True, True, True]
        contacts = await link.read_discrete_inputs(0, count=11, device_id=1)
        assert all(contacts.bits[:11])
        await link.write_register(7, 1234, device_id=1)
        await link.write_registers(8, [1, 2], device_id=1)
        await link.write_coil(9, True, device_id=1)
        await link.write_coils(10, [True, False, True], device_id=1)
        both = await link.readwrite_registers(
            read_address=1, read_count=2, write_address=5, values=[9], device_id=1
        )
        assert both.registers == [0x0101, 0x0102]
    assert device.written == [
        (Table.HOLDING, 7, [1234]),
        (Table.HOLDING, 8, [1, 2]),
        (Table.COILS, 9, [1]),
        (Table.COILS, 10, [1, 0, 1]),
        (Table.HOLDING, 5, [9]),
    ]


async def test_several_units_share_a_bus_and_one_of_them_is_dead() -> None:
    devices = [Echo(Listener(unit_id=number)) for number in (3, 4, 5)]
    bus = Bus(Listener(framing=Framing.RTU), devices)
    devices[1].fail(FaultKind.OFFLINE, None)
    async with bus.serving() as address:
        async with client(address, Framing.RTU) as link:
            assert await ask(link, unit=3) == [0x0301]
            assert await ask(link, unit=5) == [0x0501]
        async with client(address, Framing.RTU, timeout_s=0.2) as link:
            for absent in (4, 6):
                with pytest.raises(ModbusException):
                    await ask(link, unit=absent)
        devices[1].fail(FaultKind.OFFLINE, 0)
        async with client(address, Framing.RTU) as link:
            assert await ask(link, unit=4) == [0x0401]


async def test_two_units_of_one_number_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match="one number"):
        Bus(Listener(), [Echo(Listener()), Echo(Listener())])


async def test_a_unit_that_is_not_there_on_tcp() -> None:
    async with Echo(Listener()).serving() as address, client(address) as link:
        reply = await link.read_holding_registers(1, count=1, device_id=9)
        assert reply.exception_code == 0x0B
        assert await ask(link, unit=0) == [0x0101]


async def test_on_a_serial_line(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    near = os.ttyname(theirs)
    far_side, path = os.openpty()
    pump = asyncio.to_thread(_pump, ours, far_side)
    device = Echo(Listener(serial=Path(near)))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pump)
        async with device.serving() as address:
            assert address == (near, 0)
            link = AsyncModbusSerialClient(os.ttyname(path), timeout=2, retries=0)
            assert await link.connect()
            assert await ask(link, 2) == [0x0102]
            device.fail(FaultKind.CUT, None)
            with pytest.raises(ModbusException):
                await ask(link)
            device.fail(FaultKind.CUT, 0)
            link.close()
            assert await link.connect()
            assert await ask(link, 3) == [0x0103]
            link.close()
        os.write(theirs, _STOP)
    for line in (ours, theirs, far_side, path):
        os.close(line)
    (tmp_path / "file").touch()
    for wrong in ("none", "file"):
        with pytest.raises(ConfigError, match=wrong):
            async with Echo(Listener(serial=tmp_path / wrong)).serving():
                pass


_STOP = b"\xffstop"


def _pump(one: int, other: int) -> None:
    """Two ptys as one cable, until the near side says stop."""
    while True:
        for source in select.select([one, other], [], [])[0]:
            data = os.read(source, 4096)
            if data.endswith(_STOP):
                return
            os.write(other if source == one else one, data)


@pytest.mark.parametrize("framing", Framing)
async def test_a_late_answer_never_becomes_that_of_another_question(framing: Framing) -> None:
    device = Echo(Listener(framing=framing))
    async with device.serving() as address:
        device.fail(FaultKind.LATE, None, 0.3)
        framed = agent.Framing(framing)
        async with linked(address.port, framed, timeout_s=0.1, clock=FastClock(60.0)) as link:
            with pytest.raises(TransientError):
                await link.read_holding(1, 10, 1)
            device.fail(FaultKind.LATE, 0)
            async with asyncio.timeout(PATIENCE_S):
                while (got := await _asked(link, 11)) is None:  # noqa: ASYNC110 (a rest has no event)
                    await asyncio.sleep(0.01)
            assert got == (0x010B,)


async def _asked(link: agent.RegisterLink, address: int) -> tuple[int, ...] | None:
    try:
        return await link.read_holding(1, address, 1)
    except TransientError:
        return None


async def test_late_is_late_and_still_the_right_answer() -> None:
    device = Echo(Listener())
    async with device.serving() as address, client(address) as link:
        device.fail(FaultKind.LATE, None, 0.2)
        begun_s = time.monotonic()
        assert await ask(link, 5) == [0x0105]
        assert time.monotonic() - begun_s >= 0.2


async def test_what_lines_do_wrong() -> None:
    device = Echo(Listener())
    async with device.serving() as address:
        device.fail(FaultKind.BUSY, None)
        async with client(address) as link:
            reply = await link.read_holding_registers(1, count=1, device_id=1)
            assert reply.exception_code == 6
        device.fail(FaultKind.BUSY, 0)
        device.fail(FaultKind.WRONG_UNIT, None)
        reader, writer = await asyncio.open_connection(*address)
        question = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 1, 1)
        writer.write(question)
        assert await reader.readexactly(11) == struct.pack(">HHHBBBH", 7, 0, 5, 2, 3, 2, 0x0101)
        device.fail(FaultKind.WRONG_UNIT, 0)
        device.fail(FaultKind.CUT, None)
        writer.write(question)
        assert await reader.read() == struct.pack(">HHHBBBH", 7, 0, 5, 1, 3, 2, 0x0101)[:5]
        writer.close()


async def _is_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether a connection is answered (True) or has been closed (False)."""
    try:
        writer.write(struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 1, 1))
        return bool(await reader.read(11))
    except ConnectionError:
        return False


@pytest.mark.parametrize(("amount", "survivor"), [(0, 0), (1, 1)])
async def test_one_client_only(amount: float, survivor: int) -> None:
    device = Echo(Listener())
    device.fail(FaultKind.ONE_CLIENT, None, amount)
    async with device.serving() as address:
        first = await asyncio.open_connection(*address)
        assert await _is_open(*first)
        second = await asyncio.open_connection(*address)
        open_now = [await _is_open(*second), await _is_open(*first)][::-1]
        assert open_now == [survivor == 0, survivor == 1]
        for _, writer in (first, second):
            writer.close()


async def test_unplugged_and_plugged_in_again() -> None:
    device = Echo(Listener())
    async with device.serving() as address:
        connection = await asyncio.open_connection(*address)
        assert await _is_open(*connection)
        device.fail(FaultKind.DROP, None)
        assert not await _is_open(*connection)
        again = await asyncio.open_connection(*address)
        assert not await _is_open(*again)
        device.fail(FaultKind.DROP, 0)
        async with client(address) as link:
            assert await ask(link) == [0x0101]
        for _, writer in (connection, again):
            writer.close()


async def test_hostile_clients_are_sent_away_and_others_served() -> None:
    device = Echo(Listener())
    async with device.serving() as address, client(address) as link:
        nonsense = [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 5000, b"\0\1\0\0\xff\xff\1" + b"x" * 70_000]
        for data in nonsense:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(data)
            with suppress(ConnectionError):  # closed while we were still talking
                assert await reader.read() == b""
            writer.close()
        crowd = [await asyncio.open_connection(*address) for _ in range(40)]
        seats = [await _is_open(*one) for one in crowd]
        assert 10 <= sum(seats) < 20
        assert await ask(link) == [0x0101]
        for _, writer in crowd:
            writer.close()
