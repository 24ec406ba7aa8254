"""A whole gateway on PostgreSQL: a site's rows arrive, and a second gateway is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from certs.pki import make_test_pki
from contracts.errors import PermanentError
from gateway.main import run
from gateway.store.database import Database
from gateway.store.telemetry import SqlTelemetry
from gridyard.credentials import make_credentials, site_folder
from site_agent.uplink.link import NatsUplink
from support.postgres import Databases, serve
from support.site_link import Instructions, MemoryOutbox, measurement, running
from support.waiting import PATIENCE_S
from support.whole_gateway import CLOCK, enrolling, gateway

pytestmark = pytest.mark.xdist_group("realtime-gateway-postgres")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Databases]:
    yield from serve()


@pytest.mark.row("mv:M1")
async def test_rows_of_a_site_arrive_and_a_second_gateway_is_refused(
    postgres: Databases, tmp_path: Path
) -> None:
    pki = make_test_pki(tmp_path / "pki", sites=[])
    make_credentials(pki.folder, ["depot-1"], CLOCK)
    with postgres.empty() as address:
        settings = enrolling(pki, tmp_path / "one").model_copy(update={"database_url": address})
        other = enrolling(pki, tmp_path / "two").model_copy(update={"database_url": address})
        async with gateway(settings) as seen:
            outbox = MemoryOutbox()
            await outbox.append([measurement(7.0)])
            site = NatsUplink(
                site_id="depot-1",
                servers=[f"tls://127.0.0.1:{seen.link_port}"],
                credentials=site_folder(pki.folder, "depot-1"),
                outbox=outbox,
                instructions=Instructions(),
                clock=CLOCK,
                agent_version="test",
            )
            async with running(site.run()):
                async with asyncio.timeout(PATIENCE_S):
                    while await outbox.unsent(0, 1):
                        await CLOCK.sleep(0.02)
            with pytest.raises(PermanentError, match="another gateway runs on this database"):
                await run(other, CLOCK, asyncio.Event())
        database = Database.open(address)
        stored = await SqlTelemetry(database, max_hold=timedelta(minutes=5)).latest("depot-1")
        database.close()
    assert [one.value for one in stored.values()] == [7.0]
    assert not (tmp_path / "one" / "gateway.sqlite").exists()
