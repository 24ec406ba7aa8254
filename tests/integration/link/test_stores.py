"""The link with the real stores at both ends."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.site_link.messages import Batch, BatchAck
from contracts.time import Interval
from gateway.store.database import Database
from gateway.store.telemetry import SqlTelemetry
from site_agent.store.sqlite import SqliteStore, open_store
from site_agent.uplink.link import NatsUplink
from support.site_link import CLOCK, GatewayHandler, Instructions, Net, measurement, running

START = measurement(0).at


class StoringHandler(GatewayHandler):
    """Commits to a real database and notes how far each acknowledgement goes."""

    def __init__(self, telemetry: SqlTelemetry) -> None:
        super().__init__()
        self._telemetry = telemetry
        self.acknowledged = 0

    async def batch(self, batch: Batch) -> BatchAck:
        seq = await self._telemetry.ingest(batch, CLOCK.now())
        self.acknowledged = max(self.acknowledged, seq)
        self.stored.add()
        return BatchAck(epoch=batch.epoch, seq=seq, gateway_time=CLOCK.now())


@pytest.fixture
def site_store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = open_store(tmp_path / "site.sqlite", CLOCK.now(), max_rows=1500)
    yield store
    store.close()


@asynccontextmanager
async def uplink(net: Net, store: SqliteStore) -> AsyncIterator[NatsUplink]:
    link = NatsUplink(
        site_id="depot-1",
        servers=net.servers,
        credentials=net.issue("depot-1"),
        outbox=store.outbox,
        instructions=Instructions(),
        clock=CLOCK,
        agent_version="test",
        answer_s=2.0,
    )
    async with running(link.run()):
        await link.wait_connected()
        yield link


@asynccontextmanager
async def telemetry(path: Path) -> AsyncIterator[SqlTelemetry]:
    database = Database.open(path)
    yield SqlTelemetry(database, max_hold=timedelta(minutes=1))
    database.close()


async def fill(store: SqliteStore, first: int, count: int) -> None:
    """`count` seconds of measurements, the value being the second."""
    for begin in range(first, first + count, 500):
        seconds = range(begin, min(begin + 500, first + count))
        await store.outbox.append([measurement(s, START + timedelta(seconds=s)) for s in seconds])


async def drained(store: SqliteStore, handler: StoringHandler) -> None:
    while handler.acknowledged < store.outbox.head():
        await handler.stored.reaches(handler.stored.value + 1)


async def values(store: SqlTelemetry, count: int) -> list[float]:
    window = Interval(start=START, end=START + timedelta(seconds=count))
    return [step.value for step in await store.series("depot-1", "pcc_power_w", window)]


@pytest.mark.row("portfolio:L2")
async def test_every_row_arrives_once_through_both_databases(
    net: Net, site_store: SqliteStore, tmp_path: Path
) -> None:
    await fill(site_store, 0, 1400)
    async with telemetry(tmp_path / "gateway.sqlite") as store:
        handler = StoringHandler(store)
        async with net.gateway(handler), uplink(net, site_store):
            await drained(site_store, handler)
        assert await values(store, 1400) == list(range(1400))


@pytest.mark.row("portfolio:L2")
async def test_an_outbox_thinned_while_the_link_was_down_is_not_stuck(
    net: Net, site_store: SqliteStore, tmp_path: Path
) -> None:
    await fill(site_store, 0, 4000)
    kept = len(await site_store.outbox.unsent(0, 5000))
    assert kept <= 1501
    async with telemetry(tmp_path / "gateway.sqlite") as store:
        handler = StoringHandler(store)
        async with net.gateway(handler), uplink(net, site_store) as link:
            await drained(site_store, handler)
            assert link.refusals == 0
        newest = await values(store, 4000)
        assert newest[-500:] == list(range(3500, 4000))
        assert 1000 < len(newest) < 1501


async def test_a_gateway_with_an_empty_database_takes_over_in_mid_sequence(
    net: Net, site_store: SqliteStore, tmp_path: Path
) -> None:
    await fill(site_store, 0, 500)
    async with telemetry(tmp_path / "first.sqlite") as store:
        handler = StoringHandler(store)
        async with net.gateway(handler), uplink(net, site_store):
            await drained(site_store, handler)
    await fill(site_store, 500, 500)
    async with telemetry(tmp_path / "second.sqlite") as store:
        handler = StoringHandler(store)
        async with net.gateway(handler), uplink(net, site_store):
            await drained(site_store, handler)
        arrived = await values(store, 1000)
        assert arrived[-500:] == list(range(500, 1000))
        assert len(arrived) < 1000  # a few more, if the last word of the first was lost
