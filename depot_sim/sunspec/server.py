"""A Modbus TCP server in front of a register image."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from contracts.errors import ConfigError
from depot_sim.faults import FaultKind, Faults
from depot_sim.sunspec.image import BASE_ADDRESS, Image

_READS = {3, 4}
_WRITES = {6, 16}
FAULTS = frozenset({FaultKind.FREEZE, FaultKind.OFFLINE})


class Address(NamedTuple):
    """Where a Modbus server listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where a device shall listen; port 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = 0
    unit_id: int = 1


class SunSpecServer:
    """Serves an image until closed. Knows the faults freeze and offline.

    `refresh` is called before a read so that it can put the newest values; `written` after a
    client's write, with the first register and how many.
    """

    def __init__(
        self,
        *,
        listener: Listener,
        image: Image,
        faults: Faults,
        refresh: Callable[[], None],
        written: Callable[[int, int], None] | None = None,
    ) -> None:
        self._listener = listener
        self._image = image
        self._faults = faults
        self._refresh = refresh
        self._written = written

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Address]:
        """Listen; the address is the real one.

        Raises:
            ConfigError: the port is taken.
        """
        registers = SimData(
            BASE_ADDRESS, values=list(self._image.registers), datatype=DataType.REGISTERS
        )
        server = ModbusTcpServer(
            SimDevice(self._listener.unit_id, simdata=[registers], action=self._act),
            address=(self._listener.host, self._listener.port),
            trace_packet=self._muted,
        )
        where = f"{self._listener.host}:{self._listener.port}"
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:  # pymodbus' word for it
            raise ConfigError(f"{where}: cannot listen there; is the port taken?") from error
        try:
            # The transport of a listening pymodbus server is asyncio's Server.
            host, port = server.transport.sockets[0].getsockname()[:2]  # type: ignore[attr-defined]
            yield Address(host, port)
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus' own

    async def _act(  # the signature is pymodbus' own
        self,
        function_code: int,
        start_address: int,
        address: int,
        count: int,
        current_registers: list[int],
        set_values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if self._faults.active(FaultKind.OFFLINE):
            return ExcCodes.DEVICE_BUSY  # never leaves the house, see _muted
        if set_values is not None:
            return self._write(function_code, address, [int(value) for value in set_values])
        if function_code not in _READS:
            return ExcCodes.ILLEGAL_FUNCTION
        if not self._faults.active(FaultKind.FREEZE):
            self._refresh()
        offset = BASE_ADDRESS - start_address
        current_registers[offset : offset + len(self._image.registers)] = self._image.registers
        return None

    def _write(self, function_code: int, address: int, values: list[int]) -> ExcCodes | None:
        if function_code not in _WRITES:
            return ExcCodes.ILLEGAL_FUNCTION
        if self._written is None or not self._image.writable(address, len(values)):
            return ExcCodes.ILLEGAL_ADDRESS
        self._image.write(address, values)
        self._written(address, len(values))
        return None

    def _muted(self, sending: bool, data: bytes) -> bytes:
        return b"" if sending and self._faults.active(FaultKind.OFFLINE) else data
