"""How every `gateway.ports.SiteLink` carries prices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.pki import make_test_pki
from contracts.errors import LinkDownError, TransientError
from contracts.site_link.messages import Instruction, InstructionAck
from contracts.site_link.prices import PricedStep, Prices, PricesAck
from gateway.ports import SiteLink
from gateway.sites.memory import MemorySiteLink
from site_agent.uplink.link import NatsUplink
from support.site_link import CLOCK, GatewayHandler, Instructions, MemoryOutbox, Net, running

T = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
PRICES = Prices(
    prices_id="p-1",
    site_id="depot-1",
    issued_at=T,
    expires_at=T + timedelta(hours=1),
    currency="EUR",
    area="NL",
    steps=(PricedStep(start=T, end=T + timedelta(hours=1), per_kwh=-0.05),),
)


class Desk:
    """`site_agent.ports.PriceHandler` that answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[Prices] = []
        self.reason = ""
        self.says = PRICES.prices_id
        self.silent = False

    def prices_id(self) -> str | None:
        return ""

    async def receive(self, prices: Prices) -> PricesAck:
        if self.silent:
            raise TransientError("the disk is full")
        self.taken.append(prices)
        return PricesAck(prices_id=self.says, stored=not self.reason, reason=self.reason)


async def no_instructions(instruction: Instruction) -> InstructionAck:
    raise AssertionError("no instruction is sent here")


@asynccontextmanager
async def by_memory(_folder: Path, desk: Desk) -> AsyncIterator[SiteLink]:
    link = MemorySiteLink(CLOCK)
    link.attach("depot-1", no_instructions, desk.receive)
    yield link


@asynccontextmanager
async def by_nats(folder: Path, desk: Desk) -> AsyncIterator[SiteLink]:
    net = Net(make_test_pki(folder / "pki", sites=["depot-1"]), folder)
    async with running(net.broker.run()):
        await net.broker.ready.wait()
        uplink = NatsUplink(
            site_id="depot-1",
            servers=net.servers,
            credentials=net.issue("depot-1"),
            outbox=MemoryOutbox(),
            instructions=Instructions(),
            clock=CLOCK,
            agent_version="test",
            prices=desk,
        )
        async with net.gateway(GatewayHandler()) as link, running(uplink.run()):
            await uplink.wait_connected()
            yield link


WAYS = {"memory": by_memory, "nats": by_nats}


@pytest.mark.row("portfolio:A13")
@pytest.mark.parametrize("way", WAYS)
async def test_prices_arrive_and_are_answered(way: str, tmp_path: Path) -> None:
    desk = Desk()
    async with WAYS[way](tmp_path, desk) as link:
        assert await link.send_prices(PRICES) == PricesAck(prices_id="p-1", stored=True)
        desk.reason = "no tariff"
        refused = await link.send_prices(PRICES)
        desk.says = "other ones"
        nonsense = await link.send_prices(PRICES)
    assert desk.taken == [PRICES] * 3
    assert (refused.stored, refused.reason) == (False, "no tariff")
    assert (nonsense.prices_id, nonsense.stored) == ("p-1", False)
    assert "answered with prices_ack" in nonsense.reason


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_not_answered_did_not_arrive(way: str, tmp_path: Path) -> None:
    desk = Desk()
    async with WAYS[way](tmp_path, desk) as link:
        desk.silent = True
        with pytest.raises(LinkDownError):
            await link.send_prices(PRICES)
