"""Messages on their way to the VTN: stored before they are sent, dropped once it has them."""

from __future__ import annotations

import asyncio
import itertools

import structlog

from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import Payload
from gateway.utility.openadr.memory import Unsent, VenMemory
from gateway.utility.openadr.transport import VtnTransport, service_of

_log = structlog.get_logger(__name__)
MAX_GARBLED_ANSWERS = 8
"""So often may the VTN answer one message with nonsense before the rest goes on without it."""


class VenOutbox:
    """First in, first out. The same key again replaces the unsent message."""

    def __init__(self, memory: VenMemory) -> None:
        self._memory = memory
        self._queue: dict[str, Unsent] = {}
        self._number = itertools.count(1)
        self._garbled: dict[str, int] = {}
        self.filled = asyncio.Event()
        """Set while something waits to be sent."""

    async def restore(self) -> None:
        """Take up what a predecessor left."""
        self._queue = await self._memory.all(Unsent)
        highest = max((int(key.split("-", 1)[0]) for key in self._queue), default=0)
        self._number = itertools.count(highest + 1)
        self._note()

    async def put(self, payload: Payload, key: str) -> None:
        """Store a message; `key` says what it is about, so that it is never sent twice."""
        waiting = next((k for k in self._queue if k.split("-", 1)[1] == key), None)
        full_key = waiting or f"{next(self._number):012d}-{key}"
        unsent = Unsent(service=service_of(payload), xml=codec.encode(payload).decode())
        await self._memory.put(full_key, unsent)
        self._queue[full_key] = unsent
        self._note()

    async def flush(self, transport: VtnTransport) -> list[Payload]:
        """Send everything in order; returns the answers.

        A message the VTN refuses for good is logged and dropped, so that it cannot block the rest.

        Raises:
            TransientError: the VTN cannot take it now; everything unsent stays.
        """
        answers: list[Payload] = []
        for key, unsent in list(self._queue.items()):
            answer = await self._send(transport, key, unsent)
            if answer is not None:
                answers.append(answer)
            await self._memory.drop(Unsent, [key])
            self._queue.pop(key, None)
            self._garbled.pop(key, None)
        self._note()
        return answers

    async def _send(self, transport: VtnTransport, key: str, unsent: Unsent) -> Payload | None:
        try:
            return await transport.post(unsent.service, unsent.xml.encode())
        except PermanentError as error:
            _log.error("openadr_message_refused", key=key, error=str(error))
        except ProtocolError as error:
            tries = self._garbled[key] = self._garbled.get(key, 0) + 1
            if tries < MAX_GARBLED_ANSWERS:
                raise TransientError(f"answer to {key}: {error}") from error
            _log.error("openadr_answers_garbled", key=key, tries=tries, error=str(error))
        return None

    def _note(self) -> None:
        if self._queue:
            self.filled.set()
        else:
            self.filled.clear()
