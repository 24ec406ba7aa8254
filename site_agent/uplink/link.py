"""The site link over NATS, site side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import structlog

from contracts.backoff import Backoff
from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.site_link import subjects
from contracts.site_link.codec import decode, encode
from contracts.site_link.configuration import Configuration, ConfigurationAck
from contracts.site_link.connection import Connection, Link, Request
from contracts.site_link.health import Health
from contracts.site_link.messages import (
    LATER_ROWS,
    PROTOCOL_VERSION,
    Batch,
    BatchAck,
    Credentials,
    Hello,
    Instruction,
    InstructionAck,
    Refusal,
    Renew,
    Welcome,
)
from contracts.site_link.prices import Prices, PricesAck
from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.flows.orders.configuration_needs import ConfigurationHandler
from site_agent.flows.report.notices import Condition, Key
from site_agent.ports import InstructionHandler, Outbox, PriceHandler
from site_agent.uplink.credentials import load_login
from site_agent.uplink.pump import pump
from site_agent.uplink.renewal import Renewal

log = structlog.get_logger(__name__)

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 10.0
_REASON_CHARS = 500
_CLOCK_ALARM = timedelta(seconds=5)

_Ack = InstructionAck | PricesAck | ConfigurationAck
Reply = TypeVar("Reply", Welcome, BatchAck, Credentials)


class RefusedError(TransientError):
    """The gateway answered, but would not have it: nothing is deleted, a person must look."""


class NatsUplink:
    """The way to the gateway: outward over mutual TLS, for ever.

    `credentials` is the folder the gateway issued (`contracts.site_link.creds`); `answer_s` is how
    long the gateway may take to commit a batch, in s.
    """

    def __init__(
        self,
        *,
        site_id: str,
        servers: Sequence[str],
        credentials: Path,
        outbox: Outbox,
        instructions: InstructionHandler,
        clock: Clock,
        agent_version: str,
        answer_s: float = 10.0,
        prices: PriceHandler | None = None,
        configurations: ConfigurationHandler | None = None,
        health: Callable[[timedelta | None], Health] | None = None,
    ) -> None:
        """Make the way; `health`, given the clock offset, says how this agent is."""
        self._site_id = subjects.checked_site_id(site_id)
        self._connection = Connection(
            name=f"site {site_id}",
            servers=servers,
            login=lambda: load_login(credentials, site_id),
            clock=clock,
        )
        self._renewal = Renewal(site_id, credentials, clock)
        self._outbox = outbox
        self._instructions = instructions
        self._prices = prices
        self._configurations = configurations
        self._health = health
        self._clock = clock
        self._agent_version = agent_version
        self._answer_s = answer_s
        self._welcomed = asyncio.Event()
        self._gateway_is_back = asyncio.Event()
        self._rows: frozenset[str] = frozenset()
        self.refusals = 0
        """How often the gateway would not take something: an alarm, never routine."""
        self.clock_offset: timedelta | None = None
        """The gateway's clock less ours, as of the last Welcome."""

    @property
    def connected(self) -> bool:
        """Whether the gateway has answered the last Hello of the present connection."""
        return self._welcomed.is_set()

    @property
    def violations(self) -> int:
        """How often the broker has refused us a subject."""
        return self._connection.violations

    def conditions(self) -> Mapping[Key, Condition]:
        """What a person should know about the link."""
        return self._renewal.conditions()

    def takes(self, kind: str) -> bool:
        """Whether the gateway is there and takes rows of this kind."""
        return self.connected and (kind not in LATER_ROWS or kind in self._rows)

    async def wait_connected(self) -> None:
        """Return once the gateway has welcomed us."""
        await self._welcomed.wait()

    async def run(self) -> None:
        """Keep the link up until cancelled.

        Raises:
            ConfigError: the credentials cannot be read.
        """
        await self._connection.run(self._session)

    async def _session(self, link: Link) -> None:
        verbs = (subjects.INSTRUCTION, subjects.PRICES, subjects.CONFIGURATION)
        down = [await link.subscribe(subjects.down(self._site_id, verb)) for verb in verbs]
        calls = await link.subscribe(subjects.GATEWAY_HERE)
        async with asyncio.TaskGroup() as group:
            for requests in down:
                group.create_task(self._take(requests))
            group.create_task(self._hear_calls(calls))
            group.create_task(self._talk(link))
            group.create_task(self._renew(link))

    # --- up ------------------------------------------------------------------------------------

    async def _talk(self, link: Link) -> None:
        """Greet, then send rows, until something fails; wait a little; again."""
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        while True:
            self._gateway_is_back.clear()
            try:
                await self._greet(link)
                await first_of(self._pump(link, backoff), self._gateway_is_back.wait())
            except* RefusedError as group:
                self.refusals += 1
                log.error("the gateway refused us", site=self._site_id, why=repr(group.exceptions))  # noqa: TRY400 (an answer, not a fault of ours)
            except* TransientError as group:
                log.info("no gateway", site=self._site_id, why=repr(group.exceptions))
            finally:
                self._welcomed.clear()
            await first_of(self._clock.sleep(backoff.next_s()), self._gateway_is_back.wait())
            if self._gateway_is_back.is_set():
                backoff.reset()
                await self._clock.sleep(backoff.next_s())  # not all sites in the same instant

    async def _greet(self, link: Link) -> None:
        sent_at = self._clock.now()
        hello = Hello(
            site_id=self._site_id,
            epoch=self._outbox.epoch,
            versions=(PROTOCOL_VERSION,),
            last_instruction_seq=self._instructions.last_seq(),
            outbox_head=self._outbox.head(),
            agent_version=self._agent_version,
            sent_at=sent_at,
            prices_id=None if self._prices is None else self._prices.prices_id(),
            configuration=None if self._configurations is None else self._configurations.state(),
        )
        welcome = await self._ask(link, subjects.HELLO, hello, Welcome)
        halfway = sent_at + (self._clock.now() - sent_at) / 2
        self.clock_offset = welcome.gateway_time - halfway
        if abs(self.clock_offset) > _CLOCK_ALARM:
            log.error(
                "clocks differ", site=self._site_id, offset_s=self.clock_offset.total_seconds()
            )
        self._rows = frozenset(welcome.rows)
        self._welcomed.set()

    async def _renew(self, link: Link) -> None:
        async def ask(renew: Renew) -> Credentials:
            await self._welcomed.wait()
            return await self._ask(link, subjects.RENEW, renew, Credentials)

        await self._renewal.run(ask)
        self._connection.again()

    async def _pump(self, link: Link, backoff: Backoff) -> None:
        async def send(batch: Batch) -> BatchAck:
            return await self._ask(link, subjects.BATCH, batch, BatchAck)

        await pump(
            site_id=self._site_id,
            outbox=self._outbox,
            send=send,
            now=self._clock.now,
            progressed=backoff.reset,
            takes=lambda row: row.kind not in LATER_ROWS or row.kind in self._rows,
            health=self._told_health,
        )

    def _told_health(self) -> Health | None:
        return None if self._health is None else self._health(self.clock_offset)

    async def _ask(
        self, link: Link, verb: str, message: Hello | Batch | Renew, kind: type[Reply]
    ) -> Reply:
        subject = subjects.up(self._site_id, verb)
        try:
            answer = decode(await link.request(subject, encode(message), self._answer_s))
        except (ProtocolError, PermanentError) as error:
            raise RefusedError(f"{message.kind}: {error}") from error
        if isinstance(answer, kind):
            return answer
        reason = answer.reason if isinstance(answer, Refusal) else f"answered with {answer.kind}"
        raise RefusedError(f"{message.kind}: {reason}")

    async def _hear_calls(self, calls: AsyncIterator[Request]) -> None:
        async for _ in calls:
            self._gateway_is_back.set()

    # --- down ----------------------------------------------------------------------------------

    async def _take(self, requests: AsyncIterator[Request]) -> None:
        async for request in requests:
            try:
                answer = await self._answered(request.data)
            except TransientError as error:
                log.warning("message not taken; it will be sent again", why=str(error))
            else:
                await request.answer(encode(answer))

    async def _answered(self, data: bytes) -> _Ack | Refusal:
        try:
            return await self._received(data)
        except (ProtocolError, PermanentError) as error:
            log.warning("message refused", site=self._site_id, why=str(error))
            return Refusal(reason=str(error)[:_REASON_CHARS])

    async def _received(self, data: bytes) -> _Ack:
        match decode(data):
            case Instruction() | Prices() | Configuration() as message if (
                message.site_id != self._site_id
            ):
                raise ProtocolError(f"{message.kind} for another site: {message.site_id!r}")
            case Instruction() as instruction:
                return await self._instructions.receive(instruction)
            case Prices() as prices if self._prices is not None:
                return await self._prices.receive(prices)
            case Configuration() as sent if self._configurations is not None:
                return await self._configurations.receive(sent)
            case other:
                raise ProtocolError(f"{other.kind} does not go this way")
