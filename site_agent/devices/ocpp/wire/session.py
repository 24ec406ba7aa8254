"""OCPP-J over one WebSocket: their CALLs answered in order, ours sent one at a time.

Frames are sorted as they come in, whatever a handler does, so a handler may wait for an answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable

import structlog
from websockets.frames import CloseCode

from contracts.errors import LinkDownError, TransientError
from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.wire import frames, schemas
from site_agent.devices.ocpp.wire.frames import BadFrameError, Call, CallFaultError, Fault, Json
from site_agent.devices.ocpp.wire.line import Line
from site_agent.devices.ocpp.wire.outbox import Outbox, Priority, Request
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.devices.ocpp.wire.trace import Direction, Trace

_MOST_UNANSWERED = 64
"""A charger may have one CALL in flight; whoever has this many, or sends more frames in a row that
are of no use, floods us."""

_REFUSED = (CloseCode.PROTOCOL_ERROR, CloseCode.INVALID_DATA, CloseCode.MESSAGE_TOO_BIG)

_log = structlog.get_logger(__name__)


class Session:
    """One connection of a charging station. `serve` handles a CALL and returns its result."""

    def __init__(
        self,
        socket: Line,
        *,
        dialect: Dialect,
        serve: Callable[[str, Json], Awaitable[Json]],
        clock: Clock,
        timeout_s: float,
        tally: Tally,
        trace: Trace,
    ) -> None:
        self._socket = socket
        self._trace = trace
        self._dialect = dialect
        self._serve = serve
        self._clock = clock
        self._tally = tally
        self._inbox: deque[Call | bytes] = deque()
        """CALLs to be answered, and answers to frames that were none."""
        self._idle: asyncio.Future[None] | None = None
        """Pending while nothing is to be answered."""
        self._outbox = Outbox(self._send_call, timeout_s=timeout_s, deaf=self._deaf)
        self._useless = 0
        self._ended = asyncio.Event()
        self._close: tuple[int, str] = (CloseCode.NORMAL_CLOSURE, "")
        self.spoken = asyncio.Event()
        """Set once the charger's first CALL has been answered."""
        self.last_seen = clock.now()
        """When the last frame of any kind came in."""

    async def run(self) -> None:
        """Serve the socket until it closes or `end` is called."""
        self._socket.listen(self._heard, self.end)
        try:
            await first_of(self._ended.wait(), self._socket.wait_closed(), self._answer_in_order())
        finally:
            self.end(CloseCode.NORMAL_CLOSURE, "")
            await self._socket.close(*self._close)
            sent = self._socket.protocol.close_sent
            if sent is not None and sent.code in _REFUSED:
                self._tally.note("frame refused", code=sent.code)

    def end(self, code: int, reason: str) -> None:
        """Close the connection; whatever waits for an answer fails at once."""
        if not self._ended.is_set():
            self._close = (code, reason)
            self._ended.set()
            self._outbox.close()

    def call(
        self, request: Request, *, key: Hashable, priority: Priority, vital: bool = True
    ) -> Coroutine[object, object, Json]:
        """Send a CALL, strictly by its schema, and wait for the result; see `Outbox.call`.

        Raises:
            OutboundError: the request breaks its schema.
        """
        version = self._dialect.version
        schemas.check(version, schemas.request(version, request.action), request.payload)
        return self._outbox.call(request, key=key, priority=priority, vital=vital)

    async def relay(self, request: Request, *, key: Hashable, priority: Priority) -> Json:
        """As `call`, for what another one has said: as it is, whatever its schema says."""
        return await self._outbox.call(request, key=key, priority=priority)

    def withdraw(self, key: Hashable) -> None:
        """Drop the unsent CALL under this key."""
        self._outbox.withdraw(key)

    # --- inbound ----------------------------------------------------------------------------------

    def _heard(self, message: str | bytes) -> None:
        if not self._ended.is_set():
            self.last_seen = self._clock.now()
            self._trace.note(Direction.IN, message, self.last_seen)
            self._sort(message)

    def _sort(self, message: str | bytes) -> None:
        try:
            frame = frames.parse(message)
        except BadFrameError as bad:
            self._tally.note("bad frame", reason=str(bad))
            self._wasted()
            code = self._dialect.error_code(bad.fault)
            if bad.message_id is not None and code is not None:
                self._take(frames.error(bad.message_id, code, str(bad)))
            return
        if isinstance(frame, Call):
            self._take(frame)
        elif not self._outbox.settle(frame):
            self._tally.note("answer to nothing")
            self._wasted()
            return
        self._useless = 0

    def _wasted(self) -> None:
        """A frame of no use; with too many in a row the connection is of none either."""
        self._useless += 1
        if self._useless > _MOST_UNANSWERED:
            self._flooded()

    def _take(self, item: Call | bytes) -> None:
        if len(self._inbox) >= _MOST_UNANSWERED:
            self._flooded()
        else:
            self._inbox.append(item)
            if self._idle is not None and not self._idle.done():
                self._idle.set_result(None)

    def _flooded(self) -> None:
        if not self._ended.is_set():
            self._tally.note("flood")
            self._socket.read_no_more()
            self.end(CloseCode.POLICY_VIOLATION, "too many messages at once")

    async def _answer_in_order(self) -> None:
        while True:
            if not self._inbox:
                self._idle = asyncio.Future()
                await self._idle
            while self._inbox:
                item = self._inbox.popleft()
                reply = item if isinstance(item, bytes) else await self._reply(item)
                try:
                    self._send(reply)
                except LinkDownError:
                    return
                self.spoken.set()

    async def _reply(self, call: Call) -> bytes:
        """The answer frame: there always is one, whatever a handler does."""
        try:
            payload = await self._serve(call.action, call.payload)
            schemas.check(self._dialect.version, schemas.response(call.action), payload)
        except CallFaultError as fault:
            self._tally.note("bad call", action=call.action[:50], reason=str(fault))
            return refusal(self._dialect, call, fault.fault, str(fault))
        except TransientError as error:
            _log.warning("ocpp call failed", action=call.action, reason=str(error))
            return refusal(self._dialect, call, Fault.INTERNAL, "try again")
        except Exception:  # the peer's boundary: one charger's message must not stop the depot
            _log.exception("ocpp handler failed", action=call.action[:50])
            return refusal(self._dialect, call, Fault.INTERNAL, "internal error")
        return frames.result(call.message_id, payload)

    # --- outbound ---------------------------------------------------------------------------------

    def _send_call(self, message_id: str, request: Request) -> None:
        self._send(frames.call(message_id, request.action, request.payload))

    def _send(self, text: bytes) -> None:
        self._trace.note(Direction.OUT, text, self._clock.now())
        self._socket.write(text)

    def _deaf(self) -> None:
        self._tally.note("deaf")
        self.end(CloseCode.GOING_AWAY, "no answers")


def refusal(dialect: Dialect, call: Call, fault: Fault, text: str) -> bytes:
    """The CALLERROR frame for a CALL that cannot be served."""
    return frames.error(call.message_id, dialect.error_code(fault) or "GenericError", text)
