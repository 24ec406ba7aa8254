"""A person opts a site out through the REST API: the utility hears of it over real mutual TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.site_link.messages import VehicleReadiness
from gateway.domain.operating_envelope import SiteBounds
from gateway.flows.events.controls import Controls
from gateway.utility.sep2.acting import Sep2Ports
from gateway.utility.sep2.aggregator import Sep2Aggregator
from gateway.web.app import create_app
from support.gateway_web import World, make_world
from support.openadr import RecordingIntake
from support.sep2_acting import Envelopes, FragileMemory, Sites
from support.sep2_client import client_settings
from support.sep2_server import RunningSep2, device_lfdi, now, running_sep2
from support.waiting import until

DEFAULT = SiteBounds(load_limit_w=90_000.0)
_POLLS = 12
LIMIT = SiteBounds(load_limit_w=50_000.0)


class Gateway:
    """The client and the API of one process after another, over one memory."""

    def __init__(self, server: RunningSep2, site_ids: tuple[str, str]) -> None:
        self.server = server
        self.envelopes, self.memory, self.sites = Envelopes(), FragileMemory(), Sites()
        self.site = site_ids[0]
        devices = client_settings(server, poll_s=0.5)
        self.settings = devices.model_copy(
            update={
                "devices": tuple(
                    one.model_copy(update={"sites": (site,)})
                    for one, site in zip(devices.devices, site_ids, strict=True)
                )
            }
        )
        for site in site_ids:
            self.sites.has(site, now(), pcc_power_w=20_000.0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[httpx.AsyncClient]:
        ports = Sep2Ports(
            envelopes=self.envelopes,
            events=RecordingIntake(),
            usage=self.sites,
            states=self.sites,
            readiness=_nobody,
            memory=self.memory,
        )
        aggregator = Sep2Aggregator(self.settings, ports, SystemClock())
        world: World = make_world(SystemClock())
        state = world.state
        controls = Controls(state.portfolio, world.ledger, [aggregator], state.clock)
        app = create_app(replace(state, controls=controls))
        task = asyncio.create_task(aggregator.run())
        transport = httpx.ASGITransport(app=app)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as api:
                yield api
                await self._settled()
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    async def _settled(self) -> None:
        """Only polling is left: a connection that is cut while it is made is never closed."""
        newest = await self.server.look("/exchanges?limit=1")
        seen, polls = newest[-1]["number"], 0
        while polls < _POLLS:
            newer = await self.server.look(f"/exchanges?after={seen}&wait_s=10&limit=1")
            assert newer, "silence"
            seen, polls = newer[-1]["number"], polls + 1 if newer[-1]["method"] == "GET" else 0

    @property
    def bounds(self) -> SiteBounds | None:
        envelope = self.envelopes.imposed.get(self.site)
        step = None if envelope is None else envelope.at(now())
        return None if step is None else step.bounds

    async def codes(self) -> list[int]:
        found = await self.server.look("/responses?event=e1")
        return [one["status"] for one in found if one["device"] == "depot-1"]


async def _nobody(site_id: str) -> list[VehicleReadiness]:
    del site_id
    return []


@pytest.mark.row("sep2:31")
async def test_out_and_in_again_over_a_restart(pki: Pki) -> None:
    programs = [{"name": "system", "primacy": 5, "default": {"modes": {"opModLoadLimW": 90000}}}]
    fsas = [{"name": "system", "programs": ["system"]}]
    async with running_sep2(pki, programs=programs, fsas=fsas, devices=_devices()) as server:
        limit = {"opModLoadLimW": 50_000}
        await server.act(
            "add-control",
            name="e1",
            program="system",
            start_in_s=0,
            duration_s=600,
            modes=limit,
            response_required=7,
        )
        gateway = Gateway(server, ("north-yard", "harbor"))
        async with gateway.running() as api:
            await until(lambda: gateway.bounds == LIMIT)
            (control,) = (await api.get("/api/v1/sites/north-yard/controls")).json()
            path = f"/api/v1/controls/{control['utility_id']}/{control['control_id']}"
            body = {"site_id": "north-yard", "reason": "early departures"}
            answer = await api.post(f"{path}/opt-outs", json=body)
            assert answer.status_code == 201, answer.text
            assert gateway.bounds == DEFAULT
            await server.until("/responses?event=e1", lambda found: _has(found, 4))
        async with gateway.running() as api:
            (control,) = await _listed(api)
            assert control["opted_out"] is True
            assert gateway.bounds == DEFAULT
            answer = await _once_ready(api, f"{path}/opt-ins", body)
            assert answer.status_code == 201, answer.text
            assert gateway.bounds == LIMIT
            await server.until("/responses?event=e1", lambda found: _has(found, 5))
        assert await gateway.codes() == [1, 2, 4, 5]


def _devices() -> list[dict[str, object]]:
    return [{"lfdi": device_lfdi(n), "label": f"depot-{n}", "fsas": ["system"]} for n in (1, 2)]


def _has(found: list[dict[str, object]], code: int) -> bool:
    return any(one["status"] == code for one in found)


async def _listed(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Controls, once the process has read or taken up any."""
    async with asyncio.timeout(30):
        while True:
            found: list[dict[str, Any]] = (
                await api.get("/api/v1/sites/north-yard/controls")
            ).json()
            if found:
                return found
            await SystemClock().sleep(0.05)


async def _once_ready(api: httpx.AsyncClient, path: str, body: dict[str, str]) -> httpx.Response:
    """A process that has just begun says 503 until it knows the server's time."""
    async with asyncio.timeout(30):
        while (answer := await api.post(path, json=body)).status_code == 503:
            await SystemClock().sleep(0.05)
    return answer
