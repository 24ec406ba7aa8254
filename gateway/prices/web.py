"""One bounded GET from a market platform, and its failures in our words."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from gateway.ports import BusyError

MAX_BYTES = 8 * 1024 * 1024
_TIMEOUT_S = 30.0
_WHOLE_S = 90.0
_LONGEST_S = 3600.0
_HEADERS = {"Accept-Encoding": "identity"}
"""What is compressed twice could be anything of any size."""
_BAD_REQUEST, _TOO_MANY, _UNAVAILABLE = 400, 429, 503
_REFUSED = (401, 403)
_CLIENT, _SERVER = 400, 500


class PriceWeb:
    """Asks with GET; redirects are not followed, and no message of an error holds the address.

    The address may hold a token.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def get(self, query: Mapping[str, str], now: datetime) -> bytes:
        """The body of the answer: of 200, and of 400, which platforms explain in a document.

        Raises:
            BusyError: 429 or 503, with the time to ask again where it is told.
            TransientError: not reached, too slow, or it fails.
            PermanentError: the request is refused.
            ProtocolError: no HTTP, too large, or a redirect.
        """
        try:
            async with (
                asyncio.timeout(_WHOLE_S),
                httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client,
                client.stream("GET", self._url, params=dict(query), headers=_HEADERS) as answer,
            ):
                _judge(answer, now)
                return await _body(answer)
        except (httpx.TransportError, TimeoutError) as error:
            raise LinkDownError(f"not reached: {type(error).__name__}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProtocolError(f"no HTTP: {type(error).__name__}") from None


def _judge(answer: httpx.Response, now: datetime) -> None:
    status = answer.status_code
    if status in (_TOO_MANY, _UNAVAILABLE):
        raise BusyError(f"HTTP {status}", _wait_s(answer.headers.get("retry-after", ""), now))
    if status in _REFUSED:
        raise PermanentError(f"HTTP {status}: the platform does not let us in; check the token")
    if status >= _SERVER:
        raise TransientError(f"HTTP {status}")
    if status >= _CLIENT and status != _BAD_REQUEST:
        raise PermanentError(f"HTTP {status}: the request is refused")
    if not answer.is_success and status != _BAD_REQUEST:
        raise ProtocolError(f"HTTP {status}: a redirect is not followed")


async def _body(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ProtocolError(f"an answer of more than {MAX_BYTES} bytes")
    return bytes(body)


def _wait_s(told: str, now: datetime) -> float:
    """A Retry-After (RFC 9110, 10.2.3) in seconds, 0 where none is told or it makes no sense."""
    try:
        wait_s = float(told)
    except ValueError:
        try:
            at = parsedate_to_datetime(told)
        except ValueError:
            return 0.0
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        wait_s = (at - now).total_seconds()
    return min(_LONGEST_S, max(0.0, wait_s)) if math.isfinite(wait_s) else 0.0
