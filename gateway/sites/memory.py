"""The site link without a network: for tests and for simulation on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from contracts.errors import GridyardError, LinkDownError, TransientError
from contracts.site_link.codec import decode, encode
from contracts.site_link.messages import (
    Batch,
    Hello,
    Instruction,
    InstructionAck,
    Renew,
    Welcome,
)
from contracts.site_link.prices import Prices, PricesAck
from contracts.site_link.subjects import checked_site_id
from contracts.time import Clock
from gateway.ports import SiteMessages
from gateway.sites.exchange import Answer, acknowledgement, answer, greeted, prices_answer

Receive = Callable[[Instruction], Awaitable[InstructionAck]]
TakePrices = Callable[[Prices], Awaitable[PricesAck]]


class MemorySiteLink:
    """`gateway.ports.SiteLink` in one process; every message still goes through the codec."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sites: dict[str, Receive] = {}
        self._prices: dict[str, TakePrices] = {}
        self._handler: SiteMessages | None = None
        self._group: asyncio.TaskGroup | None = None
        self.listening = asyncio.Event()
        """Set while sites are heard."""

    async def send(self, instruction: Instruction) -> asyncio.Future[InstructionAck]:
        """See `gateway.ports.SiteLink.send`."""
        if self._group is None:
            raise LinkDownError("the gateway is not listening")
        answer: asyncio.Future[InstructionAck] = asyncio.Future()
        self._group.create_task(self._answer(instruction, answer))
        return answer

    async def _answer(
        self, instruction: Instruction, answer: asyncio.Future[InstructionAck]
    ) -> None:
        try:
            reply = await self._deliver(instruction)
        except GridyardError as error:
            answer.set_exception(error)
        else:
            answer.set_result(reply)

    async def _deliver(self, instruction: Instruction) -> InstructionAck:
        receive = self._sites.get(checked_site_id(instruction.site_id))
        if receive is None:
            raise LinkDownError(f"{instruction.site_id}: not listening")
        arrived = decode(encode(instruction))
        if not isinstance(arrived, Instruction):
            raise TypeError(f"the codec turned an instruction into {arrived.kind}")
        try:
            reply = await receive(arrived)
        except TransientError as error:
            raise LinkDownError(f"{instruction.site_id}: no answer: {error}") from error
        return acknowledgement(instruction, encode(reply), self._clock)

    async def send_prices(self, prices: Prices) -> PricesAck:
        """See `gateway.ports.SiteLink.send_prices`."""
        take = self._prices.get(checked_site_id(prices.site_id))
        if take is None:
            raise LinkDownError(f"{prices.site_id}: not listening")
        arrived = decode(encode(prices))
        if not isinstance(arrived, Prices):
            raise TypeError(f"the codec turned prices into {arrived.kind}")
        try:
            reply = await take(arrived)
        except TransientError as error:
            raise LinkDownError(f"{prices.site_id}: no answer: {error}") from error
        return prices_answer(prices, encode(reply))

    async def run(self, handler: SiteMessages) -> None:
        """See `gateway.ports.SiteLink.run`."""
        self._handler = handler
        try:
            async with asyncio.TaskGroup() as self._group:
                self.listening.set()
                await asyncio.Event().wait()
        finally:
            self._handler = self._group = None
            self.listening.clear()

    def attach(self, site_id: str, receive: Receive, prices: TakePrices | None = None) -> None:
        """A site begins to listen; its own code then says `up(Hello(...))`."""
        self._sites[checked_site_id(site_id)] = receive
        if prices is not None:
            self._prices[site_id] = prices

    def detach(self, site_id: str) -> None:
        """A site is gone."""
        self._sites.pop(site_id, None)
        self._prices.pop(site_id, None)

    async def up(self, site_id: str, message: Hello | Batch | Renew) -> Answer:
        """A site's request.

        Raises:
            LinkDownError: nobody listens, or the gateway could not take it now.
        """
        if self._handler is None:
            raise LinkDownError("the gateway is not listening")
        handler = self._handler
        reply = await answer(checked_site_id(site_id), encode(message), handler)
        if reply is None:
            raise LinkDownError("the gateway did not answer")
        if isinstance(reply, Welcome):
            await greeted(site_id, handler)
        return reply
