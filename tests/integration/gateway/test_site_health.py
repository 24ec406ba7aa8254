"""A whole gateway and a whole agent: what is told of the agent's own state, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from certs.pki import Pki, make_test_pki
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from gateway.config import GatewaySettings
from gridyard.at_gateway.asking import asked
from gridyard.credentials import make_credentials, site_folder
from gridyard.site.words import list_lines, show_lines
from site_agent.config import SiteSettings
from site_agent.main import run
from site_agent.store.sqlite import DATABASE, open_store
from site_agent.uplink.lasting import agent_version
from support.ports import free_port
from support.site_link import measurement, running
from support.whole_gateway import CLOCK, Running, enrolling, gateway


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = make_test_pki(tmp_path / "pki", sites=[])
    make_credentials(made.folder, ["depot-1"], CLOCK)
    return made


@pytest.fixture
def settings(pki: Pki, tmp_path: Path) -> GatewaySettings:
    return enrolling(pki, tmp_path / "gateway")


@asynccontextmanager
async def agent(pki: Pki, data: Path, link_port: int) -> AsyncIterator[None]:
    facts = {"site_id": "depot-1", "building": {"base_w": 5_000, "swing_w": 0}}
    depot, listening = Depot(DepotSettings.model_validate(facts), CLOCK), asyncio.Event()
    async with running(depot.run(lambda _: listening.set())):
        await listening.wait()
        meter = depot.addresses.meter
        settings = SiteSettings.model_validate(
            {
                "site_id": "depot-1",
                "data": data,
                "contract_limit_w": 100_000,
                "max_building_w": 20_000,
                "circuit": {"limit_a": 200},
                "meter": {"host": meter.host, "port": meter.port},
                "ocpp": {"host": "127.0.0.1", "port": free_port()},
                "telemetry_s": 0.5,
                "link": {
                    "servers": [f"tls://127.0.0.1:{link_port}"],
                    "credentials": site_folder(pki.folder, "depot-1"),
                },
            }
        )
        async with running(run(settings, CLOCK, asyncio.Event())):
            yield


async def health(seen: Running) -> dict[str, object]:
    """What the agent tells once it has decided something."""
    while True:
        told = (await seen.seen())["agent"]
        if told and told["mode"]:
            return dict(told)
        await CLOCK.sleep(0.05)


async def test_how_an_agent_is_reaches_the_api_and_people(
    settings: GatewaySettings, pki: Pki, tmp_path: Path
) -> None:
    data = tmp_path / "agent"
    data.mkdir()
    store = open_store(data / DATABASE, CLOCK.now(), max_rows=20)
    await store.outbox.append([measurement(n) for n in range(25)])  # so that something is dropped
    gap = store.outbox.last_gap()
    store.close()
    async with gateway(settings) as seen:
        assert (await seen.seen())["agent"] is None
        async with agent(pki, data, seen.link_port):
            told = await health(seen)
            assert (told["version"], told["protocol"], told["mode"]) == (
                agent_version(),
                1,
                "normal",
            )
            assert told["last_gap"] == gap != ""
            assert isinstance(told["waiting_rows"], int)
            assert told["waiting_rows"] > 0
            assert isinstance(told["clock_offset_s"], float)
            while (await health(seen))["uptime_s"] == told["uptime_s"]:
                await CLOCK.sleep(0.05)
        api = str(seen.web.base_url)
        found = await asked(api, "sites/depot-1")
        assert found["agent"]["last_gap"] == gap  # the last word, also of one that is gone
        assert f"  last gap   {gap}" in list(show_lines(found))
        assert "depot-2" in list(list_lines(await asked(api, "sites")))[2]
