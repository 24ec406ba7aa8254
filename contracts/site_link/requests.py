"""Requests over one broker connection: who waits for which answer.

nats-py's own `request` costs a chain of futures and a timer for each message, and keeps whoever
asked waiting until the time is up when the connection has gone. Here a request is a line in a
table, and what comes to the inbox is matched by a token that only the one who was asked can know.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.errors import LinkDownError

Answer = TypeVar("Answer")
_TOKEN_BYTES = 12
_LOOK_S = 0.1
"""By so much longer than it should a request may wait."""
_NO_RESPONDERS = "503"


@dataclass(frozen=True, slots=True)
class _Waiting:
    subject: str
    answer: asyncio.Future[Any]
    read: Callable[[bytes], Any]
    until_s: float
    """By the loop's clock."""


class Requests:
    """Requests under way on one open connection; call `open` first and `close` at its end."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = f"{client.new_inbox()}."
        self._waiting: dict[str, _Waiting] = {}
        self._looking: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Listen for answers. What is sent afterwards reaches the broker after it knows that."""
        await self._client.subscribe(f"{self._inbox}*", cb=self._heard)

    async def send(
        self, subject: str, data: bytes, timeout_s: float, read: Callable[[bytes], Answer]
    ) -> asyncio.Future[Answer]:
        """Send a request. Its future gives the answer as `read` makes it of the bytes, or raises.

        It fails with LinkDownError when nobody listens there, no answer comes in time, or the
        connection goes; with what `read` raises otherwise. Raises as nats-py's `publish`, and then
        nothing is waited for.
        """
        token = secrets.token_hex(_TOKEN_BYTES)
        await self._client.publish(subject, data, reply=self._inbox + token)
        loop = asyncio.get_running_loop()  # noqa: TID251 (for a timer, which is no task)
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting[token] = _Waiting(subject, answer, read, loop.time() + timeout_s)
        if self._looking is None:
            self._looking = loop.call_later(_LOOK_S, self._look)
        return answer

    def close(self) -> None:
        """The connection has gone: no answer will come any more."""
        if self._looking is not None:
            self._looking.cancel()
        for token in list(self._waiting):
            self._fail(token, "the connection has gone")

    async def _heard(self, message: Msg) -> None:
        """An answer; one that is late, comes twice or was never asked for is nobody's."""
        waiting = self._waiting.pop(message.subject[len(self._inbox) :], None)
        if waiting is None:
            return
        if waiting.answer.done():  # whoever asked has been cancelled
            return
        if message.headers and message.headers.get("Status") == _NO_RESPONDERS:
            waiting.answer.set_exception(LinkDownError(f"{waiting.subject}: no responders"))
            return
        try:
            waiting.answer.set_result(waiting.read(message.data))
        except Exception as error:
            waiting.answer.set_exception(error)

    def _look(self) -> None:
        """Give up those whose time is up: one timer for all, set while anybody waits."""
        loop = asyncio.get_running_loop()  # noqa: TID251 (as above)
        now_s = loop.time()
        for token in [t for t, one in self._waiting.items() if one.until_s <= now_s]:
            self._fail(token, "timeout")
        self._looking = loop.call_later(_LOOK_S, self._look) if self._waiting else None

    def _fail(self, token: str, why: str) -> None:
        waiting = self._waiting.pop(token)
        if not waiting.answer.done():
            waiting.answer.set_exception(LinkDownError(f"{waiting.subject}: {why}"))
