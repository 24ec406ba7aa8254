"""From a market to a depot's plan, over real sockets: HTTP, the broker's TLS, both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from certs.pki import make_test_pki
from contracts.days import Days
from contracts.site_link.messages import Hello, Welcome
from gateway.domain.price.timeline import PriceTimeline
from gateway.prices.settings import FollowSettings, PriceSettings
from gateway.prices.side import PriceSide
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.prices import SqlPrices
from site_agent.domain.tariff.tariff import Dynamic, EnergySchedule, PriceStep, Tariff
from site_agent.flows.orders.market import MarketPrices
from site_agent.store.sqlite import open_store
from site_agent.uplink.link import NatsUplink
from support.price_server import entsoe_settings, market
from support.site_link import CLOCK, GatewayHandler, Instructions, Net, running
from support.waiting import until
from vtn_sim.prices.settings import PriceFault

pytestmark = [pytest.mark.row("portfolio:A13"), pytest.mark.row("portfolio:U8")]
TARIFF = Tariff(
    name="dynamic",
    currency="EUR",
    zone=ZoneInfo("Europe/Brussels"),
    energy=(EnergySchedule(name="all", days=Days(), steps=(PriceStep(minute=0, per_kwh=0.3),)),),
    dynamic=Dynamic(),
)


class Inbox(GatewayHandler):
    """Tells the prices who has said Hello, as the gateway's inbox does."""

    def __init__(self) -> None:
        super().__init__()
        self.side: PriceSide | None = None

    async def hello(self, hello: Hello) -> Welcome:
        if self.side is not None:
            self.side.sites.heard(hello)
        return await super().hello(hello)


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    made = Net(make_test_pki(tmp_path / "pki", sites=["depot-1"]), tmp_path)
    async with running(made.broker.run()):
        await made.broker.ready.wait()
        yield made


@asynccontextmanager
async def gateway(net: Net, url: str, folder: Path) -> AsyncIterator[PriceSide]:
    database, handler = Database.open(folder / "gateway.sqlite"), Inbox()
    settings = PriceSettings(
        sources=(entsoe_settings(url, folder),),
        follow=(FollowSettings(sites=("depot-1",), sources=("nl",)),),
        poll=timedelta(seconds=1),
    )
    async with net.gateway(handler) as link:
        kept = SqlPrices(database)
        side = PriceSide(settings, kept, SqlLedger(database), link, CLOCK, kept)
        await side.restore()
        handler.side = side
        watch, sites = side.runs()
        async with running(watch), running(sites):
            yield side
    database.close()


@asynccontextmanager
async def depot(net: Net, folder: Path) -> AsyncIterator[MarketPrices]:
    store = open_store(folder / "site.sqlite", CLOCK.now(), max_rows=1500)
    held = MarketPrices(TARIFF, store.key_values, CLOCK)
    await held.load()
    uplink = NatsUplink(
        site_id="depot-1",
        servers=net.servers,
        credentials=net.issue("depot-1"),
        outbox=store.outbox,
        instructions=Instructions(),
        clock=CLOCK,
        agent_version="test",
        prices=held,
    )
    async with running(uplink.run()):
        yield held
    store.close()


def same(held: MarketPrices, prices: PriceTimeline | None) -> bool:
    series = held.series()
    return prices is not None and series is not None and series == prices.series()


async def test_a_depot_holds_what_the_market_says_through_restarts_of_both(
    net: Net, tmp_path: Path
) -> None:
    async with market(CLOCK) as (server, url):
        async with gateway(net, url, tmp_path) as side, depot(net, tmp_path) as held:
            # After noon in Brussels there are two days: both have to be there.
            await until(lambda: not side.desk.sources()[0].missing)
            await until(lambda: same(held, side.sites.timeline("depot-1")))
            first = held.prices_id()
        server.faults = {PriceFault.DOWN}
        async with gateway(net, url, tmp_path) as side:  # from its database: the market is down
            await until(lambda: bool(side.desk.sources()[0].failure))
            assert not side.desk.sources()[0].missing
            async with depot(net, tmp_path) as held:
                assert held.prices_id() == first  # from its own database
                await until(lambda: side.sites.state("depot-1").holds == first)
                assert same(held, side.sites.timeline("depot-1"))


async def test_a_depot_that_comes_first_is_sent_prices_once_there_are_some(
    net: Net, tmp_path: Path
) -> None:
    async with market(CLOCK) as (server, url):
        server.faults = {PriceFault.BUSY}
        async with depot(net, tmp_path) as held, gateway(net, url, tmp_path) as side:
            await until(lambda: "429" in side.desk.sources()[0].failure)
            assert held.series() is None
        server.faults = set()
        async with depot(net, tmp_path) as held, gateway(net, url, tmp_path) as side:
            await until(lambda: same(held, side.sites.timeline("depot-1")))
