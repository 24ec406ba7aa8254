"""A meter's TCP port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import structlog

from contracts.time import Clock
from depot_sim.dlms.framing import Framing
from depot_sim.dlms.meter import DlmsMeter
from depot_sim.faults import FaultKind
from depot_sim.listening import listening

_LIMIT = 4096
_log = structlog.get_logger(__name__)


class DlmsServer:
    """Serves one meter; `framing` makes the framing of each client."""

    def __init__(self, meter: DlmsMeter, framing: Callable[[], Framing], clock: Clock) -> None:
        self._meter = meter
        self._framing = framing
        self._clock = clock

    def serving(self, host: str, port: int) -> AbstractAsyncContextManager[tuple[str, int]]:
        """Listen; where it really does. Raises as `listening`."""
        return listening(self._serve, host, port, limit=_LIMIT)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framing, association = self._framing(), self._meter.association()
        try:
            while True:
                apdu, answer = framing.opened(await framing.read(reader))
                if apdu:
                    answer = framing.framed(association.answer(apdu))
                if not await self._send(writer, answer):
                    return
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError) as error:
            _log.info("dlms client gone", why=repr(error))

    async def _send(self, writer: asyncio.StreamWriter, answer: bytes) -> bool:
        """Send an answer as well as its faults allow; False when the connection is cut."""
        meter = self._meter
        if meter.late_s:
            await self._clock.sleep(meter.late_s)
        if meter.suffers(FaultKind.CUT):
            writer.write(answer[: len(answer) // 2])
            return False
        if meter.suffers(FaultKind.GARBLED):
            answer = bytes(byte ^ 0x55 for byte in answer)
        if not meter.suffers(FaultKind.OFFLINE):
            writer.write(answer)
        return True
