"""CALLs on their way to one charger: ordered by priority, one in flight, none forgotten."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import IntEnum

import msgspec

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


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A CALL of ours."""

    action: str
    payload: Json


@dataclass(slots=True, kw_only=True)
class _Waiting:
    rank: tuple[int, int]
    action: str
    turn: asyncio.Future[None]


@dataclass(slots=True, kw_only=True)
class _InFlight:
    """What was sent. It holds the slot until it is answered or too late, whoever still waits."""

    message_id: str
    action: str
    vital: bool
    answer: asyncio.Future[Json]
    late_at_s: float
    """When it counts as unanswered, by the loop's clock."""


class Outbox:
    """The CALLs of one socket. `send(message_id, request)` writes one.

    Every caller sends its own CALL when its turn comes, so a CALL costs no task of its own.
    `deaf` is called once `_DEAF_AFTER` vital CALLs in a row found no answer.
    """

    def __init__(
        self,
        send: Callable[[str, Request], None],
        *,
        timeout_s: float,
        deaf: Callable[[], None],
    ) -> None:
        self._send = send
        self._timeout_s = timeout_s
        self._deaf = deaf
        self._waiting: dict[Hashable, _Waiting] = {}
        self._taken = False
        """Whether the one slot is somebody's: between a turn given and the CALL's end."""
        self._in_flight: _InFlight | None = None
        self._order = itertools.count()
        self._name = str(uuid.uuid4())[:23]
        """What all ids of this socket begin with: 36 characters are allowed (OCPP-J 1.6 §4.1.4)."""
        self._unanswered = 0
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        """Looks for a CALL that is too late; one for many CALLs, since nearly all are answered."""

    async def call(
        self, request: Request, *, key: Hashable, priority: Priority, vital: bool = True
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
        if self._taken:
            await self._turn(request.action, key, priority)
        self._taken = True
        sent = self._fly(request.action, vital=vital)
        try:
            self._send(sent.message_id, request)
        except BaseException as error:
            sent.answer.add_done_callback(_heed)
            if isinstance(error, LinkDownError):
                self._land(sent)
            raise
        return await sent.answer

    def withdraw(self, key: Hashable) -> None:
        """The unsent CALL under this key, if any, is no longer wanted."""
        if old := self._waiting.pop(key, None):
            _fail(old.turn, SupersededError(f"{old.action} gave way to a newer one"))

    def settle(self, answer: Answer) -> bool:
        """Take an answer; False when nobody waits for it (any more)."""
        sent = self._in_flight
        if sent is None or sent.message_id != answer.message_id:
            return False
        self._unanswered = 0
        self._land(sent)
        if sent.answer.done():  # its caller has given up
            return False
        if isinstance(answer.outcome, CallRefusedError):
            sent.answer.set_exception(answer.outcome)
        else:
            sent.answer.set_result(answer.outcome)
        return True

    def close(self) -> None:
        """The socket is gone: everything waiting fails now."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._in_flight is not None:
            _fail(self._in_flight.answer, LinkDownError("connection closed"))
            self._in_flight = None
        for waiting in self._waiting.values():
            _fail(waiting.turn, LinkDownError("connection closed"))
        self._waiting.clear()

    # --- the one slot -----------------------------------------------------------------------------

    async def _turn(self, action: str, key: Hashable, priority: Priority) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            raise TransientError("too many calls are waiting")
        waiting = _Waiting(rank=(priority, next(self._order)), action=action, turn=asyncio.Future())
        self._waiting[key] = waiting
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if self._waiting.get(key) is waiting:
                del self._waiting[key]
            elif not waiting.turn.cancelled() and waiting.turn.exception() is None:
                self._next()  # its turn had come: the slot goes on
            raise
        if self._closed:
            raise LinkDownError("connection closed")

    def _fly(self, action: str, *, vital: bool) -> _InFlight:
        loop = asyncio.get_running_loop()  # noqa: TID251 (for a timer, which is no task)
        sent = _InFlight(
            message_id=f"{self._name}-{next(self._order)}",
            action=action,
            vital=vital,
            answer=asyncio.Future(),
            late_at_s=loop.time() + self._timeout_s,
        )
        self._in_flight = sent
        if self._timer is None:
            self._timer = loop.call_at(sent.late_at_s, self._look)
        return sent

    def _land(self, sent: _InFlight) -> None:
        if self._in_flight is sent:
            self._in_flight = None
            self._next()

    def _next(self) -> None:
        """Give the slot to whoever comes first; free it when nobody waits."""
        self._taken = bool(self._waiting)
        if self._waiting:
            key = min(self._waiting, key=lambda k: self._waiting[k].rank)
            self._waiting.pop(key).turn.set_result(None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()  # noqa: TID251 (as above)
        sent, self._timer = self._in_flight, None
        if sent is None:
            return
        if loop.time() >= sent.late_at_s:
            self._expire(sent)
        elif not self._closed:
            self._timer = loop.call_at(sent.late_at_s, self._look)

    def _expire(self, sent: _InFlight) -> None:
        _fail(sent.answer, NoAnswerError(f"no answer to {sent.action}"))
        self._land(sent)
        self._unanswered += sent.vital
        if self._unanswered >= _DEAF_AFTER:
            self._deaf()


def _fail(future: asyncio.Future[Json] | asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _heed(future: asyncio.Future[Json]) -> None:
    """Nobody waits for this outcome any more: that is no fault to be logged."""
    if not future.cancelled():
        future.exception()
