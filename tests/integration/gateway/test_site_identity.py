"""A whole gateway, and a site that comes, is seen, goes, is thrown out and comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.site_link.enrolment import Token
from gateway.config import GatewaySettings
from gateway.main import GatewayAddresses, run
from gridyard.credentials import make_credentials, site_folder
from gridyard.site import access
from site_agent.uplink.joining import join
from site_agent.uplink.link import NatsUplink
from support.openadr_vtn import free_port
from support.site_link import Instructions, MemoryOutbox, running
from support.waiting import until

CLOCK = SystemClock()
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=[])


@pytest.fixture
def settings(pki: Pki, tmp_path: Path) -> GatewaySettings:
    port = free_port()
    site = {"time_zone": "UTC", "import_limit_w": 100_000}
    return GatewaySettings.model_validate(
        {
            "data": tmp_path / "gateway",
            "sites": [{"site_id": name, "name": name, **site} for name in ("depot-1", "depot-2")],
            "link": {
                "port": 0,
                "ca": pki.site_ca,
                "broker_cert": pki.broker.cert,
                "broker_key": pki.broker.key,
                "cert": pki.gateway.cert,
                "key": pki.gateway.key,
                "nats": pki.nats,
                "enrolment": {
                    "url": f"https://127.0.0.1:{port}",
                    "port": port,
                    "ca_key": pki.site_ca_key,
                },
            },
            "web": {"port": 0},
        }
    )


@dataclass
class Running:
    link_port: int
    web: httpx.AsyncClient

    def site(self, credentials: Path, site_id: str = "depot-1") -> NatsUplink:
        return NatsUplink(
            site_id=site_id,
            servers=[f"tls://127.0.0.1:{self.link_port}"],
            credentials=credentials,
            outbox=MemoryOutbox(),
            instructions=Instructions(),
            clock=CLOCK,
            agent_version="test",
        )

    async def connected(self, site_id: str = "depot-1") -> bool:
        told: dict[str, Any] = (await self.web.get(f"/api/v1/sites/{site_id}")).json()
        return bool(told["connected"])

    async def becomes(self, *, connected: bool, site_id: str = "depot-1") -> None:
        while await self.connected(site_id) is not connected:
            await CLOCK.sleep(0.02)


@asynccontextmanager
async def gateway(settings: GatewaySettings) -> AsyncIterator[Running]:
    stopping = asyncio.Event()
    found: asyncio.Queue[GatewayAddresses] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run(settings, CLOCK, stopping, found.put_nowait))
        told = await found.get()
        async with httpx.AsyncClient(base_url=told.web_url, trust_env=False) as web:
            yield Running(told.link_port, web)
        stopping.set()


async def token(settings: GatewaySettings, site_id: str = "depot-1") -> Token:
    return await access.enrol(settings, site_id, CLOCK.now(), HOUR)


async def revoke(settings: GatewaySettings, site_id: str = "depot-1") -> int:
    return await access.revoke(settings, site_id, CLOCK.now(), "lost")


@pytest.mark.row("portfolio:L4")
async def test_a_site_comes_goes_is_thrown_out_and_comes_again(
    settings: GatewaySettings, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    waiting = await token(settings)  # the gateway need not run for that
    async with gateway(settings) as running_gateway:
        assert not await running_gateway.connected()
        await join(waiting, "depot-1", folder)
        async with running(running_gateway.site(folder).run()):
            await running_gateway.becomes(connected=True)
        await running_gateway.becomes(connected=False)  # long before it would be stale

        uplink = running_gateway.site(folder)
        async with running(uplink.run()):
            await running_gateway.becomes(connected=True)
            assert await revoke(settings) == 1
            await running_gateway.becomes(connected=False)
            await until(lambda: not uplink.connected)

    again = tmp_path / "again"
    async with gateway(settings) as restarted:
        uplink = restarted.site(folder)
        async with running(uplink.run()):
            await join(await token(settings), "depot-1", again)
            async with running(restarted.site(again).run()):
                await restarted.becomes(connected=True)
            assert not uplink.connected


async def test_credentials_made_elsewhere_can_be_revoked_too(
    settings: GatewaySettings, pki: Pki, tmp_path: Path
) -> None:
    """`gridyard certs` knows nothing of the gateway's database."""
    make_credentials(pki.folder, ["depot-1", "depot-2"], CLOCK)
    one, two = (site_folder(pki.folder, name) for name in ("depot-1", "depot-2"))
    async with gateway(settings) as running_gateway:
        first, second = running_gateway.site(one), running_gateway.site(two, "depot-2")
        async with running(first.run()), running(second.run()):
            await running_gateway.becomes(connected=True)
            await second.wait_connected()
            await revoke(settings)
            await running_gateway.becomes(connected=False)
            assert second.connected
            await until(lambda: not first.connected)


async def test_credentials_never_seen_before_their_revocation_are_shut_out_when_they_come(
    settings: GatewaySettings, pki: Pki
) -> None:
    make_credentials(pki.folder, ["depot-1"], CLOCK)
    assert await revoke(settings) == 0
    async with gateway(settings) as running_gateway:
        uplink = running_gateway.site(site_folder(pki.folder, "depot-1"))
        async with running(uplink.run()):
            await uplink.wait_connected()
            await until(lambda: not uplink.connected)
            await running_gateway.becomes(connected=False)


async def test_a_gateway_that_issues_nothing_has_no_door(settings: GatewaySettings) -> None:
    link = settings.link.model_copy(update={"enrolment": None})
    without = settings.model_copy(update={"link": link})
    with pytest.raises(Exception, match=r"add link\.enrolment"):
        await token(without)
    async with gateway(without) as running_gateway:
        assert not await running_gateway.connected()
