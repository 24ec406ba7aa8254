"""One message to a VTN and its answer, looked at closely: what the gateway's transport hides."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from contracts.errors import LinkDownError, ProtocolError
from contracts.openadr import codec
from contracts.openadr.payloads import Payload
from contracts.openadr.xml.envelope import MAX_MESSAGE_BYTES
from contracts.time import Clock
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.transport import CONTENT_TYPE, service_of

_HEADERS = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE, "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back over HTTP."""

    status: int
    body: bytes
    content_type: str
    ahead: timedelta | None
    """The server's clock against ours by its Date header, which has whole seconds; None without."""


class Exchange:
    """Posts to one VTN; use it as an asynchronous context."""

    def __init__(self, settings: OpenAdrSettings, tls: ssl.SSLContext, clock: Clock) -> None:
        self._clock = clock
        self._timeout_s = settings.timeout_s
        self._client = httpx.AsyncClient(
            base_url=str(settings.url).rstrip("/") + "/",
            verify=tls,
            timeout=settings.timeout_s,
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Exchange:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, payload: Payload, document: bytes | None = None) -> Answer:
        """Send a message, or the sealed `document` of it, and take what comes.

        Raises:
            LinkDownError: the connection broke; the cause says how.
            ProtocolError: the answer is too large, or compressed.
        """
        body = codec.encode(payload) if document is None else document
        sent = self._clock.now()
        request = self._client.build_request(
            "POST", service_of(payload), content=body, headers=_HEADERS
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.send(request, stream=True)
                return await self._answer(response, sent)
        except (httpx.TransportError, OSError) as error:
            # An OSError is our own time limit, or a TLS alert, which anyio passes on as it is.
            raise LinkDownError(str(error)) from error

    async def _answer(self, response: httpx.Response, sent: datetime) -> Answer:
        try:
            return Answer(
                status=response.status_code,
                body=await _limited(response),
                content_type=response.headers.get("Content-Type", ""),
                ahead=_ahead(response.headers.get("Date"), sent, self._clock.now()),
            )
        finally:
            await response.aclose()


async def _limited(response: httpx.Response) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProtocolError("the answer is compressed, which the gateway does not read either")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_MESSAGE_BYTES:
            raise ProtocolError(f"the answer is larger than {MAX_MESSAGE_BYTES} bytes")
    return bytes(body)


def _ahead(date: str | None, sent: datetime, received: datetime) -> timedelta | None:
    """The server's clock against the middle of the exchange, rounded away what may be ours."""
    try:
        there = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    if there is None:
        return None
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    return there - (sent + (received - sent) / 2)
