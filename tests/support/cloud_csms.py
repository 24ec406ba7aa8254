"""A cloud CSMS on a real socket: it answers as a test says, orders, and can be taken away."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from support.waiting import PATIENCE_S, until

Json = dict[str, Any]
_NOW = "2026-01-01T00:00:00Z"


@dataclass
class CloudCsms:
    """`answers`: by action a payload, a function of it, a list (CALLERROR), None (silence).

    Transaction ids of 1.6 count from 7001: none that the agent would give.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, Json]] = field(default_factory=list)
    logins: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    """(path, subprotocol, Basic credentials) of every connection."""
    refuses: bool = False
    """Whether new connections are turned away."""
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: nothing is answered until it is set again."""
    port: int = 0
    tls: ssl.SSLContext | None = None
    _socket: ServerConnection | None = None
    _server: Server | None = None
    _ids: Any = field(default_factory=lambda: itertools.count(1))
    _transactions: Any = field(default_factory=lambda: itertools.count(7001))
    _pending: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        scheme = "ws" if self.tls is None else "wss"
        return f"{scheme}://127.0.0.1:{self.port}/steve/websocket"

    @property
    def connected(self) -> bool:
        return self._socket is not None

    async def start(self) -> None:
        """Open the port: the same one each time."""
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            process_request=self._admit,
            select_subprotocol=lambda _, offered: next(iter(offered), None),
            compression=None,
            ssl=self.tls,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Go away, connections and all."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        return socket.respond(503, "not now\n") if self.refuses else None

    async def _serve(self, socket: ServerConnection) -> None:
        request = socket.request
        assert request is not None
        login = request.headers.get("Authorization")
        given = None if login is None else base64.b64decode(login.split()[1]).decode()
        self.logins.append((request.path, socket.subprotocol, given))
        self._socket = socket
        try:
            async with asyncio.TaskGroup() as tasks:
                async for text in socket:
                    frame = json.loads(text)
                    if frame[0] == 2:
                        tasks.create_task(self._answer(socket, frame))
                    elif (future := self._pending.pop(frame[1], None)) is not None:
                        future.set_result(frame)
        except* ConnectionClosed:
            pass
        finally:
            if self._socket is socket:
                self._socket = None

    async def _answer(self, socket: ServerConnection, frame: list[Any]) -> None:
        _, unique_id, action, payload = frame
        self.heard.append((action, payload))
        await self.held.wait()
        answer = self.answers.get(action, self._usual(action, payload))
        answer = answer(payload) if callable(answer) else answer
        if isinstance(answer, list):
            await socket.send(json.dumps([4, unique_id, *answer, {}]))
        elif answer is not None:
            await socket.send(json.dumps([3, unique_id, answer]))

    def _usual(self, action: str, payload: Json) -> Json:
        accepted = {"status": "Accepted"}
        if action == "StartTransaction":
            return {"transactionId": next(self._transactions), "idTagInfo": accepted}
        if action == "TransactionEvent":
            return {"idTokenInfo": accepted} if "idToken" in payload else {}
        usual: dict[str, Json] = {
            "BootNotification": {**accepted, "currentTime": _NOW, "interval": 300},
            "Heartbeat": {"currentTime": _NOW},
            "Authorize": {"idTokenInfo" if "idToken" in payload else "idTagInfo": accepted},
            "DataTransfer": accepted,
        }
        return usual.get(action, {})

    # --- orders ---------------------------------------------------------------------------------

    async def order(self, action: str, payload: Json) -> list[Any]:
        """Send a CALL; the frame that answers it."""
        await until(lambda: self._socket is not None)
        unique_id = f"cloud-{next(self._ids)}"
        future: asyncio.Future[Any] = asyncio.Future()
        self._pending[unique_id] = future
        await self.send(json.dumps([2, unique_id, action, payload]))
        async with asyncio.timeout(PATIENCE_S):
            frame: list[Any] = await future
        return frame

    async def result(self, action: str, payload: Json) -> Json:
        """As `order`, for a CALL that gets a result."""
        frame = await self.order(action, payload)
        assert frame[0] == 3, frame
        found: Json = frame[2]
        return found

    async def send(self, message: str | bytes) -> None:
        """Any frame."""
        assert self._socket is not None
        await self._socket.send(message)

    async def hang_up(self) -> None:
        """Close the connection."""
        assert self._socket is not None
        await self._socket.close()

    # --- what it has heard ----------------------------------------------------------------------

    def of(self, *actions: str) -> list[Json]:
        """Payloads of these, in order."""
        return [payload for action, payload in self.heard if action in actions]

    def actions(self, *of_interest: str) -> list[str]:
        """Names of what it heard, of these only, in order."""
        return [action for action, _ in self.heard if action in of_interest]

    async def hears(self, action: str, matches: Callable[[Json], bool] = lambda _: True) -> Json:
        """The first such CALL."""

        def found() -> list[Json]:
            return [payload for payload in self.of(action) if matches(payload)]

        await until(lambda: bool(found()))
        return found()[0]


@asynccontextmanager
async def cloud_csms(tls: ssl.SSLContext | None = None, **answers: Any) -> AsyncIterator[CloudCsms]:
    """One that runs."""
    cloud = CloudCsms(answers=answers, tls=tls)
    cloud.held.set()
    await cloud.start()
    try:
        yield cloud
    finally:
        cloud.held.set()
        await cloud.stop()
