"""Our VEN against our VTN, over mutual TLS on real sockets, through restarts of either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.identity import client_context
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.ven import OpenAdrVen
from support.openadr import DictMemory, FlatReports, RecordingIntake
from support.waiting import PATIENCE_S
from vtn_sim.config import KnownVen, ReportWish, VtnSettings
from vtn_sim.main import VtnAddresses
from vtn_sim.main import run as run_vtn

CLOCK = SystemClock()
PROGRAM = "http://utility.example/programs/depots"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=["depot-1"])


class Utility:
    """A running VTN and the client that drives its REST API."""

    def __init__(self, addresses: VtnAddresses, api: httpx.AsyncClient) -> None:
        self.addresses = addresses
        self.api = api

    async def get(self, path: str) -> Any:
        return (await self.api.get(path)).raise_for_status().json()

    async def announce(self, event_id: str = "e1", **more: object) -> None:
        steps = [{"duration_s": 60, "value": -50.0}]
        event = {"event_id": event_id, "start_in_s": 600, "signals": [{"intervals": steps}], **more}
        (await self.api.post("/api/events", json=event)).raise_for_status()

    async def opts(self, event_id: str = "e1") -> list[str]:
        deliveries = (await self.get(f"/api/events/{event_id}"))["deliveries"]
        return [answer["opt"] for d in deliveries for answer in d["answers"]]


@asynccontextmanager
async def utility(pki: Pki, port: int = 0, **settings: object) -> AsyncIterator[Utility]:
    config = VtnSettings.model_validate(
        {
            "cert_file": pki.vtn.cert,
            "key_file": pki.vtn.key,
            "ca_file": pki.utility_ca,
            "port": port,
            "poll_frequency_s": 1,
            "vens": [KnownVen(ven_id="ven-1", name="gridyard")],
            "report": ReportWish(granularity_s=2, report_back_s=2),
            **settings,
        }
    )
    stopping = asyncio.Event()
    found: asyncio.Queue[VtnAddresses] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_vtn(config, CLOCK, found.put_nowait, stopping))
        addresses = await found.get()
        async with httpx.AsyncClient(base_url=addresses.api_url, trust_env=False) as api:
            yield Utility(addresses, api)
        stopping.set()


@asynccontextmanager
async def ven(
    pki: Pki, url: str, memory: DictMemory, intake: RecordingIntake
) -> AsyncIterator[OpenAdrVen]:
    settings = OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": url,
            "ven_name": "gridyard",
            "ca": pki.utility_ca,
            "cert": pki.ven.cert,
            "key": pki.ven.key,
            "poll_s": 0.2,
            "max_backoff_s": 1.0,
        }
    )
    tls = client_context(settings.ca, settings.cert, settings.key)
    client = OpenAdrVen(settings, tls, intake, FlatReports(), memory, CLOCK)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(client.run())
        yield client
        task.cancel()


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_S) -> None:
    """Ask again until it is so; the things asked about have no event to wait for."""
    async with asyncio.timeout(seconds):
        while not await check():
            await CLOCK.sleep(0.05)


async def test_an_event_is_answered_and_telemetry_arrives(pki: Pki) -> None:
    intake = RecordingIntake()
    async with utility(pki) as vtn, ven(pki, vtn.addresses.openadr_url, DictMemory(), intake):

        async def registered() -> bool:
            return bool((await vtn.get("/api/vens"))[0]["registered_at"])

        await eventually(registered)
        await vtn.announce()

        async def answered() -> bool:
            return await vtn.opts() == ["optIn"]

        await eventually(answered)
        assert [e.key for e in intake.received] == ["util/e1"]
        assert intake.received[0].window.duration == timedelta(seconds=60)

        async def reported() -> bool:
            return "42.0" in str(await vtn.get("/api/reports"))

        await eventually(reported)


async def test_modification_and_cancellation_reach_the_intake(pki: Pki) -> None:
    intake = RecordingIntake()
    async with utility(pki) as vtn, ven(pki, vtn.addresses.openadr_url, DictMemory(), intake):
        await vtn.announce()

        async def received(count: int) -> bool:
            return len(intake.received) == count

        await eventually(lambda: received(1))
        (await vtn.api.patch("/api/events/e1", json={"priority": 1})).raise_for_status()
        await eventually(lambda: received(2))
        (await vtn.api.delete("/api/events/e1")).raise_for_status()
        await eventually(lambda: received(3))
    assert [(e.modification, e.cancelled) for e in intake.received] == [
        (0, False),
        (1, False),
        (2, True),
    ]


async def test_the_vens_restart_asks_nobody_twice(pki: Pki) -> None:
    memory = DictMemory()
    async with utility(pki) as vtn:
        first, second = RecordingIntake(), RecordingIntake()

        async def answered() -> bool:
            return await vtn.opts() == ["optIn"]

        async with ven(pki, vtn.addresses.openadr_url, memory, first):
            await vtn.announce()
            await eventually(answered)
        async with ven(pki, vtn.addresses.openadr_url, memory, second) as again:

            async def connected() -> bool:
                return again.health.connected and again.health.last_contact_at is not None

            await eventually(connected)
            await vtn.announce("e2")

            async def second_answered() -> bool:
                return await vtn.opts("e2") == ["optIn"]

            await eventually(second_answered)
        assert [e.event_id for e in first.received] == ["e1"]
        assert [e.event_id for e in second.received] == ["e2"]
        (registered,) = await vtn.get("/api/vens")
        assert registered["ven_id"] == "ven-1"


async def test_a_vtn_that_forgot_us_is_registered_with_again(pki: Pki) -> None:
    intake, memory = RecordingIntake(), DictMemory()
    async with utility(pki) as first:
        port = int(first.addresses.openadr_url.split(":")[2].split("/")[0])
        async with ven(pki, first.addresses.openadr_url, memory, intake) as client:

            async def connected() -> bool:
                return client.health.connected and client.health.last_contact_at is not None

            await eventually(connected)
    async with (
        ven(pki, first.addresses.openadr_url, memory, intake),
        utility(pki, port) as second,
    ):
        await second.announce()

        async def answered() -> bool:
            return await second.opts() == ["optIn"]

        await eventually(answered)


async def test_a_client_from_another_root_is_refused_at_the_door(pki: Pki, tmp_path: Path) -> None:
    stranger = make_test_pki(tmp_path / "other", sites=["x"])
    async with utility(pki) as vtn:
        tls = client_context(pki.utility_ca, stranger.ven.cert, stranger.ven.key)
        async with httpx.AsyncClient(verify=tls, trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(f"{vtn.addresses.openadr_url}/OadrPoll", content=b"<x/>")


async def test_malformed_xml_is_answered_and_others_go_on(pki: Pki) -> None:
    intake = RecordingIntake()
    async with utility(pki) as vtn, ven(pki, vtn.addresses.openadr_url, DictMemory(), intake):
        tls = client_context(pki.utility_ca, pki.ven.cert, pki.ven.key)
        async with httpx.AsyncClient(verify=tls, trust_env=False) as client:
            answer = await client.post(f"{vtn.addresses.openadr_url}/OadrPoll", content=b"<oadr")
        assert answer.status_code == httpx.codes.BAD_REQUEST
        assert answer.content
        await vtn.announce()

        async def answered() -> bool:
            return await vtn.opts() == ["optIn"]

        await eventually(answered)
