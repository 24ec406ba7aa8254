"""One request, one answer: OpenADR 2.0b simple HTTP, pull model, over mutual TLS."""

from __future__ import annotations

import ssl

import httpx

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledPartyRegistration,
    CancelPartyRegistration,
    CreatedEvent,
    CreatePartyRegistration,
    Payload,
    Poll,
    QueryRegistration,
    RequestEvent,
    Response,
)
from gateway.utility.openadr.settings import OpenAdrSettings

MAX_ANSWER_BYTES = 1 << 20
_CONTENT_TYPE = "application/xml"


def service_of(payload: Payload) -> str:
    """The endpoint of the VTN that takes this message (OpenADR 2.0b, simple HTTP)."""
    match payload:
        case Poll():
            return "OadrPoll"
        case RequestEvent() | CreatedEvent():
            return "EiEvent"
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


class VtnTransport:
    """Posts messages to one VTN. Redirects are never followed; answers are limited in size."""

    def __init__(self, settings: OpenAdrSettings, tls: ssl.SSLContext) -> None:
        self._client = httpx.AsyncClient(
            base_url=str(settings.url).rstrip("/") + "/",
            verify=tls,
            timeout=settings.timeout_s,
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def exchange(self, payload: Payload) -> Payload:
        """Post a message and return the answer.

        Raises:
            TransientError: unreachable, too slow, 5xx or an empty body: try again later.
            PermanentError: the VTN refused the request (4xx) and would again.
            ProtocolError: the answer is not an OpenADR message.
        """
        return await self.post(service_of(payload), codec.encode(payload))

    async def post(self, service: str, body: bytes) -> Payload:
        """As `exchange`, for a message already encoded."""
        try:
            async with self._client.stream(
                "POST", service, content=body, headers={"Content-Type": _CONTENT_TYPE}
            ) as response:
                _check_status(response, service)
                answer = await _read_limited(response)
        except httpx.TransportError as error:
            raise LinkDownError(f"{service}: {type(error).__name__}: {error}") from error
        if not answer.strip():
            raise TransientError(f"{service}: empty answer")
        return codec.decode(answer)


def _check_status(response: httpx.Response, service: str) -> None:
    code = response.status_code
    if code >= httpx.codes.INTERNAL_SERVER_ERROR or code == httpx.codes.TOO_MANY_REQUESTS:
        raise TransientError(f"{service}: HTTP {code}")
    if code >= httpx.codes.BAD_REQUEST:
        raise PermanentError(f"{service}: HTTP {code}")
    if code != httpx.codes.OK:
        raise ProtocolError(f"{service}: unexpected HTTP {code}")


async def _read_limited(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise ProtocolError(f"answer larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)
