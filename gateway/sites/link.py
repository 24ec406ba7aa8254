"""The site link over NATS, gateway side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

import structlog

from contracts.errors import LinkDownError, PermanentError
from contracts.site_link import subjects
from contracts.site_link.codec import encode
from contracts.site_link.configuration import Configuration, ConfigurationAck
from contracts.site_link.connection import Connection, Link, Login, Request
from contracts.site_link.messages import Instruction, InstructionAck, Welcome
from contracts.site_link.prices import Prices, PricesAck
from contracts.site_link.requests import Answer
from contracts.time import Clock
from gateway.ports import SiteMessages
from gateway.sites.exchange import (
    acknowledgement,
    answer,
    configuration_answer,
    greeted,
    prices_answer,
)
from gateway.sites.lanes import Lanes

log = structlog.get_logger(__name__)

_QUEUE = "ingest"
"""Gateway replicas share the sites' messages: each goes to one of them."""


class NatsSiteLink:
    """`gateway.ports.SiteLink` over a NATS broker, our own or a cluster.

    `answer_s`: how long a site may take to store an instruction, in s.
    """

    def __init__(
        self,
        *,
        servers: Sequence[str],
        login: Callable[[], Login],
        clock: Clock,
        answer_s: float = 5.0,
    ) -> None:
        self._connection = Connection(name="gateway", servers=servers, login=login, clock=clock)
        self._clock = clock
        self._answer_s = answer_s
        self._link: Link | None = None
        self.listening = asyncio.Event()
        """Set while sites are heard."""

    @property
    def violations(self) -> int:
        """How often the broker has refused us a subject (0 unless something is misconfigured)."""
        return self._connection.violations

    async def send(self, instruction: Instruction) -> asyncio.Future[InstructionAck]:
        """See `gateway.ports.SiteLink.send`; one site's silence never holds another's send."""
        return await self._ask(
            subjects.INSTRUCTION,
            instruction,
            lambda data: acknowledgement(instruction, data, self._clock),
        )

    async def send_prices(self, prices: Prices) -> PricesAck:
        """See `gateway.ports.SiteLink.send_prices`."""
        return await (
            await self._ask(subjects.PRICES, prices, lambda data: prices_answer(prices, data))
        )

    async def configure(self, configuration: Configuration) -> ConfigurationAck:
        """See `gateway.ports.configuration.ConfigurationLink.configure`."""
        read = partial(configuration_answer, configuration)
        return await (await self._ask(subjects.CONFIGURATION, configuration, read))

    async def _ask(
        self,
        verb: str,
        message: Instruction | Prices | Configuration,
        read: Callable[[bytes], Answer],
    ) -> asyncio.Future[Answer]:
        if self._link is None:
            raise LinkDownError("no connection to the broker")
        subject = subjects.down(message.site_id, verb)
        return await self._link.ask(subject, encode(message), self._answer_s, read)

    async def run(self, handler: SiteMessages) -> None:
        """See `gateway.ports.SiteLink.run`.

        A commit under way outlives the connection it came over.
        """

        async def work(site_id: str, request: Request) -> None:
            await _serve(site_id, request, handler)

        async with asyncio.TaskGroup() as group:
            lanes: Lanes[Request] = Lanes(group, work)
            await self._connection.run(lambda link: self._session(link, lanes))

    async def _session(self, link: Link, lanes: Lanes[Request]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for verb in (subjects.HELLO, subjects.BATCH, subjects.RENEW):
                    requests = await link.subscribe(subjects.up_from_any(verb), _QUEUE)
                    group.create_task(_sort(requests, lanes))
                self._link = link
                self.listening.set()
                await link.publish(subjects.GATEWAY_HERE)
        finally:
            self._link = None
            self.listening.clear()


async def _sort(requests: AsyncIterator[Request], lanes: Lanes[Request]) -> None:
    async for request in requests:
        try:
            site_id = subjects.site_of(request.subject)
        except PermanentError as error:  # the broker lets no such user in
            log.warning("message under an impossible subject", why=str(error))
            continue
        if not lanes.put(site_id, request):
            log.warning("site sends faster than it is served: dropped", site=site_id)


async def _serve(site_id: str, request: Request, handler: SiteMessages) -> None:
    reply = await answer(site_id, request.data, handler)
    if reply is None:
        return
    try:
        await request.answer(encode(reply))
    except LinkDownError as error:
        log.info("answer to a site lost; it will ask again", site=site_id, why=str(error))
        return
    if isinstance(reply, Welcome):
        await greeted(site_id, handler)
