"""A SunSpec device: a register image on a Modbus line, with the faults such images have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from contracts.time import Clock
from depot_sim.faults import FaultKind
from depot_sim.modbus.device import FAULTS, SETPOINT_FAULTS, ModbusDevice
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.pdu import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, RefusedError, Table
from depot_sim.sunspec.image import Image

IMAGE_FAULTS = FAULTS | {FaultKind.SCALE_CHANGE}
"""Of every image."""
DER_FAULTS = IMAGE_FAULTS | SETPOINT_FAULTS
"""Of batteries and inverters."""
NIGHT_FAULTS = DER_FAULTS | {FaultKind.LENGTH_CHANGE}
"""Of those with a model whose length is not always the same."""
_READABLE = {Table.HOLDING, Table.INPUT}


class SunSpecDevice(ModbusDevice):
    """Serves an image.

    `_refresh` puts the newest values before a read; `_written` follows a client's write, with the
    first register and how many.
    """

    FAULTS: ClassVar[frozenset[FaultKind]] = IMAGE_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        image: Image,
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        super().__init__(id=id, listener=listener, elapsed=elapsed, clock=clock)
        self._image = image

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        """Registers of the image, by FC3 or FC4."""
        if table not in _READABLE:
            raise RefusedError(ILLEGAL_FUNCTION)
        self._prepare()
        blank = self.faults.active(FaultKind.SENTINEL)
        words = self._image.view(address, count, blank=blank)
        if words is None:
            raise RefusedError(ILLEGAL_ADDRESS)
        return words

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Take registers that may be written, all of them or none."""
        if table is not Table.HOLDING:
            raise RefusedError(ILLEGAL_FUNCTION)
        address = self._image.unfolded(address)
        if not self._image.writable(address, len(values)):
            raise RefusedError(ILLEGAL_ADDRESS)
        ignored = self.faults.active(FaultKind.IGNORES_WRITES)
        if not (ignored and self.faults.amount(FaultKind.IGNORES_WRITES)):
            self._image.write(address, list(values))
        if not ignored:
            self._written(address, len(values))

    def _refresh(self) -> None:
        """Put what a client should read now."""

    def _written(self, address: int, count: int) -> None:
        """A client has written these registers."""

    def _prepare(self) -> None:
        image, faults = self._image, self.faults
        image.coarsen(round(faults.amount(FaultKind.SCALE_CHANGE)))
        image.fold(folded=faults.active(FaultKind.LENGTH_CHANGE))
        if not faults.active(FaultKind.FREEZE):
            self._refresh()
