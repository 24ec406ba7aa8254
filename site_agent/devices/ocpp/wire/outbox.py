"""CALLs on their way to one charger: ordered by priority, one in flight, none forgotten."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from enum import IntEnum

from contracts.errors import LinkDownError, TransientError
from site_agent.devices.ocpp.wire.frames import Answer, CallRefusedError, Json, NoAnswerError

_MOST_WAITING = 32
_DEAF_AFTER = 3
"""Unanswered CALLs in a row after which only a new connection helps."""


class SupersededError(TransientError):
    """A newer value took this one's place before it was sent."""


class Priority(IntEnum):
    """Lower goes first."""

    LIMIT = 0
    RESTING = 1
    ROUTINE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A CALL of ours."""

    action: str
    payload: Json


@dataclass(slots=True, kw_only=True)
class _Waiting:
    rank: tuple[int, int]
    action: str
    text: str
    vital: bool
    answer: asyncio.Future[Json]


class Outbox:
    """The CALLs of one socket. `send(message_id, action, payload text)` writes one.

    `deaf` is called once `_DEAF_AFTER` vital CALLs in a row found no answer.
    """

    def __init__(
        self,
        send: Callable[[str, str, str], Awaitable[None]],
        *,
        timeout_s: float,
        deaf: Callable[[], None],
    ) -> None:
        self._send = send
        self._timeout_s = timeout_s
        self._deaf = deaf
        self._waiting: dict[Hashable, _Waiting] = {}
        self._in_flight: dict[str, asyncio.Future[Json]] = {}
        self._order = itertools.count()
        self._arrived = asyncio.Event()
        self._unanswered = 0
        self._closed = False

    async def call(
        self, action: str, text: str, *, key: Hashable, priority: Priority, vital: bool = True
    ) -> Json:
        """Send a CALL when its turn comes and wait for the result.

        A CALL not yet sent under the same `key` gives way to this one. Best effort (not `vital`)
        CALLs do not count towards deafness.

        Raises:
            CallRefusedError: answered by CALLERROR.
            NoAnswerError: no answer in time.
            SupersededError: gave way to a newer one, unsent.
            LinkDownError: the socket is closed.
            TransientError: too many are waiting.
        """
        if self._closed:
            raise LinkDownError("not connected")
        self.withdraw(key)
        if len(self._waiting) >= _MOST_WAITING:
            raise TransientError("too many calls are waiting")
        waiting = _Waiting(
            rank=(priority, next(self._order)),
            action=action,
            text=text,
            vital=vital,
            answer=asyncio.Future(),
        )
        self._waiting[key] = waiting
        self._arrived.set()
        try:
            # shielded: a caller that gives up must not free the slot of a CALL in flight
            return await asyncio.shield(waiting.answer)
        except asyncio.CancelledError:
            if self._waiting.get(key) is waiting:
                del self._waiting[key]
            raise

    def withdraw(self, key: Hashable) -> None:
        """The unsent CALL under this key, if any, is no longer wanted."""
        if old := self._waiting.pop(key, None):
            _fail(old.answer, SupersededError(f"{old.action} gave way to a newer one"))

    def settle(self, answer: Answer) -> bool:
        """Take an answer; False when nobody waits for it (any more)."""
        future = self._in_flight.pop(answer.message_id, None)
        if future is None or future.done():
            return False
        if isinstance(answer.outcome, CallRefusedError):
            future.set_exception(answer.outcome)
        else:
            future.set_result(answer.outcome)
        return True

    def close(self) -> None:
        """The socket is gone: everything waiting fails now."""
        self._closed = True
        for future in [*self._in_flight.values(), *(w.answer for w in self._waiting.values())]:
            _fail(future, LinkDownError("connection closed"))
        self._in_flight.clear()
        self._waiting.clear()

    async def run(self) -> None:
        """Send one CALL after the other until cancelled."""
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            key = min(self._waiting, key=lambda k: self._waiting[k].rank)
            await self._deliver(self._waiting.pop(key))

    async def _deliver(self, waiting: _Waiting) -> None:
        message_id, answer = str(uuid.uuid4()), waiting.answer
        self._in_flight[message_id] = answer
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._send(message_id, waiting.action, waiting.text)
                await asyncio.wait([answer])
        except TimeoutError:
            _fail(answer, NoAnswerError(f"no answer to {waiting.action}"))
            self._count_unanswered(waiting)
        except LinkDownError as error:
            _fail(answer, error)
        else:
            self._unanswered = 0
        finally:
            self._in_flight.pop(message_id, None)
            _fail(answer, LinkDownError("connection closed"))  # cancelled: nobody may hang

    def _count_unanswered(self, waiting: _Waiting) -> None:
        self._unanswered += waiting.vital
        if self._unanswered >= _DEAF_AFTER:
            self._deaf()


def _fail(future: asyncio.Future[Json], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
