"""A remote I/O module with contacts, such as network operators' ripple control receivers drive.

Digital inputs are discrete inputs from 0 on (FC2) and, as one word, input register 0 (bit 0 is
input 0); digital outputs are coils from 16 on, as in the ADAM-6050 by its user manual. A wire that
has come off reads as an open contact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from contracts.time import Clock
from depot_sim.faults import FaultKind
from depot_sim.modbus.device import FAULTS, ModbusDevice
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.pdu import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, RefusedError, Table

FIRST_OUTPUT = 16
_OUTPUTS = 6


class Contacts(ModbusDevice):
    """`count` inputs (1..16), all open at first, and six outputs that are only remembered."""

    FAULTS: ClassVar = FAULTS - {FaultKind.SENTINEL}

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        count: int,
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        super().__init__(id=id, listener=listener, elapsed=elapsed, clock=clock)
        self.inputs = [False] * count
        self.outputs = [False] * _OUTPUTS
        self._shown = self.inputs.copy()

    def put(self, contact: int, *, closed: bool) -> None:
        """Open or close an input.

        Raises:
            IndexError: there is no such input.
        """
        self.inputs[contact] = closed

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        """Contacts; or, of input register 0, all of them in one word."""
        if not self.faults.active(FaultKind.FREEZE):
            self._shown = self.inputs.copy()
        if table is Table.HOLDING:
            raise RefusedError(ILLEGAL_FUNCTION)
        held = {
            Table.DISCRETE_INPUTS: [int(closed) for closed in self._shown],
            Table.COILS: [0] * FIRST_OUTPUT + [int(on) for on in self.outputs],
            Table.INPUT: [sum(closed << bit for bit, closed in enumerate(self._shown))],
        }[table]
        if address + count > len(held):
            raise RefusedError(ILLEGAL_ADDRESS)
        return held[address : address + count]

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Switch outputs."""
        if table is not Table.COILS:
            raise RefusedError(ILLEGAL_FUNCTION)
        first = address - FIRST_OUTPUT
        if first < 0 or first + len(values) > len(self.outputs):
            raise RefusedError(ILLEGAL_ADDRESS)
        self.outputs[first : first + len(values)] = [bool(value) for value in values]
