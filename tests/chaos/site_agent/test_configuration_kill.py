"""A real agent, killed with `kill -9` around every step of taking other settings.

It always comes up, with the settings from before or the new ones, never with none or half of them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from certs.pki import make_test_pki
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from gridyard.at_gateway.asking import asked, told
from gridyard.credentials import make_credentials, site_folder
from site_agent.config.remote import read_local
from support.ports import steady_ports
from support.processes import Program
from support.site_link import running
from support.whole_gateway import CLOCK, Running, enrolling, gateway

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(280),
    pytest.mark.xdist_group("realtime-chaos"),
    pytest.mark.row("portfolio:L5"),
]
TRIAL_S = 5
BY_CHANCE = 6
"""Rounds with a kill at a moment of chance, each of up to LONGEST_S after the push."""
LONGEST_S = TRIAL_S + 4.0


class Killed:
    """One agent as a process of its own, and its gateway's view of it."""

    def __init__(self, program: Program, config: Path, seen: Running) -> None:
        self.program = program
        self._local = read_local(config)
        self._seen = seen
        self.fingerprints = {"": self._fingerprint("")}
        """Of each configuration's settings, by its id; empty: of the file alone."""

    def _fingerprint(self, text: str) -> str:
        settings = self._local.judged(text).settings
        assert settings is not None
        return self._local.told(settings)

    @property
    def api(self) -> str:
        return str(self._seen.web.base_url)

    async def push(self, text: str, at: str | None = None) -> str:
        body = {"text": text, "sites": ["depot-1"], "by": "op", "at": at}
        pushed = (await told(self.api, "configurations", body))[0]
        name = str(pushed["configuration_id"])
        self.fingerprints[name] = self._fingerprint(text)
        return name

    async def look(self) -> Any:
        return await asked(self.api, "sites/depot-1/configuration")

    async def reaches(self, *stages: str) -> Any:
        while (found := await self.look())["pushed"][0]["stage"] not in stages:
            await CLOCK.sleep(0.02)
        return found

    async def kill_and_start(self) -> str:
        """What it runs with when it is back, which is a whole configuration."""
        hellos = await self._hellos()
        await asyncio.to_thread(self.program.kill)
        self.program.start()
        while await self._hellos() <= hellos:
            assert self.program.running, self.program.output()[-2000:]
            await CLOCK.sleep(0.05)
        agent = (await self.look())["agent"]
        assert self.fingerprints[agent["running"]] == agent["fingerprint"]
        return str(agent["running"])

    async def _hellos(self) -> float:
        metrics = (await self._seen.web.get("/metrics")).text
        line = next(one for one in metrics.splitlines() if one.startswith("gridyard_site_hellos"))
        return float(line.split()[-1])


@asynccontextmanager
async def killed(folder: Path) -> AsyncIterator[Killed]:
    pki = make_test_pki(folder / "pki", sites=[])
    make_credentials(pki.folder, ["depot-1"], CLOCK)
    settings = enrolling(pki, folder / "gateway")
    facts = {"site_id": "depot-1", "building": {"base_w": 5_000, "swing_w": 0}}
    depot, listening = Depot(DepotSettings.model_validate(facts), CLOCK), asyncio.Event()
    async with gateway(settings) as seen, running(depot.run(lambda _: listening.set())):
        await listening.wait()
        config = folder / "site.yaml"
        meter, ocpp = depot.addresses.meter, steady_ports(1)[0]
        own = {
            "site_id": "depot-1",
            "data": str(folder / "site"),
            "contract_limit_w": 100_000,
            "max_building_w": 20_000,
            "circuit": {"limit_a": 200},
            "meter": {"host": meter.host, "port": meter.port},
            "ocpp": {"host": "127.0.0.1", "port": ocpp},
            "telemetry_s": 0.5,
            "remote": {"trial_s": TRIAL_S},
            "link": {
                "servers": [f"tls://127.0.0.1:{seen.link_port}"],
                "credentials": str(site_folder(pki.folder, "depot-1")),
            },
        }
        config.write_text(yaml.safe_dump(own))
        program = Program("depot-1", "site", config)
        program.start()
        try:
            yield Killed(program, config, seen)
        finally:
            await asyncio.to_thread(program.end)


async def test_killed_around_every_step(tmp_path: Path) -> None:
    async with killed(tmp_path) as agent:
        while (await agent.look())["agent"] is None:
            assert agent.program.running, agent.program.output()[-2000:]
            await CLOCK.sleep(0.05)

        staged = await agent.push("telemetry_s: 0.51", at="2100-01-01T00:00:00Z")
        await agent.reaches("staged")
        assert await agent.kill_and_start() == ""
        assert (await agent.look())["agent"]["staged"] == staged  # it waits for its time

        tried = await agent.push("telemetry_s: 0.52")
        await agent.reaches("trial")
        assert await agent.kill_and_start() == ""
        found = await agent.reaches("rolled_back")
        assert found["pushed"][0]["configuration_id"] == tried
        assert found["pushed"][0]["reason"] == "the agent ended before its trial did"

        good = await agent.push("telemetry_s: 0.53")
        await agent.reaches("applied")
        assert await agent.kill_and_start() == good


async def test_killed_at_moments_of_chance(tmp_path: Path) -> None:
    chance, good = random.Random(8), ""
    async with killed(tmp_path) as agent:
        while (await agent.look())["agent"] is None:
            await CLOCK.sleep(0.05)
        for k in range(BY_CHANCE):
            new = await agent.push(f"telemetry_s: 0.{60 + k}\nplanning: {{every_s: {100 + k}}}")
            await CLOCK.sleep(chance.uniform(0.0, LONGEST_S))
            found = await agent.kill_and_start()
            assert found in (good, new)
            ended = await agent.reaches("applied", "rolled_back")
            if ended["pushed"][0]["stage"] == "applied":
                good = new
            assert ended["agent"]["running"] == good
