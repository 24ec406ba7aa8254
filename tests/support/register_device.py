"""A device of plain registers on a real Modbus socket, with a watchdog as cheap devices have it."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from contracts.clock import SystemClock
from depot_sim.faults import FaultKind, Faults
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.pdu import RefusedError, Table
from depot_sim.modbus.server import LINE_FAULTS, Member, ModbusServer
from site_agent.devices.commissioning.capture import Capture

TABLES = {
    1: Table.COILS,
    2: Table.DISCRETE_INPUTS,
    3: Table.HOLDING,
    4: Table.INPUT,
}
Written = tuple[int, tuple[int, ...]]


class RegisterDevice:
    """Keeps what is written; `on_write` is told of it, `deaf` registers do not keep it."""

    def __init__(self, unit_id: int = 1) -> None:
        self.unit_id = unit_id
        self.words: dict[tuple[Table, int], int] = {}
        self.asked: list[tuple[Table, int, int]] = []
        self.written: list[Written] = []
        self.deaf: set[int] = set()
        self.on_write: Callable[[int, tuple[int, ...]], None] = lambda address, values: None
        self.faults = Faults(LINE_FAULTS, SystemClock().monotonic)

    def put(self, table: Table, address: int, words: Sequence[int]) -> None:
        self.words.update({(table, address + n): word for n, word in enumerate(words)})

    def put_number(self, table: Table, address: int, form: str, value: float) -> None:
        """With the high word first; `form` as in `struct`."""
        data = struct.pack(f">{form}", value)
        self.put(table, address, struct.unpack(f">{len(data) // 2}H", data))

    def number(self, address: int, form: str) -> float:
        """What a holding register reads."""
        count = struct.calcsize(f">{form}") // 2
        words = [self.words[Table.HOLDING, address + n] for n in range(count)]
        (value,) = struct.unpack(f">{form}", struct.pack(f">{count}H", *words))
        return float(value)

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        self.asked.append((table, address, count))
        try:
            return [self.words[table, address + n] for n in range(count)]
        except KeyError:
            raise RefusedError(2) from None

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        if any((table, address + n) not in self.words for n in range(len(values))):
            raise RefusedError(2)
        self.written.append((address, tuple(values)))
        if address not in self.deaf:
            self.put(table, address, values)
        self.on_write(address, tuple(values))

    def unplug(self, for_s: float | None = None) -> None:
        """It answers nothing."""
        self.faults.begin(FaultKind.OFFLINE, for_s, None)


def devices_of(capture: Capture) -> list[RegisterDevice]:
    """A capture as devices that can be written."""
    devices = []
    for unit in capture.units:
        device = RegisterDevice(unit.unit)
        for block in unit.blocks:
            device.put(TABLES[block.function], block.address, block.registers)
        devices.append(device)
    return devices


@asynccontextmanager
async def serving(*devices: RegisterDevice) -> AsyncIterator[int]:
    """Serve them behind one socket; its port."""
    members = [Member(unit_id=d.unit_id, unit=d, faults=d.faults) for d in devices]
    server = ModbusServer(Listener(), members, SystemClock())
    async with server.serving() as address:
        yield address.port
