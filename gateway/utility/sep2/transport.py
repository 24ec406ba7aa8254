"""Requests to one IEEE 2030.5 server: HTTPS with certificates on both sides (clause 5.5)."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import httpx
import structlog

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.sep2 import codec
from contracts.sep2.codec import MEDIA_TYPE
from contracts.sep2.dialect import Dialect
from contracts.sep2.resources import Resource
from gateway.utility.sep2.hrefs import Server
from gateway.utility.sep2.settings import Sep2Settings

_log = structlog.get_logger(__name__)
READABLE = {MEDIA_TYPE, "application/xml"}
"""Media types of bodies that are read."""
_MAX_REDIRECTS = 3
_SOONER = 0.9
"""The HTTP client, which closes what it opened, gives up a silent server before we do."""
_MAX_RETRY_AFTER_S = 3600.0
_REDIRECTS = {301, 302, 307, 308}
_NOT_VISIBLE = {401, 403, 404}

Method = Literal["GET", "PUT", "POST", "DELETE"]
Wanted = TypeVar("Wanted", bound=Resource)


class NotVisibleError(PermanentError):
    """401, 403 or 404: not there for us, perhaps not yet (a 404 may mean forbidden, 5.5)."""


class RefusedError(PermanentError):
    """Any other 4xx; the same request would be refused again."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status code."""


class StalledError(LinkDownError):
    """Reached, but silent for too long: the server as a whole, or only this resource."""


