"""What all simulated Modbus devices have in common: a line, a unit, faults and supply."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

from contracts.clock import SystemClock
from contracts.time import Clock
from depot_sim.faults import FaultKind, Faults
from depot_sim.modbus.listener import Address, Listener
from depot_sim.modbus.pdu import Table, Unit
from depot_sim.modbus.server import LINE_FAULTS, Member, ModbusServer
from depot_sim.physics.lease import Lease
from depot_sim.physics.plant import Plant

FAULTS = LINE_FAULTS | {FaultKind.FREEZE, FaultKind.SENTINEL}
"""Of every Modbus device."""
SETPOINT_FAULTS = frozenset(
    {FaultKind.IGNORES_WRITES, FaultKind.LATE_TIMER, FaultKind.NO_REVERSION}
)
"""Of those that take setpoints."""
METER_FAULTS = frozenset({FaultKind.SIGN_FLIPPED, FaultKind.SCALED})
"""Of those that measure for others."""


class ModbusDevice(ABC):
    """A unit on a line of its own (`serving`) or, as one of several, of a bus (`Bus`).

    `elapsed` is its clock, in s; late answers wait by `clock`, whose seconds are as long.
    """

    FAULTS: ClassVar[frozenset[FaultKind]] = FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        self.id = id
        self.listener = listener
        self.faults = Faults(self.FAULTS, elapsed)
        self.elapsed = elapsed
        self._clock = clock or SystemClock()
        self.line: ModbusServer | None = None
        self.terminals: Callable[[], Plant] = Plant
        """What voltage and frequency it sees; a nominal grid unless it is told another."""

    @abstractmethod
    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        """See `pdu.Unit`."""

    @abstractmethod
    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """See `pdu.Unit`."""

    def units(self) -> Mapping[int, Unit]:
        """What it answers as, by number on its line: usually itself alone."""
        return {self.listener.unit_id: self}

    def start_afresh(self) -> None:  # noqa: B027 - most devices forget nothing
        """Forget what a loss of power lets it forget."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Address]:
        """Listen while the context lasts.

        Raises:
            ConfigError: the port is taken, or there is no such serial line.
        """
        async with Bus(self.listener, [self], self._clock).serving() as address:
            yield address

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin, for some seconds or for good (None).

        Raises:
            ValueError: not a fault of this device.
        """
        self.faults.begin(kind, for_s, amount)
        if kind is FaultKind.KILL:
            self.start_afresh()
        if kind in {FaultKind.DROP, FaultKind.KILL, FaultKind.ONE_CLIENT} and self.line:
            self.line.cut()

    @property
    def powered(self) -> bool:
        """Whether it has its supply."""
        return not self.faults.active(FaultKind.KILL)

    def lease(self, value: float | None, timer_s: float, fallback: float | None = None) -> Lease:
        """A setpoint whose timer starts now (0: none), late or endless as the faults say."""
        if not timer_s:
            return Lease(value=value, fallback=fallback)
        late_s = timer_s * self.faults.amount(FaultKind.LATE_TIMER)
        if self.faults.active(FaultKind.NO_REVERSION):
            late_s = float("inf")
        expires_s = self.elapsed() + timer_s
        return Lease(value=value, expires_s=expires_s, fallback=fallback, late_s=late_s)


class Bus:
    """Several devices behind one line; the listener's own unit number means nothing here."""

    def __init__(
        self, listener: Listener, devices: Sequence[ModbusDevice], clock: Clock | None = None
    ) -> None:
        self._devices = devices
        members = [
            Member(unit_id=number, unit=unit, faults=device.faults)
            for device in devices
            for number, unit in device.units().items()
        ]
        self._server = ModbusServer(listener, members, clock or SystemClock())

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Address]:
        """Listen while the context lasts; raises as `ModbusDevice.serving`."""
        async with self._server.serving() as address:
            for device in self._devices:
                device.line = self._server
            try:
                yield address
            finally:
                for device in self._devices:
                    device.line = None
