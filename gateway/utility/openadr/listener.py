"""Push model: our own HTTPS server, to which one VTN posts its messages (simple HTTP)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from contracts.errors import ProtocolError, TransientError
from contracts.http_server import RequestError, peer_certificate, read_body, serve
from contracts.identity import openadr_fingerprint, server_context
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CancelPartyRegistration,
    CancelReport,
    CreateReport,
    DistributeEvent,
    EiResponse,
    Payload,
    RegisterReport,
    RequestReregistration,
    Response,
)
from contracts.openadr.signature import SignatureError
from contracts.openadr.xml.parsing import MAX_MESSAGE_BYTES
from contracts.time import Clock
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings, VenListenerSettings
from gateway.utility.openadr.transport import CONTENT_TYPE, READABLE, media_type

_log = structlog.get_logger(__name__)

SERVICES: dict[str, tuple[type, ...]] = {
    "EiEvent": (DistributeEvent,),
    "EiReport": (CreateReport, CancelReport, RegisterReport),
    "EiRegisterParty": (RequestReregistration, CancelPartyRegistration),
}
"""Which messages of a VTN each of our endpoints takes."""
NOT_ALLOWED = 451
PROFILE_PATH = "/OpenADR2/Simple/2.0b"
"""A VTN may take oadrTransportAddress with or without it."""
AT_ONCE = 8
"""So many requests may be under way."""
BURST, PER_S = 40.0, 10.0
"""Requests that may come together, and how many a second after that."""
_BODY_S = 10.0
"""A body that takes longer is not waited for."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
_OK, _BAD_REQUEST, _FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED = 200, 400, 403, 404, 405
_LENGTH_REQUIRED, _TOO_LARGE, _UNSUPPORTED = 411, 413, 415
_TOO_MANY, _UNAVAILABLE = 429, 503


class VenListener:
    """Takes the messages of one VTN, known by its client certificate, for `take`.

    `take` returns the answer to send; it may raise TransientError (the VTN should try again) and
    ProtocolError (the message makes no sense).

    Raises:
        ConfigError: certificate, key or root cannot be read.
    """

    def __init__(
        self,
        settings: OpenAdrSettings,
        listener: VenListenerSettings,
        security: MessageSecurity,
        clock: Clock,
        take: Callable[[Payload], Awaitable[Payload]],
    ) -> None:
        self._listener = listener
        self._tls = server_context(
            listener.cert or settings.cert, listener.key or settings.key, settings.ca
        )
        self._trusted = frozenset(settings.vtn_fingerprint)
        self._security = security
        self._take = take
        self._log = _log.bind(utility=settings.utility_id)
        self._rate = _Rate(clock)
        self._under_way = 0
        base = (listener.url.path or "").rstrip("/")
        self._services = {
            f"{base}{prefix}/{service}": service
            for service in SERVICES
            for prefix in ("", PROFILE_PATH)
        }

    async def run(self, ready: Callable[[int], None] | None = None) -> None:
        """Serve until cancelled; `ready` is told the port.

        Raises:
            PermanentError: the address cannot be listened on.
        """
        await serve(
            self,
            host=self._listener.host,
            port=self._listener.port,
            stopping=asyncio.Event(),
            tls=self._tls,
            ready=ready,
        )

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
            self._log.warning("openadr_push_refused", status=refused.status, why=str(refused))
            status, body = refused.status, b""
        finally:
            self._under_way -= 1
        await send(
            {"type": "http.response.start", "status": status, "headers": _head(status, body)}
        )
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> bytes:
        service = self._admit(scope)
        data = await read_body(receive, max_bytes=MAX_MESSAGE_BYTES, within_s=_BODY_S)
        return self._security.seal(codec.encode(await self._handle(service, data)))

    async def _handle(self, service: str, data: bytes) -> Payload:
        try:
            message = self._security.open(data)
            if not isinstance(message, SERVICES[service]):
                return _not_allowed(service, message)
            return await self._take(message)
        except SignatureError as error:
            raise RequestError(_FORBIDDEN, str(error)) from error
        except ProtocolError as error:
            raise RequestError(_BAD_REQUEST, str(error)) from error
        except TransientError as error:
            raise RequestError(_UNAVAILABLE, str(error)) from error

    def _admit(self, scope: MutableMapping[str, Any]) -> str:
        """The service asked for, once who asks and how is right; nothing has been read yet."""
        if self._under_way > AT_ONCE:
            raise RequestError(_UNAVAILABLE, f"more than {AT_ONCE} requests under way")
        peer = peer_certificate(scope)
        shown = openadr_fingerprint(peer) if peer else "none"
        if shown not in self._trusted:
            raise RequestError(_FORBIDDEN, f"the client's certificate is {shown}, not the VTN's")
        if not self._rate.allows_one():
            raise RequestError(_TOO_MANY, f"more than {PER_S:g} requests a second")
        service = self._services.get(scope["path"])
        if service is None:
            raise RequestError(_NOT_FOUND, f"no such service: {scope['path'][:100]!r}")
        if scope["method"] != "POST":
            raise RequestError(_NOT_ALLOWED, f"{scope['method'][:20]} instead of POST")
        _check_headers({name.lower(): value.decode("latin-1") for name, value in scope["headers"]})
        return service


class _Rate:
    """A token bucket."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens, self._at = BURST, clock.monotonic()

    def allows_one(self) -> bool:
        now = self._clock.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._at) * PER_S)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _check_headers(headers: dict[bytes, str]) -> None:
    """Content-Length and Content-Type as the profile wants them (rule 53), never chunked."""
    kind = media_type(headers.get(b"content-type", ""))
    if kind not in READABLE:
        raise RequestError(_UNSUPPORTED, f"{kind[:40]!r} is not {CONTENT_TYPE}")
    length = headers.get(b"content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise RequestError(_LENGTH_REQUIRED, "no Content-Length")
    if int(length) > MAX_MESSAGE_BYTES:
        raise RequestError(_TOO_LARGE, f"a message has at most {MAX_MESSAGE_BYTES} bytes")


def _head(status: int, body: bytes) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-length", str(len(body)).encode())]
    if body:
        headers.append((b"content-type", CONTENT_TYPE.encode()))
    if status in (_TOO_MANY, _UNAVAILABLE):
        headers.append((b"retry-after", b"5"))
    if status != _OK:
        headers.append((b"connection", b"close"))  # the body may not have been read
    return headers


def _not_allowed(service: str, message: Payload) -> Response:
    name = codec.message_name(message)
    response = EiResponse(
        code=NOT_ALLOWED,
        description=f"{name} is not for {service} of a VEN",
        request_id=getattr(message, "request_id", ""),
    )
    return Response(response=response)
