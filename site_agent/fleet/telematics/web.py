"""JSON over HTTPS from a provider: bounded, and its failures in our words."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from site_agent.fleet.telematics.seen import RateLimitedError

MAX_BYTES = 8 * 1024 * 1024
_TIMEOUT_S = 30.0
_WHOLE_S = 90.0
_LONGEST_S = 3600.0
_UNAUTHORIZED = (401, 403)
_TOO_MANY = 429
_SERVER = 500
_CLIENT = 400
_HEADERS = {"Accept": "application/json", "User-Agent": "gridyard-site-agent"}


class UnauthorizedError(PermanentError):
    """Our credentials do not hold (any more)."""


class Web:
    """Asks one provider; redirects are not followed."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, method: str, url: str, **more: Any) -> object:  # noqa: ANN401 (httpx's own)
        """The JSON that is answered.

        Raises:
            UnauthorizedError, RateLimitedError, TransientError, ProtocolError: see `Provider`.
            PermanentError: it refuses the request for another reason.
        """
        headers = {**_HEADERS, **more.pop("headers", {})}
        try:
            async with asyncio.timeout(_WHOLE_S):
                request = self._client.build_request(
                    method, url, headers=headers, timeout=_TIMEOUT_S, **more
                )
                answer = await self._client.send(request, stream=True, follow_redirects=False)
                try:
                    _judge(answer)
                    body = await _body(answer)
                finally:
                    await answer.aclose()
        except (httpx.TransportError, TimeoutError) as error:
            raise LinkDownError(f"not reached: {type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProtocolError(f"no HTTP: {type(error).__name__}") from error
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ProtocolError("the answer is no JSON") from error


def _judge(answer: httpx.Response) -> None:
    status = answer.status_code
    if status == _TOO_MANY:
        raise RateLimitedError("HTTP 429", _wait_s(answer))
    if status in _UNAUTHORIZED:
        raise UnauthorizedError(f"HTTP {status}: the credentials do not hold")
    if status >= _SERVER:
        wait_s = _wait_s(answer)
        if wait_s is not None:
            raise RateLimitedError(f"HTTP {status}", wait_s)
        raise TransientError(f"HTTP {status}")
    if status >= _CLIENT:
        raise PermanentError(f"HTTP {status}: the request is refused")
    if not answer.is_success:
        raise ProtocolError(f"HTTP {status}: a redirect is not followed")


async def _body(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ProtocolError(f"an answer of more than {MAX_BYTES} bytes")
    return bytes(body)


def _wait_s(answer: httpx.Response) -> float | None:
    """A Retry-After in seconds; Samsara's may have a fraction."""
    try:
        found = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(_LONGEST_S, max(1.0, found)) if found == found else None  # noqa: PLR0124 (NaN)
