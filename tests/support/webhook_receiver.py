"""A receiver of webhooks on a real socket: scripted answers, checked signatures."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from contracts.http_server import hang_up, read_body, serve


@dataclass(frozen=True)
class Delivered:
    """One request as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def signed_with(self, secret: bytes) -> bool:
        content = f"{self.event_id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
        return f"v1,{wanted}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """What came, accepted or not, and what is answered next (204 when nothing is scripted)."""

    heard: list[Delivered] = field(default_factory=list)
    seen: list[Delivered] = field(default_factory=list)
    answers: deque[tuple[int, Mapping[str, str]]] = field(default_factory=deque)
    """Status 0 hangs up."""
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, max_bytes=1 << 20, within_s=10)
        one = Delivered(dict(Headers(scope=scope)), body)
        self.seen.append(one)
        status, headers = self.answers.popleft() if self.answers else (204, {})
        if status == 0:
            hang_up(scope)
            return
        if status < 300:
            self.heard.append(one)
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def webhook_receiver() -> AsyncIterator[Receiver]:
    """Listens while the block runs."""
    receiver = Receiver()
    stopping = asyncio.Event()
    port: asyncio.Future[int] = asyncio.Future()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve(receiver, host="127.0.0.1", port=0, stopping=stopping, ready=port.set_result)
        )
        receiver.url = f"http://127.0.0.1:{await port}/hook"
        try:
            yield receiver
        finally:
            stopping.set()
