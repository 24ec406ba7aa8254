"""An M-Bus: meters that all hear the same, behind a TCP gateway or on a pty.

Where two answer at once the bus carries neither: their bits mix (here: are ORed), as the zeros of
one spoil the ones of the other.
"""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import zip_longest

import structlog

from contracts.time import Clock
from depot_sim.listening import listening
from depot_sim.mbus.meter import MBusMeter

_SHORT, _LONG = 0x10, 0x68
_MOST = 1024
_log = structlog.get_logger(__name__)


class MBus:
    """The meters of one bus and those who listen to it."""

    def __init__(self, meters: Iterable[MBusMeter], clock: Clock) -> None:
        self._meters = tuple(meters)
        self._clock = clock

    def answer(self, frame: bytes) -> tuple[bytes, float]:
        """What the bus carries after a frame, and after how many seconds."""
        answers = [(meter.hear(frame), meter.late_s) for meter in self._meters]
        spoken = [(words, late_s) for words, late_s in answers if words]
        mixed = (_mix(column) for column in zip_longest(*(w for w, _ in spoken), fillvalue=0))
        return bytes(mixed), max((late_s for _, late_s in spoken), default=0.0)

    def serving_tcp(self, host: str, port: int) -> AbstractAsyncContextManager[tuple[str, int]]:
        """A transparent gateway; where it really listens. Raises as `listening`."""
        return listening(self._serve, host, port, limit=_MOST)

    @asynccontextmanager
    async def serving_pty(self) -> AsyncIterator[str]:
        """A serial line; the device to open."""
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        frames = Frames()
        async with asyncio.TaskGroup() as tasks:
            heard: asyncio.Queue[bytes] = asyncio.Queue(maxsize=_MOST)
            loop = asyncio.get_running_loop()  # noqa: TID251 - only a loop watches descriptors
            loop.add_reader(ours, lambda: _take(ours, frames, heard))
            task = tasks.create_task(self._answer_all(heard, lambda words: _put(ours, words)))
            try:
                yield os.ttyname(theirs)
            finally:
                loop.remove_reader(ours)
                task.cancel()
                os.close(ours)
                os.close(theirs)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        try:
            while data := await reader.read(_MOST):
                for frame in frames.feed(data):
                    await self._reply(frame, writer.write)
        except OSError as error:
            _log.info("m-bus client gone", why=str(error))

    async def _answer_all(
        self, heard: asyncio.Queue[bytes], send: Callable[[bytes], object]
    ) -> None:
        while True:
            await self._reply(await heard.get(), send)

    async def _reply(self, frame: bytes, send: Callable[[bytes], object]) -> None:
        words, late_s = self.answer(frame)
        if late_s:
            await self._clock.sleep(late_s)
        if words:
            send(words)


class Frames:
    """Cuts what a master sends into frames; noise is dropped, as a meter ignores it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Whole frames that are sound."""
        self._held += data
        while self._held:
            length = _length(self._held)
            if length is None:
                return
            frame = bytes(self._held[: length or 1])
            del self._held[: length or 1]
            if length and _sound(frame):
                yield frame


def _length(held: bytearray) -> int | None:
    """Bytes of the frame that begins here, 0 when none does, None when more must come."""
    if held[0] == _SHORT:
        length = 5
    elif held[0] == _LONG:
        if len(held) < 4:  # noqa: PLR2004 - the head of a long frame
            return None
        if held[1] != held[2] or held[3] != _LONG:
            return 0
        length = held[1] + 6
    else:
        return 0
    return length if len(held) >= length else None


def _sound(frame: bytes) -> bool:
    body = frame[1:-2] if frame[0] == _SHORT else frame[4:-2]
    return sum(body) % 256 == frame[-2] and frame[-1] == 0x16  # noqa: PLR2004 - the stop byte


def _mix(column: Iterable[int]) -> int:
    mixed = 0
    for one in column:
        mixed |= one
    return mixed


def _take(ours: int, frames: Frames, heard: asyncio.Queue[bytes]) -> None:
    try:
        data = os.read(ours, _MOST)
    except OSError:  # nobody has the other end open
        return
    for frame in frames.feed(data):
        if not heard.full():
            heard.put_nowait(frame)


def _put(ours: int, words: bytes) -> None:
    os.write(ours, words)
