"""An independent client, in a process of its own, against our IEEE 2030.5 server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from certs.pki import Pki
from support.sep2_server import RunningSep2, device_lfdi, made_pki, running_sep2

CLIENT = Path(__file__).with_name("py20305_client.py")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_pki(tmp_path_factory.mktemp("pki"))


class Client:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def said(self, what: str) -> dict[str, Any]:
        """The next line of this kind."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while True:
                line = await self._process.stdout.readline()
                assert line, "the client has ended"
                found: dict[str, Any] = json.loads(line)
                if found["what"] == what:
                    return found


@asynccontextmanager
async def py20305(server: RunningSep2) -> AsyncIterator[Client]:
    own, pki = server.pki.sep2.aggregator, server.pki.sep2
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(CLIENT), str(server.url)),
        *(str(own.cert), str(own.key), str(pki.ca)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Client(process)
    finally:
        process.kill()
        await process.wait()


async def test_it_finds_registers_obeys_and_answers(pki: Pki) -> None:
    modes = {"opModExpLimW": 5000}
    devices = [
        {"lfdi": device_lfdi(1), "label": "depot-1", "fsas": ["system", "feeder"]},
        {"lfdi": device_lfdi(3), "label": "depot-3", "registered": False},
    ]
    programs = [
        {"name": "system", "primacy": 5, "default": {"modes": modes}},
        {"name": "feeder", "primacy": 1},
    ]
    async with running_sep2(pki, devices=devices, programs=programs) as server:
        async with py20305(server) as client:
            found = await client.said("connected")
            assert (found["devices"], found["programs"]) == (2, 2)
            assert not any(kind.endswith("unknown") for kind in await server.look("/requests"))

            asked = await server.act(
                "add-control",
                program="feeder",
                name="c",
                start_in_s=2,
                duration_s=2,
                modes=modes,
            )
            client.tell("poll")
            applied = await client.said("apply")
            assert applied["mrid"] == asked["mrid"]
            answered = await server.until(
                "/responses?event=c", lambda r: [one["status"] for one in r][-1:] == [3]
            )
            assert [one["status"] for one in answered] == [1, 2, 3]
            assert {one["device"] for one in answered} == {"depot-1"}

            client.tell(f"register {device_lfdi(3)}")
            href = (await client.said("registered"))["href"]
        device = await server.look("/devices/depot-3")
        assert device["listed"]
        assert href.endswith(f"/edev/{device['number']}")
        (verdict,) = await server.look("/events/c/verdicts")
        assert verdict["outcome"] == "pass", verdict["text"]