class BusyError(TransientError):
    """5xx or 429; `retry_after_s` when the server said how long to wait, in s."""

    def __init__(self, message: str, retry_after_s: float | None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request with its answer, in clear, for a trace."""

    method: Method
    href: str
    request: bytes | None
    status: int
    response: bytes


class Sep2Transport:
    """One client per utility; at most `max_concurrent_requests` are under way at one time."""

    def __init__(
        self,
        settings: Sep2Settings,
        tls: ssl.SSLContext,
        *,
        on_message: Callable[[Exchange], None] | None = None,
        http: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.server = Server(str(settings.url))
        self.requests: Counter[str] = Counter()
        """Requests sent so far by method and kind: `GET DERControlList`."""
        self._settings = settings
        self._dialect = Dialect(csipaus=settings.csipaus)
        self._on_message = on_message
        self._slots = asyncio.Semaphore(settings.max_concurrent_requests)
        self._client = httpx.AsyncClient(
            verify=tls,
            transport=http,
            timeout=settings.timeout_s * _SOONER,
            limits=httpx.Limits(max_connections=settings.max_concurrent_requests),
            follow_redirects=False,
            trust_env=False,
            headers={"Accept": MEDIA_TYPE, "Accept-Encoding": "identity"},
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def get(self, href: str, kind: type[Wanted]) -> Wanted:
        """Read one resource.

        Raises:
            NotVisibleError: 401, 403 or 404.
            RefusedError: another 4xx.
            TransientError: unreachable, too slow, 429 or 5xx (`BusyError`): try again later.
            ProtocolError: not such a resource, not sep+xml, too large, or a href to elsewhere.
        """
        return self.decode(await self.fetch(href, kind), kind)

    async def fetch(self, href: str, kind: type[Resource]) -> bytes:
        """As `get`, without reading what the body says."""
        try:
            return (await self._exchange("GET", href, None, kind.__name__)).body
        except httpx.TransportError as error:
            _log.debug("sep2_get_again", href=href, error=repr(error))
        try:  # a kept connection may have been closed by the server just then
            return (await self._exchange("GET", href, None, kind.__name__)).body
        except httpx.TransportError as error:
            raise _link_down("GET", href, error) from error

    def decode(self, body: bytes, kind: type[Wanted]) -> Wanted:
        """The resource in a body.

        Raises:
            ProtocolError: it is none, or another one.
        """
        return codec.decode(body, kind, self._settings.max_body_bytes)

    async def put(self, href: str, resource: Resource) -> None:
        """Replace a resource; raises as `get` does."""
        await self.send("PUT", href, self.encode(resource), type(resource).__name__)

    async def post(self, href: str, resource: Resource) -> str | None:
        """Add to a list; the new resource's href if the server names it. Raises as `get` does."""
        return await self.send("POST", href, self.encode(resource), type(resource).__name__)

    async def delete(self, href: str, kind: type[Resource]) -> None:
        """Remove a resource of ours; raises as `get` does."""
        try:
            await self._exchange("DELETE", href, None, kind.__name__)
        except httpx.TransportError as error:
            raise _link_down("DELETE", href, error) from error

    def encode(self, resource: Resource) -> bytes:
        """The resource as it is sent.

        Raises:
            ValueError: a value the schema cannot carry.
        """
        return codec.encode(resource, self._dialect)

    async def send(
        self, method: Literal["PUT", "POST"], href: str, body: bytes, kind: str
    ) -> str | None:
        """As `put` and `post`, for a body already encoded; never sent twice by itself."""
        try:
            answer = await self._exchange(method, href, body, kind)
        except httpx.TransportError as error:
            raise _link_down(method, href, error) from error
        return answer.location

    async def _exchange(self, method: Method, href: str, body: bytes | None, kind: str) -> _Answer:
        path = self.server.resolve(href)
        for _ in range(_MAX_REDIRECTS + 1):
            answer = await self._once(method, path, body, kind)
            if answer.status not in _REDIRECTS:
                _check_status(answer, method, path)
                return self._checked(answer, method, path)
            if answer.location is None:
                raise ProtocolError(f"{method} {path}: redirect without a usable Location")
            path = answer.location
        raise ProtocolError(f"{method} {href}: more than {_MAX_REDIRECTS} redirects")

    async def _once(self, method: Method, path: str, body: bytes | None, kind: str) -> _Answer:
        """One request, without looking at what it brought."""
        headers = {"Content-Type": MEDIA_TYPE} if body is not None else {}
        request = self._client.build_request(
            method, self.server.absolute(path), content=body, headers=headers
        )
        async with self._slots:
            self.requests[f"{method} {kind}"] += 1
            try:
                async with asyncio.timeout(self._settings.timeout_s):
                    response = await self._client.send(request, stream=True)
                    try:
                        content = await self._read_limited(response)
                    finally:
                        await response.aclose()
            except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                raise LinkDownError(f"{method} {path}: no connection, no answer in time") from error
            except (TimeoutError, httpx.TimeoutException) as error:
                raise StalledError(f"{method} {path}: no answer in time") from error
            except OSError as error:  # a TLS alert after the handshake
                raise LinkDownError(f"{method} {path}: {error}") from error
        if self._on_message is not None:
            self._on_message(
                Exchange(
                    method=method,
                    href=path,
                    request=body,
                    status=response.status_code,
                    response=content,
                )
            )
        return _Answer(
            response.status_code, content, self._location(response, path), response.headers
        )

    async def _read_limited(self, response: httpx.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ProtocolError("compressed answer, though none was asked for")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._settings.max_body_bytes:
                raise ProtocolError(f"answer larger than {self._settings.max_body_bytes} bytes")
        return bytes(body)

    def _location(self, response: httpx.Response, path: str) -> str | None:
        location = response.headers.get("Location")
        if not location:
            return None
        try:
            return self.server.resolve(location, path)
        except ProtocolError as error:
            _log.warning("sep2_location_refused", href=path, error=str(error))
            return None

    def _checked(self, answer: _Answer, method: Method, path: str) -> _Answer:
        """The answer to a GET must be a document we can read."""
        if method == "GET":
            sent = media_type(answer.headers.get("Content-Type", ""))
            if not answer.body.strip():
                raise ProtocolError(f"GET {path}: empty answer")
            if sent not in READABLE:
                raise ProtocolError(f"GET {path}: {sent[:80]!r} instead of {MEDIA_TYPE}")
        return answer


def media_type(content_type: str) -> str:
    """The media type of a `Content-Type`, in lower case, without its parameters."""
    return content_type.split(";", maxsplit=1)[0].strip().lower()


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    location: str | None
    headers: Mapping[str, str]


def _check_status(answer: _Answer, method: Method, path: str) -> None:
    status, what = answer.status, f"{method} {path}: HTTP {answer.status}"
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        raise BusyError(what, _retry_after_s(answer.headers))
    if status in _NOT_VISIBLE:
        raise NotVisibleError(what)
    if status >= httpx.codes.BAD_REQUEST:
        raise RefusedError(what, status)
    if not httpx.codes.is_success(status):
        raise ProtocolError(f"{what} is unexpected")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Only the form in seconds; a date would need both clocks to agree."""
    text = headers.get("Retry-After", "").strip()
    return min(float(text), _MAX_RETRY_AFTER_S) if text.isascii() and text.isdigit() else None


def _link_down(method: str, href: str, error: Exception) -> LinkDownError:
    return LinkDownError(f"{method} {href}: {type(error).__name__}: {error}")
