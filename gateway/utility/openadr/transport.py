"""One request, one answer: OpenADR 2.0b simple HTTP over mutual TLS, as the VTN's client."""

from __future__ import annotations

import asyncio
import ssl

import httpx

from contracts.errors import LinkDownError, PermanentError, TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelOpt,
    CancelPartyRegistration,
    CreatedEvent,
    CreateOpt,
    CreatePartyRegistration,
    Payload,
    Poll,
    QueryRegistration,
    RequestEvent,
    Response,
)
from contracts.openadr.signature import SignatureError
from contracts.tasks import heed_cancellation
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings

MAX_ANSWER_BYTES = 1 << 20
CONTENT_TYPE = "application/xml"
READABLE = frozenset({CONTENT_TYPE, "text/xml"})
"""Media types an OpenADR message may be declared as; we send the first (profile rule 53)."""
_HEADERS = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE, "Accept-Encoding": "identity"}
_ABOUT_THE_MESSAGE = frozenset({400, 406, 413, 415, 422})
"""HTTP codes that say that this message is wrong; the others are about the way or the server."""


def service_of(payload: Payload) -> str:
    """The endpoint of the VTN that takes this message (OpenADR 2.0b, simple HTTP)."""
    match payload:
        case Poll():
            return "OadrPoll"
        case RequestEvent() | CreatedEvent():
            return "EiEvent"
        case CreateOpt() | CancelOpt():
            return "EiOpt"
        case (
            QueryRegistration()
            | CreatePartyRegistration()
            | CancelPartyRegistration()
            | CanceledPartyRegistration()
            | Response()
        ):
            return "EiRegisterParty"
        case _:
            return "EiReport"


def media_type(content_type: str) -> str:
    """The type of a Content-Type header without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


class VtnTransport:
    """Posts messages to one VTN: signed as they leave, checked as they come.

    Connections are kept and used again. Redirects are never followed, bodies are never chunked,
    and answers are limited in size and time.
    """

    def __init__(
        self, settings: OpenAdrSettings, tls: ssl.SSLContext, security: MessageSecurity
    ) -> None:
        self._security = security
        self._timeout_s = settings.timeout_s
        self._client = httpx.AsyncClient(
            base_url=str(settings.url).rstrip("/") + "/",
            verify=tls,
            timeout=settings.timeout_s,
            follow_redirects=False,
            trust_env=False,
            headers=_HEADERS,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def exchange(self, payload: Payload) -> Payload:
        """Post a message and return the answer.

        Raises:
            TransientError: try again later: unreachable, too slow, 5xx, a redirect, an empty body,
                something else than XML, or an answer whose signature does not hold.
            PermanentError: the VTN does not take this message (400, 413, 415, 422).
            ProtocolError: the answer is not an OpenADR message.
        """
        service = service_of(payload)
        answer = await self.post(service, codec.encode(payload))
        if answer is None:
            raise TransientError(f"{service}: empty answer")
        return answer

    async def post(self, service: str, document: bytes) -> Payload | None:
        """As `exchange`, for a message already encoded and not yet signed; None: it was empty."""
        request = self._client.build_request("POST", service, content=self._security.seal(document))
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._send(request, service)
        except TimeoutError as error:
            heed_cancellation()
            raise LinkDownError(f"{service}: no whole answer in {self._timeout_s:g} s") from error
        except (httpx.TransportError, OSError) as error:
            # An alert of TLS 1.3 after the handshake passes the HTTP library as ssl.SSLError.
            heed_cancellation()
            raise LinkDownError(f"{service}: {type(error).__name__}: {error}") from error
        if not answer.strip():
            return None
        try:
            return self._security.open(answer)
        except SignatureError as error:
            raise TransientError(f"{service}: {error}") from error

    async def _send(self, request: httpx.Request, service: str) -> bytes:
        response = await self._client.send(request, stream=True)
        try:
            body = await _read_limited(response, service)
        finally:
            await response.aclose()
        _check(response, body, service)
        return body


def _check(response: httpx.Response, body: bytes, service: str) -> None:
    code = response.status_code
    if code in _ABOUT_THE_MESSAGE:
        raise PermanentError(f"{service}: HTTP {code}")
    if code != httpx.codes.OK:
        raise TransientError(f"{service}: HTTP {code}")
    kind = media_type(response.headers.get("Content-Type", ""))
    if body.strip() and kind not in READABLE:
        raise TransientError(f"{service}: the answer is {kind[:40]!r}, not {CONTENT_TYPE}")


async def _read_limited(response: httpx.Response, service: str) -> bytes:
    """The whole body, so that the connection can be used again."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise TransientError(f"{service}: the answer is compressed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise TransientError(f"{service}: answer larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)
