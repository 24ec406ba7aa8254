"""A CAN adapter that speaks SLCAN (the Lawicel ASCII protocol), on a TCP port.

`t` with three hex digits of identifier, one of length and the data is a frame either way; `O` opens
the channel and `C` closes it. Any program with such an adapter's driver can be the other end, as
`slcand` on Linux or python-can.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

import structlog

from contracts.tasks import first_of
from contracts.time import Clock
from depot_sim.can.bms import CanBms
from depot_sim.can.frames import KEEP_ALIVE
from depot_sim.listening import listening

_LONGEST = 64
_FRAME = re.compile(rb"t([0-9A-Fa-f]{3})([0-8])((?:[0-9A-Fa-f]{2})*)")
_END, _DONE, _WRONG = b"\r", b"\r", b"\a"
_log = structlog.get_logger(__name__)


class SlcanAdapter:
    """One adapter on a bus with the battery managements that speak there."""

    def __init__(self, bms: Iterable[CanBms], clock: Clock, *, every_s: float = 1.0) -> None:
        self._bms = tuple(bms)
        self._clock = clock
        self._every_s = every_s

    def serving(self, host: str, port: int) -> AbstractAsyncContextManager[tuple[str, int]]:
        """Listen; where it really does. Raises as `listening`."""
        return listening(self._serve, host, port, limit=_LONGEST)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = asyncio.Event()
        try:
            await first_of(self._hear(reader, writer, opened), self._speak(writer, opened))
        except* (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as group:
            _log.info("slcan client gone", why=repr(group.exceptions[0]))

    async def _hear(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opened: asyncio.Event
    ) -> None:
        while True:
            line = (await reader.readuntil(_END)).rstrip(_END)
            if line == b"C":
                opened.clear()
            elif line[:1] in (b"O", b"L"):
                opened.set()
            elif line[:1] == b"t":
                writer.write(_DONE if self._frame(line) else _WRONG)
                continue
            writer.write(_DONE)

    def _frame(self, line: bytes) -> bool:
        found = _FRAME.fullmatch(line)
        if found is None or 2 * int(found[2]) != len(found[3]):
            return False
        if int(found[1], 16) == KEEP_ALIVE:
            for one in self._bms:
                one.keep_alives += 1
        return True

    async def _speak(self, writer: asyncio.StreamWriter, opened: asyncio.Event) -> None:
        while True:
            await opened.wait()
            for one in self._bms:
                for number, data in one.frames().items():
                    writer.write(f"t{number:03X}{len(data)}{data.hex().upper()}\r".encode())
            await writer.drain()
            await self._clock.sleep(self._every_s)
