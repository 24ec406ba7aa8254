"""Our own HTTPS server for Notifications: one path, one method, small bodies (8.7.3)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from contracts.errors import ProtocolError
from contracts.http_server import RequestError, read_body, serve
from contracts.sep2 import codec
from contracts.sep2.resources import Notification
from gateway.utility.sep2.settings import ListenerSettings
from gateway.utility.sep2.transport import READABLE, media_type

_log = structlog.get_logger(__name__)
MAX_BODY_BYTES = 1 << 19
_BODY_S = 10.0
"""A body that takes longer is not waited for."""
_AT_ONCE = 32
"""So many Notifications may be under way; more are turned away."""

Message = MutableMapping[str, Any]


class NotificationListener:
    """Takes Notifications for `take`, which says whether it knows what one is about."""

    def __init__(
        self,
        settings: ListenerSettings,
        tls: ssl.SSLContext,
        take: Callable[[Notification], bool],
    ) -> None:
        self._settings = settings
        self._tls = tls
        self._take = take
        self._path = settings.url.path or "/"
        self._under_way = 0

    async def run(self, ready: Callable[[int], None] | None = None) -> None:
        """Serve until cancelled; `ready` is told the port.

        Raises:
            PermanentError: the address cannot be listened on.
        """
        await serve(
            self,
            host=self._settings.host,
            port=self._settings.port,
            stopping=asyncio.Event(),
            tls=self._tls,
            ready=ready,
        )

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """One request (ASGI): 201 when it is taken, 400 when the server should end it."""
        if scope["type"] != "http":
            return
        self._under_way += 1
        try:
            status = await self._answer(scope, receive)
        finally:
            self._under_way -= 1
        headers = [(b"content-length", b"0")]
        if status >= _BAD_REQUEST:
            headers.append((b"connection", b"close"))  # the body may not have been read
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    async def _answer(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Message]]
    ) -> int:
        refusal = self._refusal(scope)
        if refusal is not None:
            return refusal
        try:
            body = await read_body(receive, max_bytes=MAX_BODY_BYTES, within_s=_BODY_S)
            notification = codec.decode(body, Notification, MAX_BODY_BYTES)
        except (RequestError, ProtocolError) as error:
            _log.warning("sep2_notification_unreadable", error=str(error))
            late = isinstance(error, RequestError) and error.status == _TIMEOUT
            return _TIMEOUT if late else _BAD_REQUEST
        if not self._take(notification):
            _log.info("sep2_notification_unknown", path=notification.subscribed_resource[:200])
            return _BAD_REQUEST
        return _CREATED

    def _refusal(self, scope: MutableMapping[str, Any]) -> int | None:
        """What is wrong before the body is looked at."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self._under_way > _AT_ONCE:
            return _UNAVAILABLE
        if scope["path"] != self._path:
            return _NOT_FOUND
        if scope["method"] != "POST":
            return _NOT_ALLOWED
        readable = media_type(headers.get(b"content-type", "")) in READABLE
        return None if readable else _UNSUPPORTED


_CREATED, _BAD_REQUEST, _NOT_FOUND, _NOT_ALLOWED = 201, 400, 404, 405
_TIMEOUT, _UNSUPPORTED, _UNAVAILABLE = 408, 415, 503
