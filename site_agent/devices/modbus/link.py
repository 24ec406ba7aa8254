"""All devices of one Modbus socket or serial line: one request in flight, urgent ones first."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from contracts.errors import GridyardError, LinkDownError, ProtocolError, TransientError
from contracts.tasks import heed_cancellation
from contracts.time import Clock
from site_agent.devices.modbus.connection import Connection
from site_agent.devices.modbus.plan import Span, Table
from site_agent.devices.modbus.replies import (
    GATEWAY_CODES,
    MAX_READ,
    MAX_READ_BITS,
    MAX_WRITE,
    check_extent,
    check_registers,
    raise_refusal,
)
from site_agent.devices.modbus.rest import Rest
from site_agent.devices.modbus.settings import Framing, LinkSettings

__all__ = ["Framing", "LinkSettings", "Priority", "RegisterLink"]


class Priority(IntEnum):
    """Which waiting request goes first; the one in flight is never interrupted."""

    SAFETY = 0
    """What keeps people, cables or the grid safe: a limit that falls, a stop."""
    CONTROL = 1
    FAST = 2
    SLOW = 3


@dataclass(order=True, slots=True)
class _Job:
    priority: Priority
    number: int
    request: ModbusPDU = field(compare=False)
    done: asyncio.Future[ModbusPDU] = field(compare=False)


class RegisterLink:
    """Every socket or serial line has one of these; `run` does the talking.

    A caller that is cancelled abandons its answer, never the exchange on the wire. After failures a
    unit rests for 2 s, 4 s, ... 30 s (Transient at once meanwhile), a host for 1 s ... 5 s.

    Every request raises:
        LinkDownError: no connection, or it broke.
        TransientError: no answer in time, the unit is resting, or it is busy.
        ModbusRefusedError: the unit says no (`code` 1, 2 or 3).
        ProtocolError: the answer is not an answer to this request.
        ValueError: what is asked for cannot be asked of any unit.
    """

    def __init__(self, settings: LinkSettings, clock: Clock) -> None:
        self.settings = settings
        self._connection = Connection(settings, clock)
        self._jobs: asyncio.PriorityQueue[_Job] = asyncio.PriorityQueue()
        self._numbers = 0
        self._stopped = False
        self._unit_rest: defaultdict[int, Rest] = defaultdict(
            lambda: Rest(clock, step_s=2.0, cap_s=30.0)
        )

    @property
    def connected(self) -> bool:
        """Whether a connection stands."""
        return self._connection.up

    async def read(
        self, unit: int, where: Span, *, priority: Priority = Priority.SLOW
    ) -> tuple[int, ...]:
        """Read registers, or bits as 0 and 1, of any table."""
        match where.table:
            case Table.HOLDING:
                reading = self.read_holding
            case Table.INPUT:
                reading = self.read_input
            case Table.COILS:
                return await self.read_coils(unit, where.address, where.count, priority=priority)
            case Table.DISCRETE:
                return await self.read_discrete(unit, where.address, where.count, priority=priority)
        return await reading(unit, where.address, where.count, priority=priority)

    async def read_holding(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[int, ...]:
        """Read `count` (1 to 125) holding registers with FC3."""
        check_extent(address, count, MAX_READ)
        request = ReadHoldingRegistersRequest(dev_id=unit, address=address, count=count)
        return tuple((await self._ask(request, priority)).registers)

    async def read_input(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[int, ...]:
        """Read `count` (1 to 125) input registers with FC4."""
        check_extent(address, count, MAX_READ)
        request = ReadInputRegistersRequest(dev_id=unit, address=address, count=count)
        return tuple((await self._ask(request, priority)).registers)

    async def read_coils(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[bool, ...]:
        """Read `count` (1 to 2000) coils with FC1."""
        check_extent(address, count, MAX_READ_BITS)
        request = ReadCoilsRequest(dev_id=unit, address=address, count=count)
        return tuple((await self._ask(request, priority)).bits[:count])

    async def read_discrete(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[bool, ...]:
        """Read `count` (1 to 2000) discrete inputs with FC2."""
        check_extent(address, count, MAX_READ_BITS)
        request = ReadDiscreteInputsRequest(dev_id=unit, address=address, count=count)
        return tuple((await self._ask(request, priority)).bits[:count])

    async def write_registers(
        self,
        unit: int,
        address: int,
        values: Sequence[int],
        *,
        priority: Priority = Priority.CONTROL,
    ) -> None:
        """Write 1 to 123 registers in one FC16."""
        check_extent(address, len(values), MAX_WRITE)
        check_registers(values)
        request = WriteMultipleRegistersRequest(dev_id=unit, address=address, registers=values)
        await self._ask(request, priority)

    async def write_register(
        self, unit: int, address: int, value: int, *, priority: Priority = Priority.CONTROL
    ) -> None:
        """Write one register with FC6, for units that do not know FC16."""
        check_extent(address, 1, MAX_WRITE)
        check_registers([value])
        request = WriteSingleRegisterRequest(dev_id=unit, address=address, registers=[value])
        await self._ask(request, priority)

    async def write_coil(
        self, unit: int, address: int, on: bool, *, priority: Priority = Priority.CONTROL
    ) -> None:
        """Switch one coil with FC5."""
        check_extent(address, 1, MAX_WRITE)
        request = WriteSingleCoilRequest(dev_id=unit, address=address, bits=[on])
        await self._ask(request, priority)

    async def run(self) -> None:
        """Serve requests until cancelled; then close the connection and fail whatever waits."""
        self._stopped = False
        try:
            while True:
                job = await self._jobs.get()
                if not job.done.done():
                    await self._serve(job)
                heed_cancellation()
        finally:
            self._stopped = True
            self._connection.drop("stopped")
            while not self._jobs.empty():
                _settle(self._jobs.get_nowait().done, LinkDownError("the link has stopped"))

    async def _ask(self, request: ModbusPDU, priority: Priority) -> ModbusPDU:
        if self._stopped:
            raise LinkDownError("the link has stopped")
        self._numbers += 1
        done: asyncio.Future[ModbusPDU] = asyncio.Future()
        self._jobs.put_nowait(_Job(priority, self._numbers, request, done))
        return await done

    async def _serve(self, job: _Job) -> None:
        try:
            _settle(job.done, await self._attempt(job.request))
        except GridyardError as error:
            _settle(job.done, error)
        finally:
            _settle(job.done, LinkDownError("the link has stopped"))  # only when cancelled here

    async def _attempt(self, request: ModbusPDU) -> ModbusPDU:
        rest = self._unit_rest[request.dev_id]
        if rest.remaining_s():
            raise TransientError(f"unit {request.dev_id} rests for {rest.remaining_s():.1f} s")
        client = await self._connection.ready()
        try:
            reply = await self._connection.exchange(client, request)
        except (TransientError, ProtocolError):
            rest.failed()
            raise
        if reply.exception_code in GATEWAY_CODES:
            rest.failed()
        else:
            rest.worked()
        raise_refusal(request, reply)
        return reply


def _settle(done: asyncio.Future[ModbusPDU], outcome: ModbusPDU | GridyardError) -> None:
    """Hand over the outcome unless the caller has one or has gone."""
    if done.done():
        return
    if isinstance(outcome, ModbusPDU):
        done.set_result(outcome)
    else:
        done.set_exception(outcome)
