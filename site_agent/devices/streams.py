"""Bytes to and from a field bus: a TCP socket (a gateway) or a serial line, without blocking.

pyserial opens and sets up the line; the event loop watches it. Either end is read through an
`asyncio.StreamReader`, so that what arrives is bounded by whoever reads.
"""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import serial

from contracts.errors import LinkDownError

_MOST_HELD = 4096
"""Bytes kept for a reader that does not come; a TCP peer is told to wait, a serial one loses."""
_CHUNK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPlace:
    """A gateway that passes bytes on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPlace:
    """A serial line of this machine."""

    device: str
    """Such as `/dev/ttyUSB0`."""
    baud: int = 2400
    parity: Literal["N", "E", "O"] = "E"

    def __str__(self) -> str:
        return self.device


Place = TcpPlace | SerialPlace


class ByteStream:
    """An open way to a place; close it when an answer is missing, for it may still come."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        send: Callable[[bytes], None],
        close: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._send = send
        self._close = close

    async def read_exactly(self, count: int) -> bytes:
        """The next `count` bytes.

        Raises:
            LinkDownError: the other end has gone.
        """
        try:
            return await self._reader.readexactly(count)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise LinkDownError("the line was closed") from error

    def send(self, data: bytes) -> None:
        """Send a frame, at most a few hundred bytes.

        Raises:
            LinkDownError: the other end has gone, or takes nothing.
        """
        try:
            self._send(data)
        except OSError as error:
            raise LinkDownError(f"cannot send: {error}") from error

    def close(self) -> None:
        """Let go; nothing may be read or sent afterwards."""
        self._close()


async def open_stream(place: Place, timeout_s: float) -> ByteStream:
    """Open a way to a place.

    Raises:
        LinkDownError: nobody there, no such line, or somebody else has it.
    """
    if isinstance(place, SerialPlace):
        return _open_serial(place)
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(place.host, place.port, limit=_MOST_HELD)
    except (OSError, TimeoutError) as error:
        raise LinkDownError(f"{place} cannot be reached") from error
    return ByteStream(reader, writer.write, writer.close)


def _open_serial(place: SerialPlace) -> ByteStream:
    try:
        line = serial.Serial(
            place.device,
            place.baud,
            parity=place.parity,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
        line.reset_input_buffer()
    except (OSError, ValueError, termios.error) as error:  # SerialException is an OSError
        raise LinkDownError(f"{place} cannot be opened: {error}") from error
    watched = _WatchedLine(line)
    return ByteStream(watched.reader, watched.send, watched.close)


class _WatchedLine(asyncio.ReadTransport):
    """Feeds a reader with what arrives; while the reader is full, the system's buffer holds it."""

    def __init__(self, line: serial.Serial) -> None:
        super().__init__()
        self._line = line
        self._descriptor = line.fileno()
        # Only a loop can watch a file descriptor.
        self._loop = asyncio.get_running_loop()  # noqa: TID251
        self.reader = asyncio.StreamReader(limit=_MOST_HELD)
        self.reader.set_transport(self)
        self.resume_reading()

    def pause_reading(self) -> None:
        """The reader is full."""
        self._loop.remove_reader(self._descriptor)

    def resume_reading(self) -> None:
        """The reader takes more."""
        if self._line.is_open:
            self._loop.add_reader(self._descriptor, self._take)

    def send(self, data: bytes) -> None:
        """Write all of it at once; raises OSError when it does not fit."""
        if not self._line.is_open or os.write(self._descriptor, data) != len(data):
            raise OSError("the line takes nothing")

    def close(self) -> None:
        """Let go of the line."""
        if self._line.is_open:
            self.pause_reading()
            self._line.close()
            self.reader.feed_eof()

    def _take(self) -> None:
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # unplugged
            data = b""
        if data:
            self.reader.feed_data(data)
        else:
            self.close()
