"""A whole gateway and whole agents: settings go to sites, and come back where they do not do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from certs.pki import Pki, make_test_pki
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from gateway.config import GatewaySettings
from gridyard.at_gateway.asking import asked, told
from gridyard.credentials import make_credentials, site_folder
from gridyard.site.configure.words import check_lines, history_lines, status_lines
from site_agent.main import run_file
from support.ports import free_port
from support.site_link import running
from support.whole_gateway import CLOCK, Running, enrolling, gateway

pytestmark = [pytest.mark.row("portfolio:L5"), pytest.mark.timeout(240)]
SITES = ("depot-1", "depot-2")
TRIAL_S = 5


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    made = make_test_pki(tmp_path / "pki", sites=[])
    make_credentials(made.folder, list(SITES), CLOCK)
    return made


@pytest.fixture
def settings(pki: Pki, tmp_path: Path) -> GatewaySettings:
    found = enrolling(pki, tmp_path / "gateway")
    link = found.link.model_copy(update={"port": free_port()})
    return found.model_copy(update={"link": link})


@asynccontextmanager
async def meter(site_id: str) -> AsyncIterator[Mapping[str, object]]:
    """The hardware of a depot: where its meter is."""
    facts = {"site_id": site_id, "building": {"base_w": 5_000, "swing_w": 0}}
    depot, listening = Depot(DepotSettings.model_validate(facts), CLOCK), asyncio.Event()
    async with running(depot.run(lambda _: listening.set())):
        await listening.wait()
        found = depot.addresses.meter
        yield {"host": found.host, "port": found.port}


class Agents:
    """Agents with a file each, all on one gateway's link."""

    def __init__(self, pki: Pki, folder: Path, link_port: int) -> None:
        self._pki = pki
        self._folder = folder
        self._link_port = link_port

    def file(self, site_id: str, meter: Mapping[str, object], **more: object) -> Path:
        path = self._folder / f"{site_id}.yaml"
        settings = {
            "site_id": site_id,
            "data": str(self._folder / site_id),
            "contract_limit_w": 100_000,
            "max_building_w": 20_000,
            "circuit": {"limit_a": 200},
            "meter": dict(meter),
            "ocpp": {"host": "127.0.0.1", "port": free_port()},
            "telemetry_s": 0.5,
            "remote": {"trial_s": TRIAL_S},
            "link": {
                "servers": [f"tls://127.0.0.1:{self._link_port}"],
                "credentials": str(site_folder(self._pki.folder, site_id)),
            },
            **more,
        }
        path.write_text(yaml.safe_dump(settings))
        return path

    @asynccontextmanager
    async def run(self, *sites: str) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for site_id in sites:
                path = self.file(site_id, await stack.enter_async_context(meter(site_id)))
                await stack.enter_async_context(running(run_file(path, CLOCK, asyncio.Event())))
            yield


@pytest.fixture
def agents(pki: Pki, settings: GatewaySettings, tmp_path: Path) -> Agents:
    return Agents(pki, tmp_path, settings.link.port)


def api(seen: Running) -> str:
    return str(seen.web.base_url)


async def push(seen: Running, text: str, *sites: str, **more: object) -> Sequence[Any]:
    body = {"text": text, "sites": list(sites), "by": "op", **more}
    found: Sequence[Any] = await told(api(seen), "configurations", body)
    return found


async def site(seen: Running, site_id: str = "depot-1") -> Any:
    return await asked(api(seen), f"sites/{site_id}/configuration")


async def stage(seen: Running, wanted: str, site_id: str = "depot-1") -> Any:
    """The newest configuration, once it is in this state."""
    while True:
        found = await site(seen, site_id)
        if found["pushed"] and found["pushed"][0]["stage"] == wanted:
            return found
        await CLOCK.sleep(0.05)


async def heard(seen: Running, site_id: str = "depot-1") -> Any:
    while (found := await site(seen, site_id))["agent"] is None:
        await CLOCK.sleep(0.05)
    return found["agent"]


async def test_settings_are_checked_pushed_tried_kept_and_taken_back(
    settings: GatewaySettings, agents: Agents
) -> None:
    async with gateway(settings) as seen, agents.run("depot-1"):
        first = await heard(seen)
        wanted = "planning: {ready_before_min: 20}\ncontract_limit_w: 90_000\n"
        path = "sites/depot-1/configuration/checks"
        checked = await told(api(seen), path, {"text": wanted})
        assert list(check_lines({"depot-1": checked})) == [
            "depot-1: 2 changes",
            "  contract_limit_w: 100000.0 -> 90000.0",
            "  planning.ready_before_min: 10.0 -> 20.0",
        ]
        assert (await site(seen))["pushed"] == []
        await push(seen, wanted, "depot-1", reason="they leave earlier")
        await stage(seen, "trial")
        found = await stage(seen, "applied")
        assert found["agent"]["running"] == "depot-1-1"
        assert found["agent"]["fingerprint"] != first["fingerprint"]
        back = await told(
            api(seen), "sites/depot-1/configuration/rollbacks", {"by": "op", "reason": "no"}
        )
        assert back["text"] == ""
        found = await stage(seen, "applied")
        while found["agent"]["fingerprint"] != first["fingerprint"]:
            found = await site(seen)
            await CLOCK.sleep(0.05)
        said = "\n".join(history_lines(found))
        assert "by op, they leave earlier" in said
        assert "by op, roll-back: no" in said


