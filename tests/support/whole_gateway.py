"""A whole gateway in this process, with the door where sites enrol, asked over its own API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.time import Clock
from gateway.config import GatewaySettings
from gateway.main import GatewayAddresses, run
from site_agent.uplink.link import NatsUplink
from support.ports import free_port
from support.site_link import Instructions, MemoryOutbox

CLOCK = SystemClock()


def enrolling(pki: Pki, data: Path) -> GatewaySettings:
    """Two depots, and a door where they knock."""
    port = free_port()
    site = {"time_zone": "UTC", "import_limit_w": 100_000}
    return GatewaySettings.model_validate(
        {
            "data": data,
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
        return bool((await self.seen(site_id))["connected"])

    async def seen(self, site_id: str = "depot-1") -> dict[str, Any]:
        told: dict[str, Any] = (await self.web.get(f"/api/v1/sites/{site_id}")).json()
        return told

    async def becomes(self, *, connected: bool, site_id: str = "depot-1") -> None:
        while await self.connected(site_id) is not connected:
            await CLOCK.sleep(0.02)


@asynccontextmanager
async def gateway(settings: GatewaySettings, clock: Clock = CLOCK) -> AsyncIterator[Running]:
    stopping = asyncio.Event()
    found: asyncio.Queue[GatewayAddresses] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run(settings, clock, stopping, found.put_nowait))
        told = await found.get()
        async with httpx.AsyncClient(base_url=told.web_url, trust_env=False) as web:
            yield Running(told.link_port, web)
        stopping.set()
