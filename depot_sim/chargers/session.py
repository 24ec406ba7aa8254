"""OCPP-J over one WebSocket (OCPP 1.6J §4, OCPP 2.0.1 part 4): CALL, CALLRESULT, CALLERROR."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from contracts.errors import LinkDownError, TransientError
from depot_sim.chargers.json_rpc import CallError, Json

_log = structlog.get_logger(__name__)
_CALL, _RESULT, _ERROR = 2, 3, 4
_encoded = json.JSONEncoder(separators=(",", ":")).encode
"""One encoder for all: making one a frame costs as much as a short frame."""


class Session:
    """Frames in and out. One CALL of ours is in flight; theirs are answered in the reader.

    `answer` must return at once, so the reader never waits for anything but the socket; when it
    returns None, or while `is_deaf` says so, their CALL is dropped. `delay` is awaited before
    every frame, in and out: the network's slowness.
    """

    def __init__(
        self,
        socket: ClientConnection,
        *,
        answer: Callable[[str, Json], Json | None],
        is_deaf: Callable[[], bool],
        delay: Callable[[], Awaitable[None]],
        timeout_s: float,
    ) -> None:
        self._socket = socket
        self._answer = answer
        self._is_deaf = is_deaf
        self._delay = delay
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._name, self._count = uuid.uuid4().hex[:16], 0
        self._asked: tuple[str, asyncio.Future[Json]] | None = None

    async def call(self, action: str, payload: Json) -> Json:
        """Send a CALL and wait for its result.

        Raises:
            CallError: answered by CALLERROR.
            LinkDownError: the socket is closed.
            TransientError: no answer in time.
        """
        async with self._turn:
            self._count += 1
            unique_id = f"{self._name}-{self._count}"
            future: asyncio.Future[Json] = asyncio.Future()
            self._asked = (unique_id, future)
            try:
                await self._send([_CALL, unique_id, action, payload])
                async with asyncio.timeout(self._timeout_s):
                    return await future
            except TimeoutError as error:
                raise TransientError(f"no answer to {action}") from error
            finally:
                self._asked = None

    async def read(self) -> None:
        """Serve the socket until it closes.

        Raises:
            LinkDownError: always, in the end.
        """
        try:
            async for frame in self._socket:
                await self._delay()
                await self._receive(frame)
        except ConnectionClosed as error:
            raise LinkDownError(str(error)) from error
        raise LinkDownError("closed by the central system")

    async def close(self) -> None:
        """Close the connection in order."""
        await self._socket.close()

    def abort(self) -> None:
        """Cut the connection as a pulled cable does: no closing handshake."""
        self._socket.transport.abort()

    async def _receive(self, frame: str | bytes) -> None:
        match _parsed(frame):
            case [2, str(unique_id), str(action), dict(payload)]:
                await self._serve(unique_id, action, payload)
            case [2, str(unique_id), *_]:
                await self._send([_ERROR, unique_id, "ProtocolError", "malformed CALL", {}])
            case [3, str(unique_id), dict(payload)]:
                self._settle(unique_id, payload)
            case [4, str(unique_id), str(code), str(text), *_]:
                self._settle(unique_id, CallError(code, text))
            case _:
                _log.warning("ocpp-frame-ignored", frame=str(frame)[:200])

    async def _serve(self, unique_id: str, action: str, payload: Json) -> None:
        if self._is_deaf():
            return
        try:
            result = self._answer(action, payload)
        except CallError as refusal:
            await self._send([_ERROR, unique_id, refusal.code, str(refusal), {}])
        else:
            if result is not None:
                await self._send([_RESULT, unique_id, result])

    def _settle(self, unique_id: str, outcome: Json | CallError) -> None:
        if self._asked is None or self._asked[0] != unique_id or self._asked[1].done():
            _log.warning("ocpp-late-answer", unique_id=unique_id)
        elif isinstance(outcome, CallError):
            self._asked[1].set_exception(outcome)
        else:
            self._asked[1].set_result(outcome)

    async def _send(self, message: list[Any]) -> None:
        await self._delay()
        await self.send_text(_encoded(message))

    async def send_text(self, text: str) -> None:
        """Send any text, well formed or not.

        Raises:
            LinkDownError: the socket is closed.
        """
        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise LinkDownError(str(error)) from error


def _parsed(frame: str | bytes) -> object:
    try:
        parsed: object = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return parsed
