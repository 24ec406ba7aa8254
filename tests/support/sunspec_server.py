"""A register image on a real Modbus socket, served by pymodbus, with its writes on record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

Write = tuple[int, list[int]]


@dataclass
class ImageServer:
    """Answers from `registers` (of 40000 to 40999), which a test may change at any time.

    `on_write` may refuse a write (an exception code) or keep it from taking effect (False).
    """

    registers: dict[int, int]
    on_write: Callable[[int, list[int]], ExcCodes | bool | None] | None = None
    writes: list[Write] = field(default_factory=list)
    reads: list[tuple[int, int]] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    port: int = 0
    framer: FramerType = FramerType.SOCKET

    def put(self, at: int, words: Mapping[int, int] | list[int]) -> None:
        """Set registers from an address on."""
        items = words.items() if isinstance(words, Mapping) else enumerate(words)
        self.registers.update({at + offset: word for offset, word in items})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[ImageServer]:
        space = SimData(40000, values=[0] * 1000, datatype=DataType.REGISTERS)
        server = ModbusTcpServer(
            SimDevice(0, simdata=[space], action=self._act),
            address=("127.0.0.1", self.port),
            framer=self.framer,
            trace_packet=self._trace,
        )
        await server.serve_forever(background=True)
        # The transport of a listening pymodbus server is asyncio's Server.
        self.port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        try:
            yield self
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus' own

    async def _act(
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        current_registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        wanted = range(address, address + count)
        if not all(register in self.registers for register in wanted):
            return ExcCodes.ILLEGAL_ADDRESS
        if set_values is not None:
            return self._write(address, [int(value) for value in set_values])
        self.reads.append((address, count))
        for register in wanted:
            current_registers[register - start_address] = self.registers[register]
        return None

    def _write(self, address: int, values: list[int]) -> ExcCodes | None:
        verdict = self.on_write(address, values) if self.on_write else None
        if isinstance(verdict, ExcCodes):
            return verdict
        self.writes.append((address, values))
        if verdict is not False:
            self.put(address, values)
        return None

    def _trace(self, sending: bool, data: bytes) -> bytes:
        if not sending:
            self.received.append(data)
        return data
