"""Settings over a real nats-server, between today's and earlier programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contracts.errors import LinkDownError, TransientError
from contracts.site_link import subjects
from contracts.site_link.codec import encode
from contracts.site_link.configuration import (
    Answered,
    Configuration,
    ConfigurationAck,
    ConfigurationState,
    hash_of,
)
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.sites.configuring import Configuring
from gateway.store.configurations import SqlConfigurationBook
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from site_agent.uplink.credentials import load_login
from site_agent.uplink.link import NatsUplink
from support.site_link import CLOCK, GatewayHandler, Instructions, MemoryOutbox, Net, running

pytestmark = pytest.mark.row("portfolio:L5")
V1 = Path(__file__).parents[2] / "wire/site_link/v1"
TEXT = "telemetry_s: 5"
SENT = Configuration(
    configuration_id="depot-1-1",
    site_id="depot-1",
    revision=1,
    issued_at=CLOCK.now(),
    text=TEXT,
    sha256=hash_of(TEXT),
)


class Taker:
    """`ConfigurationHandler` that answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[Configuration] = []
        self.says = "depot-1-1"
        self.silent = False

    def state(self) -> ConfigurationState:
        return ConfigurationState(staged="".join(one.configuration_id for one in self.taken))

    async def receive(self, sent: Configuration) -> ConfigurationAck:
        if self.silent:
            raise TransientError("the disk is full")
        self.taken.append(sent)
        return ConfigurationAck(configuration_id=self.says, state=Answered.STAGED)


@asynccontextmanager
async def site(net: Net, taker: Taker | None) -> AsyncIterator[NatsUplink]:
    uplink = NatsUplink(
        site_id="depot-1",
        servers=net.servers,
        credentials=net.issue("depot-1"),
        outbox=MemoryOutbox(),
        instructions=Instructions(),
        clock=CLOCK,
        agent_version="test",
        configurations=taker,
    )
    async with running(uplink.run()):
        await uplink.wait_connected()
        yield uplink


async def test_it_arrives_and_is_answered(net: Net, handler: GatewayHandler) -> None:
    taker = Taker()
    async with net.gateway(handler) as link, site(net, taker):
        assert handler.hellos[0].configuration == ConfigurationState()
        ack = await link.configure(SENT)
        assert (ack.state, taker.taken) == (Answered.STAGED, [SENT])
        taker.says = "another"
        nonsense = await link.configure(SENT)
        assert nonsense.state is Answered.REFUSED
        assert "answered with configuration_ack" in nonsense.faults[0]
        taker.silent = True
        with pytest.raises(LinkDownError):
            await link.configure(SENT)


async def test_a_site_believes_only_what_is_addressed_to_it(
    net: Net, handler: GatewayHandler
) -> None:
    taker = Taker()
    async with net.gateway(handler), site(net, taker), net.raw(net.gateway_login()) as (_, raw):
        other = encode(replace(SENT, site_id="depot-2"))
        answer = await raw.request(subjects.down("depot-1", subjects.CONFIGURATION), other, 2)
        assert "another site" in json.loads(answer)["reason"]
        assert taker.taken == []


async def test_an_owner_who_takes_none_says_so_and_refuses(
    net: Net, handler: GatewayHandler
) -> None:
    async with net.gateway(handler) as link, site(net, None):
        assert handler.hellos[0].configuration is None
        ack = await link.configure(SENT)
        assert ack.state is Answered.REFUSED
        assert "does not go this way" in ack.faults[0]


async def test_an_agent_of_the_first_release_is_never_sent_any(
    net: Net, handler: GatewayHandler
) -> None:
    """It waits for the agent's upgrade."""
    folder = net.issue("depot-1")
    database = Database.in_memory()
    book, ledger = SqlConfigurationBook(database), SqlLedger(database)
    only = Site(site_id="depot-1", name="One", time_zone=ZoneInfo("UTC"), import_limit_w=1e5)
    portfolio = Portfolio(sites=(only,), programs=(), enrolments=())
    async with (
        net.gateway(handler) as link,
        net.raw(lambda: load_login(folder, "depot-1")) as (_, raw),
    ):
        configuring = Configuring(portfolio, book, link, ledger, CLOCK)
        heard = await raw.subscribe(subjects.down("depot-1", ">"))
        await raw.request("site.depot-1.up.hello", (V1 / "hello.json").read_bytes(), 2)
        configuring.greeted(handler.hellos[0])
        (pushed,) = await configuring.push(["depot-1"], TEXT, by="op", cause="try")
        await configuring.step()
        assert [one.stage.value for one in await book.history("depot-1")] == ["waiting"]
        taker = Taker()
        async with site(net, taker):
            configuring.greeted(handler.hellos[-1])
            await configuring.step()
        assert [one.text for one in taker.taken] == [pushed.text]
        assert [one.stage.value for one in await book.history("depot-1")] == ["staged"]
        async with asyncio.timeout(5):  # what the first agent heard is what the second was sent
            first = json.loads((await anext(heard)).data)
        assert (first["kind"], first["revision"]) == ("configuration", 1)
    database.close()


async def test_a_gateway_of_the_first_release_ignores_what_it_does_not_know(net: Net) -> None:
    async with net.raw(net.gateway_login()) as (_, link):
        hellos: list[bytes] = []

        async def serve() -> None:
            async for request in await link.subscribe("site.*.up.hello"):
                hellos.append(request.data)
                await request.answer((V1 / "welcome.json").read_bytes())

        async with running(serve()), site(net, Taker()) as uplink:
            assert uplink.connected
            told = json.loads(hellos[0])
            assert told["configuration"]["running"] == ""
            assert {"site_id", "epoch", "versions"} <= told.keys()
