"""A register link that answers from an image, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from contracts.clock import SystemClock
from contracts.errors import TransientError
from site_agent.devices.modbus.link import LinkSettings, Priority, RegisterLink
from site_agent.devices.modbus.replies import MAX_READ, ModbusRefusedError


class ImageLink(RegisterLink):
    """Holds `registers`; refuses the others, or is silent at those that `silent` says."""

    def __init__(
        self, registers: Mapping[int, int], silent: Callable[[int], bool] = lambda address: False
    ) -> None:
        super().__init__(LinkSettings(host="127.0.0.1"), SystemClock())
        self.registers = dict(registers)
        self.silent = silent
        self.read_only = False
        self.reads: list[tuple[int, int]] = []
        self.writes: list[tuple[int, list[int]]] = []

    async def read_holding(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[int, ...]:
        """As a device does."""
        assert 1 <= count <= MAX_READ
        self.reads.append((address, count))
        self._check(address, count)
        return tuple(self.registers[at] for at in range(address, address + count))

    async def write_registers(
        self,
        unit: int,
        address: int,
        values: Sequence[int],
        *,
        priority: Priority = Priority.CONTROL,
    ) -> None:
        """As a device that keeps everything, unless it is `read_only`."""
        self._check(address, len(values))
        if self.read_only:
            raise ModbusRefusedError(2, f"{len(values)} registers at {address}")
        self.writes.append((address, list(values)))
        self.registers.update(enumerate(values, address))

    def _check(self, address: int, count: int) -> None:
        if self.silent(address):
            raise TransientError("no answer")
        if not all(at in self.registers for at in range(address, address + count)):
            raise ModbusRefusedError(2, f"{count} registers at {address}")
