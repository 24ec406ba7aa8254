"""One Modbus socket: one request in flight, urgent ones first, and never a stale answer.

pymodbus frames and decodes; everything that decides whether an answer may be believed is here.
The *dirty guard*: a request whose answer did not come leaves the connection unusable, because the
answer may still arrive and RTU framing has no way to tell whose it is (MBAP can be fooled too, by a
server that numbers its late reply like the newest request). The next request gets a new connection.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import structlog
from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
)

from contracts.errors import GridyardError, LinkDownError, ProtocolError, TransientError
from contracts.tasks import heed_cancellation
from contracts.time import Clock
from site_agent.devices.modbus.replies import (
    GATEWAY_CODES,
    MAX_READ,
    MAX_WRITE,
    check_extent,
    is_answer,
    raise_refusal,
)
from site_agent.devices.modbus.rest import Rest

_log = structlog.get_logger(__name__)


class Framing(StrEnum):
    """How requests are framed on the socket."""

    TCP = "tcp"
    RTU = "rtu"
    """A serial bus behind a transparent socket server."""


class Priority(IntEnum):
    """Which waiting request goes first."""

    CONTROL = 0
    FAST = 1
    SLOW = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Where a link leads and how patiently it is used."""

    host: str
    port: int = 502
    framing: Framing = Framing.TCP
    timeout_s: float = 1.0
    """Bounds a connect and, apart from it, each answer."""
    pace_s: float = 0.0
    """Silence before every request, for devices and buses that need one."""


@dataclass(order=True, slots=True)
class _Job:
    priority: Priority
    number: int
    request: ModbusPDU = field(compare=False)
    done: asyncio.Future[ModbusPDU] = field(compare=False)


class RegisterLink:
    """All devices of one socket share one of these; `run` does the talking.

    A caller that is cancelled abandons its answer, never the exchange on the wire. After failures a
    unit rests for 2 s, 4 s, ... 30 s (Transient at once meanwhile), a host for 1 s ... 5 s.
    """

    def __init__(self, settings: LinkSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._jobs: asyncio.PriorityQueue[_Job] = asyncio.PriorityQueue()
        self._numbers = 0
        self._client: AsyncModbusTcpClient | None = None
        self._dirty = False
        self._next_tid = 0
        self._host_rest = Rest(clock, step_s=1.0, cap_s=5.0)
        self._unit_rest: defaultdict[int, Rest] = defaultdict(
            lambda: Rest(clock, step_s=2.0, cap_s=30.0)
        )

    @property
    def connected(self) -> bool:
        """Whether a connection stands."""
        return self._client is not None and self._client.connected

    async def read_holding(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[int, ...]:
        """Read `count` (1 to 125) holding registers with FC3.

        Raises:
            LinkDownError: no connection, or it broke.
            TransientError: no answer in time, the unit is resting, or it is busy.
            ModbusRefusedError: the unit says no (`code` 1, 2 or 3).
            ProtocolError: the answer is not an answer to this request.
        """
        check_extent(address, count, MAX_READ)
        request = ReadHoldingRegistersRequest(dev_id=unit, address=address, count=count)
        return tuple((await self._ask(request, priority)).registers)

    async def write_registers(
        self,
        unit: int,
        address: int,
        values: Sequence[int],
        *,
        priority: Priority = Priority.CONTROL,
    ) -> None:
        """Write 1 to 123 registers in one FC16; raises as `read_holding`."""
        check_extent(address, len(values), MAX_WRITE)
        if not all(0 <= value <= 0xFFFF for value in values):  # noqa: PLR2004 - a register's range
            raise ValueError(f"not register values: {values}")
        request = WriteMultipleRegistersRequest(dev_id=unit, address=address, registers=values)
        await self._ask(request, priority)

    async def run(self) -> None:
        """Serve requests until cancelled; then close the socket and fail whatever waits."""
        try:
            while True:
                job = await self._jobs.get()
                if not job.done.done():
                    await self._serve(job)
                heed_cancellation()
        finally:
            self._drop("stopped")
            while not self._jobs.empty():
                _settle(self._jobs.get_nowait().done, LinkDownError("the link has stopped"))

    async def _ask(self, request: ModbusPDU, priority: Priority) -> ModbusPDU:
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
        client = await self._ready()
        try:
            reply = await self._exchange(client, request)
        except (TransientError, ProtocolError):
            rest.failed()
            raise
        if reply.exception_code in GATEWAY_CODES:
            rest.failed()
        else:
            rest.worked()
        raise_refusal(request, reply)
        return reply

    async def _exchange(self, client: AsyncModbusTcpClient, request: ModbusPDU) -> ModbusPDU:
        """One request and its own answer; anything else leaves the link dirty, also cancelling."""
        self._dirty = True
        try:
            reply: ModbusPDU = await client.execute(False, request)
        except ModbusException as error:
            if not client.connected:
                raise LinkDownError(f"{self._where} broke the connection") from error
            raise TransientError(f"unit {request.dev_id} at {self._where}: no answer") from error
        if not is_answer(request, reply):
            raise ProtocolError(f"unit {request.dev_id} at {self._where} answered something else")
        self._dirty = False
        return reply

    async def _ready(self) -> AsyncModbusTcpClient:
        """A connection without an answer still on its way."""
        client = self._client
        if client is None or self._dirty or not client.connected:
            client = await self._connect()
        if self.settings.pace_s:
            await self._clock.sleep(self.settings.pace_s)
        return client

    async def _connect(self) -> AsyncModbusTcpClient:
        self._drop("an answer is missing" if self._dirty else "closed by the peer")
        if self._host_rest.remaining_s():
            raise LinkDownError(f"{self._where} cannot be reached")
        client = self._new_client()
        if not await client.connect():
            self._host_rest.failed()
            raise LinkDownError(f"{self._where} cannot be reached")
        self._host_rest.worked()
        self._client = client
        client.ctx.next_tid = self._next_tid  # no number is given to two requests
        if self._dirty and self.settings.framing is Framing.RTU:
            # The serial bus outlives the socket: let an answer still on it run into the void.
            await self._clock.sleep(self.settings.timeout_s)
        self._dirty = False
        _log.info("modbus link up", peer=self._where)
        return client

    def _new_client(self) -> AsyncModbusTcpClient:
        settings = self.settings
        return AsyncModbusTcpClient(
            settings.host,
            port=settings.port,
            framer=FramerType.RTU if settings.framing is Framing.RTU else FramerType.SOCKET,
            timeout=settings.timeout_s,
            retries=0,
            reconnect_delay=0,
        )

    def _drop(self, why: str) -> None:
        if self._client is not None:
            self._next_tid = self._client.ctx.next_tid
            self._client.close()
            self._client = None
            _log.info("modbus link closed", peer=self._where, why=why)

    @property
    def _where(self) -> str:
        return f"{self.settings.host}:{self.settings.port}"


def _settle(done: asyncio.Future[ModbusPDU], outcome: ModbusPDU | GridyardError) -> None:
    """Hand over the outcome unless the caller has one or has gone."""
    if done.done():
        return
    if isinstance(outcome, ModbusPDU):
        done.set_result(outcome)
    else:
        done.set_exception(outcome)
