"""Devices on one line: a TCP port (MBAP, MBAP in TLS, or RTU frames) or a serial line.

Requests of a connection are answered one after the other; broadcasts are not heard. Bounded against
hostile clients: frames and connections are few and small, and what is no Modbus ends its
connection.
"""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from contracts.errors import ConfigError, ProtocolError
from contracts.time import Clock
from depot_sim.faults import FaultKind, Faults
from depot_sim.modbus.framing import Decoder, Frame, Framing, decoder
from depot_sim.modbus.listener import Address, Listener
from depot_sim.modbus.pdu import BUSY, GATEWAY_TARGET_SILENT, Unit, answer, refuse

MOST_CONNECTIONS = 16
"""Of one line; more are closed at once, as small devices do."""
LINE_FAULTS = frozenset(
    {
        FaultKind.DROP,
        FaultKind.KILL,
        FaultKind.OFFLINE,
        FaultKind.LATE,
        FaultKind.CUT,
        FaultKind.WRONG_UNIT,
        FaultKind.BUSY,
        FaultKind.ONE_CLIENT,
    }
)
"""What this module lets happen to a member."""
_CHUNK = 4096
_ANY_UNIT = (0, 255)
"""A lone device on TCP answers to these as well (MBAP: "not significant")."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A unit on a line, and what is wrong with it."""

    unit_id: int
    unit: Unit
    faults: Faults

    @property
    def away(self) -> bool:
        """Unplugged or without power."""
        return self.faults.active(FaultKind.DROP) or self.faults.active(FaultKind.KILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    decoder: Decoder
    send: Callable[[bytes], None]
    close: Callable[[], None]


class ModbusServer:
    """Serves the members of one line until closed; `clock` is that of late answers."""

    def __init__(self, listener: Listener, members: Sequence[Member], clock: Clock) -> None:
        self._listener = listener
        self._members = {member.unit_id: member for member in members}
        self._clock = clock
        self._open: list[_Connection] = []
        self._talks: set[asyncio.Task[None]] = set()
        self._ending = False
        if len(self._members) < len(members):
            raise ConfigError("two Modbus units of one number on one line")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Address]:
        """Listen; the address is the real one.

        Raises:
            ConfigError: the port is taken, or there is no such serial line.
        """
        serving = self._on_serial if self._listener.serial is not None else self._on_tcp
        async with serving() as address:
            yield address

    def cut(self) -> None:
        """Close every connection, if all members are away."""
        if all(member.away for member in self._members.values()):
            self._close_all()

    @asynccontextmanager
    async def _on_tcp(self) -> AsyncIterator[Address]:
        where = self._listener
        context = None if where.tls is None else where.tls.context()
        self._ending = False
        try:
            server = await asyncio.start_server(
                self._talk, where.host, where.port, ssl=context, limit=_CHUNK
            )
        except OSError as error:
            message = f"{where.host}:{where.port}: cannot listen there; is the port taken?"
            raise ConfigError(message) from error
        try:
            host, port = server.sockets[0].getsockname()[:2]
            yield Address(host, port)
        finally:
            server.close()
            await self._end()
            await server.wait_closed()

    @asynccontextmanager
    async def _on_serial(self) -> AsyncIterator[Address]:
        path = str(self._listener.serial)
        line = _open(path)
        reader = asyncio.StreamReader(limit=_CHUNK)
        loop = asyncio.get_running_loop()  # noqa: TID251 - the one door to a file descriptor
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(line, "rb", buffering=0)
        )
        connection = _Connection(
            decoder=decoder(Framing.RTU),
            send=lambda data: _put(line, data),
            close=lambda: None,
        )
        try:
            async with asyncio.TaskGroup() as group:
                talk = group.create_task(self._serve(reader, connection))
                yield Address(path, 0)
                talk.cancel()
        finally:
            transport.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(
            decoder=decoder(self._listener.framing), send=writer.write, close=writer.close
        )
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio's promise to a client handler
        self._talks.add(task)
        try:
            if self._admit():
                self._open.append(connection)
                await self._serve(reader, connection, writer)
        except asyncio.CancelledError:
            if not self._ending:  # asyncio complains of handlers that end in any other way
                raise
        finally:
            self._talks.discard(task)
            if connection in self._open:
                self._open.remove(connection)
            writer.close()

    def _admit(self) -> bool:
        """Whether there is room for one more; the only seat may have to be given up for it."""
        members = self._members.values()
        if all(member.away for member in members) or len(self._open) >= MOST_CONNECTIONS:
            return False
        single = [m.faults for m in members if m.faults.active(FaultKind.ONE_CLIENT)]
        if single and self._open:
            if not any(faults.amount(FaultKind.ONE_CLIENT) for faults in single):
                return False
            self._close_all()
        return True

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        connection: _Connection,
        writer: asyncio.StreamWriter | None = None,
    ) -> None:
        try:
            while data := await reader.read(_CHUNK):
                for frame in connection.decoder.feed(data):
                    await self._respond(frame, connection)
                if writer is not None:
                    await writer.drain()
        except ProtocolError as error:
            _log.info("modbus client sent away", reason=str(error))
        except OSError:
            pass  # the client has gone

    async def _respond(self, frame: Frame, connection: _Connection) -> None:
        """Answer, or not, as the unit's faults say."""
        member = self._member(frame.unit)
        if member is None:
            if self._framing is Framing.TCP:
                pdu = refuse(frame.pdu[0], GATEWAY_TARGET_SILENT)
                connection.send(connection.decoder.wrap(frame._replace(pdu=pdu)))
            return
        faults = member.faults
        pdu = self._answer(member, frame.pdu)
        if faults.active(FaultKind.LATE):
            await self._clock.sleep(faults.amount(FaultKind.LATE))
        if faults.active(FaultKind.OFFLINE) or member.away:
            return
        unit = frame.unit % 247 + 1 if faults.active(FaultKind.WRONG_UNIT) else frame.unit
        wire = connection.decoder.wrap(Frame(unit, pdu, frame.number))
        if faults.active(FaultKind.CUT):
            connection.send(wire[: len(wire) // 2])
            connection.close()
            return
        connection.send(wire)

    def _answer(self, member: Member, pdu: bytes) -> bytes:
        """A silent unit has not heard the request either."""
        faults = member.faults
        if faults.active(FaultKind.BUSY) or faults.active(FaultKind.OFFLINE) or member.away:
            return refuse(pdu[0], BUSY)
        return answer(member.unit, pdu)

    def _member(self, number: int) -> Member | None:
        alone = len(self._members) == 1 and self._framing is Framing.TCP
        if alone and number in _ANY_UNIT:
            return next(iter(self._members.values()))
        return self._members.get(number)

    @property
    def _framing(self) -> Framing:
        return Framing.RTU if self._listener.serial is not None else self._listener.framing

    def _close_all(self) -> None:
        for connection in self._open:
            connection.close()
        self._open.clear()

    async def _end(self) -> None:
        self._ending = True
        self._close_all()
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        if talks:
            await asyncio.wait(talks)


def _open(path: str) -> int:
    """A serial line as a file descriptor, taken for bytes and nothing but bytes."""
    try:
        line = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        tty.setraw(line)
    except termios.error as error:
        os.close(line)
        raise ConfigError(f"{path}: no serial line") from error
    return line


def _put(line: int, data: bytes) -> None:
    """Write to a serial line; what does not fit into its buffer is lost, as on a wire."""
    with suppress(BlockingIOError):
        os.write(line, data)
