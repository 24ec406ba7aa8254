"""What procedures work with: one connection whose every exchange is noted."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx

from contracts.errors import GridyardError, PermanentError
from contracts.identity import certificate_der, lfdi, sep2_client_context
from contracts.sep2.resources import (
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    Link,
    Resource,
    ResourceList,
)
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.utility.sep2.paging import WantedList, read_list
from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from gateway.utility.sep2.transport import Sep2Transport

CREATED = 201
_KEPT = 10_000


class NotApplicableError(PermanentError):
    """This server does not offer what the procedure needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """One request, and what came back of it."""

    at: datetime
    """By our clock, when the answer had come."""
    method: str
    path: str
    body: bytes
    """As sent."""
    status: int
    location: str | None


class Trace(httpx.AsyncBaseTransport):
    """Carries requests over TLS and notes the newest of them."""

    def __init__(self, settings: Sep2Settings, tls: ssl.SSLContext, clock: Clock) -> None:
        limits = httpx.Limits(max_connections=settings.max_concurrent_requests)
        self._inner = httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False)
        self._clock = clock
        self.news = asyncio.Event()
        """Set after every exchange."""
        self.exchanges: list[Exchanged] = []
        self.dropped = 0
        """How many older ones are no longer kept."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request; its answer's body is not looked at."""
        answer = await self._inner.handle_async_request(request)
        self.exchanges.append(
            Exchanged(
                at=self._clock.now(),
                method=request.method,
                path=request.url.path,
                body=request.content,
                status=answer.status_code,
                location=answer.headers.get("Location") or None,
            )
        )
        self.news.set()
        if len(self.exchanges) > _KEPT:
            del self.exchanges[0]
            self.dropped += 1
        return answer

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One server as a procedure sees it."""

    settings: Sep2Settings
    transport: Sep2Transport
    trace: Trace
    clock: Clock

    @property
    def own_lfdi(self) -> str:
        """The aggregator's."""
        return lfdi(certificate_der(self.settings.cert))

    async def capability(self) -> DeviceCapability:
        """The entry."""
        return await self.transport.get(self.transport.server.entry, DeviceCapability)

    async def items(self, link: Link, kind: type[WantedList]) -> WantedList:
        """A whole list, page by page."""
        limit = self.settings.max_list_items
        return (await read_list(self.transport, link.href, kind, limit)).content

    async def end_devices(self) -> EndDeviceList:
        """Every EndDevice the server lists for us.

        Raises:
            NotApplicableError: it has no such list.
        """
        link = needed((await self.capability()).end_device_list_link, "EndDeviceListLink")
        return await self.items(link, EndDeviceList)

    async def devices(self) -> Sequence[tuple[DeviceSettings, EndDevice]]:
        """The configured devices with what the server lists of them.

        Raises:
            PermanentError: one is not listed. (One that we would register in band is left out.)
            NotApplicableError: none is listed.
        """
        known = {one.canonical_lfdi: one for one in (await self.end_devices()).items}
        missing = [one.lfdi for one in self.settings.devices if one.lfdi not in known]
        if missing and not self.settings.in_band:
            raise PermanentError(f"not listed: {', '.join(missing)}")
        found = [(one, known[one.lfdi]) for one in self.settings.devices if one.lfdi in known]
        if not found:
            raise NotApplicableError("no configured device is listed yet")
        return found

    async def create(self, href: str, resource: Resource) -> str:
        """POST something new; where the server has put it.

        Raises:
            PermanentError: the answer is not 201 with a Location.
        """
        await self.transport.post(href, resource)
        done = self.trace.exchanges[-1]
        if done.status != CREATED or done.location is None:
            where = "without a Location" if done.location is None else f"Location {done.location}"
            raise PermanentError(f"POST {done.path}: {done.status} {where} instead of 201 with one")
        return self.transport.server.resolve(done.location, done.path)


def needed(link: Link | None, name: str) -> Link:
    """A link a procedure cannot do without.

    Raises:
        NotApplicableError: it is missing.
    """
    if link is None:
        raise NotApplicableError(f"no {name}")
    return link


def shown(listed: ResourceList) -> str:
    """How many items, for people."""
    return f"{len(listed.items)} item{'' if len(listed.items) == 1 else 's'}"


async def either(*work: Coroutine[object, object, None]) -> None:
    """As `contracts.tasks.first_of`, but what goes wrong comes by itself, not in a group.

    Raises:
        GridyardError: of any of them, the first.
    """
    try:
        await first_of(*work)
    except BaseExceptionGroup as group:
        known = group.subgroup(GridyardError)
        if known is None:
            raise
        raise _first(known) from group


def _first(group: BaseExceptionGroup[GridyardError]) -> GridyardError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


@asynccontextmanager
async def bench_for(settings: Sep2Settings, clock: Clock) -> AsyncIterator[Bench]:
    """A bench over real TLS, closed at the end.

    Raises:
        ConfigError: a certificate or key cannot be used.
    """
    tls = sep2_client_context(settings.ca, settings.cert, settings.key, settings.ciphers)
    trace = Trace(settings, tls, clock)
    transport = Sep2Transport(settings, tls, http=trace)
    try:
        yield Bench(settings=settings, transport=transport, trace=trace, clock=clock)
    finally:
        await transport.aclose()