async def test_what_would_loosen_a_limit_is_refused_by_the_site_whatever_the_gateway_says(
    settings: GatewaySettings, agents: Agents
) -> None:
    async with gateway(settings) as seen, agents.run("depot-1"):
        await heard(seen)
        await push(seen, "contract_limit_w: 100_001\nmax_building_w: 0", "depot-1")
        found = await stage(seen, "refused")
        assert found["agent"]["running"] == ""
        assert "max_building_w: may only be changed at the site" in found["pushed"][0]["reason"]


async def test_a_site_that_is_offline_gets_the_newest_when_it_comes_also_from_a_later_gateway(
    settings: GatewaySettings, agents: Agents
) -> None:
    async with gateway(settings) as seen:
        await push(seen, "telemetry_s: 0.6", "depot-1")
        await push(seen, "telemetry_s: 0.7", "depot-1")
        assert (await site(seen))["pushed"][1]["stage"] == "superseded"
    async with gateway(settings) as seen:  # nothing of it is forgotten
        assert (await site(seen))["pushed"][0]["stage"] == "waiting"
        async with agents.run("depot-1"):
            found = await stage(seen, "applied")
            assert found["agent"]["running"] == "depot-1-2"


async def test_without_its_gateway_a_trial_goes_back_and_the_next_gateway_learns_of_it(
    settings: GatewaySettings, agents: Agents
) -> None:
    async with AsyncExitStack() as stack:
        async with gateway(settings) as seen:
            await stack.enter_async_context(agents.run("depot-1"))
            await heard(seen)
            await push(seen, "telemetry_s: 0.6", "depot-1")
            await stage(seen, "trial")
        await CLOCK.sleep(TRIAL_S + 3)  # the agent's own time: nobody is there to be asked
        async with gateway(settings) as seen:
            found = await stage(seen, "rolled_back")
            assert found["pushed"][0]["reason"] == "the link to the gateway did not come back"
            assert found["agent"]["running"] == ""


async def test_the_rest_waits_for_the_first_and_is_never_sent_when_that_fails(
    settings: GatewaySettings, agents: Agents
) -> None:
    async with gateway(settings) as seen, agents.run(*SITES):
        for name in SITES:
            await heard(seen, name)
        await push(seen, "max_building_w: 0", first=1)
        await stage(seen, "refused")
        found = await stage(seen, "stopped", "depot-2")
        assert found["pushed"][0]["reason"] == "depot-1-1 is refused"
        await push(seen, "telemetry_s: 0.6", first=1)
        await stage(seen, "trial")
        assert (await site(seen, "depot-2"))["pushed"][0]["stage"] == "held"
        await stage(seen, "applied", "depot-2")
        assert (await site(seen))["pushed"][0]["stage"] == "applied"
        lines = list(status_lines([await site(seen, name) for name in SITES]))
        assert [line.split() for line in lines[1:]] == [
            ["depot-1", "depot-1-2", "depot-1-2", "applied"],
            ["depot-2", "depot-2-2", "depot-2-2", "applied"],
        ]


async def test_the_gateway_refuses_what_no_site_could_read(settings: GatewaySettings) -> None:
    async with gateway(settings) as seen:
        for body, status in [
            ({"text": "a: [", "by": "op"}, 422),
            ({"text": "a: &x 1", "by": "op"}, 422),
            ({"text": "x" * 40_000, "by": "op"}, 422),
            ({"text": "a: 1"}, 422),
            ({"text": "a: 1", "by": "op", "sites": ["nowhere"]}, 404),
            ({"text": "a: 1", "by": "op", "sites": ["depot-1", "depot-1"]}, 422),
        ]:
            answer = await seen.web.post("/api/v1/configurations", json=body)
            assert answer.status_code == status, body
        answer = await seen.web.post(
            "/api/v1/sites/depot-1/configuration/rollbacks", json={"by": "op"}
        )
        assert answer.status_code == 409
        answer = await seen.web.post(
            "/api/v1/sites/depot-1/configuration/checks", json={"text": "telemetry_s: 1"}
        )
        assert answer.status_code == 503  # only its agent can tell, and it is not there
