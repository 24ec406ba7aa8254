"""Messages on their way to the VTN: stored before they are sent, dropped once it has them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import structlog

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import Payload, Response
from gateway.utility.openadr.memory import Unsent, VenMemory
from gateway.utility.openadr.transport import VtnTransport, service_of

_log = structlog.get_logger(__name__)
MAX_TRIES = 8
"""So often may the VTN refuse one message, or answer it with nonsense, before it is given up."""


class VenOutbox:
    """First in, first out. The same key again replaces the unsent message.

    Messages are stored unsigned and are the same, requestID and all, at every attempt: a VTN that
    has it already, and whose answer was lost, can tell.
    """

    def __init__(self, memory: VenMemory) -> None:
        self._memory = memory
        self._queue: dict[str, Unsent] = {}
        self._number = itertools.count(1)
        self._refused: dict[str, int] = {}
        self._lent: dict[str, Callable[[], Awaitable[None]]] = {}
        self.filled = asyncio.Event()
        """Set while something waits that the VTN has not refused yet."""

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
        unsent = Unsent(
            service=service_of(payload),
            xml=codec.encode(payload).decode(),
            answer_expected=not isinstance(payload, Response),
        )
        await self._memory.put(full_key, unsent)
        self._queue[full_key] = unsent
        self._refused.pop(full_key, None)
        self._note()

    def lend(self, unsent: Unsent, key: str, taken: Callable[[], Awaitable[None]]) -> None:
        """Send a message that its owner stores; `taken` is told when the VTN has it.

        After a restart the owner lends it again.
        """
        self.withdraw(key)
        full_key = f"{next(self._number):012d}-{key}"
        self._queue[full_key], self._lent[full_key] = unsent, taken
        self._note()

    def withdraw(self, key: str) -> None:
        """Do not send what was lent under this key, if it is still here."""
        for full_key in [k for k in self._lent if k.split("-", 1)[1] == key]:
            del self._queue[full_key], self._lent[full_key]
            self._refused.pop(full_key, None)
        self._note()

    async def flush(
        self, transport: VtnTransport, heard: Callable[[Payload], Awaitable[None]]
    ) -> None:
        """Send everything in order; `heard` is told each answer.

        A message the VTN refuses for its own sake lets the others pass, is tried again at the next
        flush, and is given up after `MAX_TRIES`. A report (what is lent) on which a VTN that can
        be reached stumbles lets them pass too, and is never given up: events matter more.

        Raises:
            TransientError: the VTN cannot take it now; everything unsent stays.
        """
        try:
            for key, unsent in list(self._queue.items()):
                if self._queue.get(key) is unsent:
                    await self._send(transport, key, unsent, heard)
        finally:
            self._note()

    async def _send(
        self,
        transport: VtnTransport,
        key: str,
        unsent: Unsent,
        heard: Callable[[Payload], Awaitable[None]],
    ) -> None:
        try:
            answer = await self._post(transport, unsent)
        except LinkDownError:
            raise
        except TransientError as error:
            if key not in self._lent:
                raise
            self._refused.setdefault(key, 0)
            _log.warning("openadr_report_postponed", key=key, error=str(error))
            return
        except (PermanentError, ProtocolError) as error:
            if self._give_up(key, error):
                await self._done(key, unsent)
            return
        await self._done(key, unsent)
        if answer is not None:
            await heard(answer)

    async def _post(self, transport: VtnTransport, unsent: Unsent) -> Payload | None:
        answer = await transport.post(unsent.service, unsent.xml.encode())
        if answer is None and unsent.answer_expected:
            raise TransientError(f"{unsent.service}: empty answer")
        return answer

    async def _done(self, key: str, sent: Unsent) -> None:
        """Forget a message, unless another has taken its place while it was on its way."""
        if self._queue.get(key) is not sent:
            return
        del self._queue[key]
        self._refused.pop(key, None)
        taken = self._lent.pop(key, None)
        if taken is not None:
            await taken()
        else:
            await self._memory.drop(Unsent, [key])

    def _give_up(self, key: str, error: Exception) -> bool:
        tries = self._refused[key] = self._refused.get(key, 0) + 1
        if tries < MAX_TRIES:
            _log.warning("openadr_message_refused", key=key, tries=tries, error=str(error))
            return False
        _log.error("openadr_message_given_up", key=key, tries=tries, error=str(error))
        return True

    def _note(self) -> None:
        if self._queue.keys() - self._refused.keys():
            self.filled.set()
        else:
            self.filled.clear()
