"""A device with a vendor's registers: tables, faults and writes; the rest is each device's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from contracts.time import Clock
from depot_sim.faults import FaultKind
from depot_sim.modbus.device import ModbusDevice
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.pdu import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, RefusedError, Table
from depot_sim.vendor.registers import RegisterMap


class VendorDevice(ModbusDevice):
    """Serves register maps.

    `_refresh` puts the newest values before a read; `_written` follows a client's write, with the
    names of the entries it touched.
    """

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        maps: Mapping[Table, RegisterMap],
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        super().__init__(id=id, listener=listener, elapsed=elapsed, clock=clock)
        self._maps = maps

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        """Registers of a map the device has."""
        held = self._map(table)
        if not self.faults.active(FaultKind.FREEZE):
            self._refresh()
        words = held.view(address, count, blank=self.faults.active(FaultKind.SENTINEL))
        if words is None:
            raise RefusedError(ILLEGAL_ADDRESS)
        return words

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Take whole writable entries."""
        held = self._map(table)
        ignored = self.faults.active(FaultKind.IGNORES_WRITES)
        if ignored and self.faults.amount(FaultKind.IGNORES_WRITES):
            return
        names = held.write(address, values)
        if names is None:
            raise RefusedError(ILLEGAL_ADDRESS)
        if not ignored:
            self._written(frozenset(names))

    def _map(self, table: Table) -> RegisterMap:
        held = self._maps.get(table)
        if held is None:
            raise RefusedError(ILLEGAL_FUNCTION)
        return held

    def _refresh(self) -> None:
        """Put what a client should read now."""

    def _written(self, names: frozenset[str]) -> None:
        """A client has written these entries."""
