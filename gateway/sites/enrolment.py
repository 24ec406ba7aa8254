"""The HTTPS door at which a site shows its one-time token. Strangers may knock, so it is narrow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.http_server import RequestError, read_body, serve
from contracts.identity import server_context
from contracts.pace import Pace
from contracts.site_link.codec import encode
from contracts.site_link.enrolment import (
    CA_PATH,
    ENROL_PATH,
    MAX_BYTES,
    Request,
    decode_request,
    secret_hash,
)
from contracts.site_link.messages import Credentials, Refusal
from contracts.time import Clock
from gateway.sites.credentials import TlsFiles

_log = structlog.get_logger(__name__)

AT_ONCE = 16
"""So many requests may be under way."""
PER_MINUTE = 20
"""Tries with one token, in the long run; a quarter of that at once."""
ALL_PER_MINUTE = 240
"""Tries of everybody together: signing costs."""
_BODY_S = 10.0
_EVERYBODY = ""
_REASON_CHARS = 500

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
_OK, _BAD, _FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED, _TOO_MANY, _LATER = (
    *(200, 400, 403, 404),
    *(405, 429, 503),
)


class EnrolmentDoor:
    """Serves `contracts.site_link.enrolment` on a listener of its own.

    `tls` holds the server's certificate and key, and the root that is handed out; `enrol` answers a
    request, or raises ProtocolError (400), PermanentError (403) or TransientError (503).

    Raises:
        ConfigError: a file cannot be read.
    """

    def __init__(
        self, tls: TlsFiles, enrol: Callable[[Request], Awaitable[Credentials]], clock: Clock
    ) -> None:
        self._tls = server_context(tls.cert, tls.key)
        self._ca = tls.ca.read_bytes()
        self._enrol = enrol
        self._each, self._all = Pace(PER_MINUTE, clock), Pace(ALL_PER_MINUTE, clock)
        self._under_way = 0

    async def run(self, host: str, port: int, ready: Callable[[int], None] | None = None) -> None:
        """Serve until cancelled; `ready` is told the port.

        Raises:
            PermanentError: the address cannot be listened on.
        """
        never = asyncio.Event()
        await serve(self, host=host, port=port, stopping=never, tls=self._tls, ready=ready)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Receive,
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http":
            return
        self._under_way += 1
        try:
            status, body = _OK, await self._answer(scope, receive)
        except RequestError as refused:
            _log.warning("enrolment_refused", status=refused.status, why=str(refused))
            refusal = Refusal(reason=str(refused)[:_REASON_CHARS])
            status, body = refused.status, encode(refusal)
        finally:
            self._under_way -= 1
        head = [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> bytes:
        if self._under_way > AT_ONCE:
            raise RequestError(_LATER, "busy: try again in a moment")
        match scope["method"], scope["path"]:
            case "GET", str(path) if path == CA_PATH:
                return self._ca
            case "POST", str(path) if path == ENROL_PATH:
                body = await read_body(receive, max_bytes=MAX_BYTES, within_s=_BODY_S)
                return await self._enrolled(body)
            case _, str(path) if path in (CA_PATH, ENROL_PATH):
                raise RequestError(_NOT_ALLOWED, f"{scope['method'][:20]} is not for this")
        raise RequestError(_NOT_FOUND, "nothing here: sites enrol with `gridyard site-agent join`")

    async def _enrolled(self, data: bytes) -> bytes:
        try:
            request = decode_request(data)
            self._slow_down(request)
            return encode(await self._enrol(request))
        except ProtocolError as error:
            raise RequestError(_BAD, str(error)) from error
        except PermanentError as error:
            raise RequestError(_FORBIDDEN, str(error)) from error
        except TransientError as error:
            raise RequestError(_LATER, f"not now: {error}") from error

    def _slow_down(self, request: Request) -> None:
        for pace, name in ((self._each, secret_hash(request.secret)), (self._all, _EVERYBODY)):
            wait_s = pace.wait_s(name)
            if wait_s:
                raise RequestError(_TOO_MANY, f"too often: try again in {wait_s:.0f} s")
