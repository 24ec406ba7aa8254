"""Reports of our VEN over mutual TLS, judged by the simulated utility: every interval once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.identity import client_context
from gateway.ports import ResourceState
from gateway.utility.openadr.reports.records import ReportTask
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.ven import OpenAdrVen
from support.openadr import DictMemory, FlatReports, RecordingIntake
from support.waiting import PATIENCE_S
from vtn_sim.config import KnownVen, VtnSettings
from vtn_sim.main import VtnAddresses
from vtn_sim.main import run as run_vtn

pytestmark = pytest.mark.xdist_group("realtime")
CLOCK = SystemClock()
UNTIL_CANCELLED = {"granularity_s": 2, "report_back_s": 2}
DEPOT = "site/depot-1/status"
ONCE = {"report_back_s": 0, "window": None}


class Utility:
    """The REST API of a running VTN."""

    def __init__(self, api: httpx.AsyncClient, memory: DictMemory) -> None:
        self.api = api
        self._memory = memory

    @property
    def served(self) -> set[str]:
        """The requests of which the VEN still has something to send."""
        return {key for _, kind, key in self._memory.documents if kind == ReportTask.__name__}

    async def get(self, path: str) -> Any:
        return (await self.api.get(path)).raise_for_status().json()

    async def act(self, action: str, **content: object) -> None:
        body = {"action": action, **content}
        (await self.api.post("/api/openadr/actions", json=body)).raise_for_status()

    async def ask(self, *requests: dict[str, object]) -> None:
        await self.act("ask-reports", ven="ven-1", requests=list(requests))

    async def of(self, name: str) -> Any:
        """What came of one report request."""
        asked = await self.get("/api/openadr/report-requests")
        return next(one for one in asked if one["report_request_id"] == name)

    async def messages(self, name: str) -> list[str]:
        """The messages of one kind that were received."""
        found = await self.get("/api/messages?limit=1000")
        numbers = [m["number"] for m in found if m["name"] == name and m["direction"] == "received"]
        return [(await self.api.get(f"/api/messages/{number}")).text for number in numbers]

    async def reports(self, name: str, at_least: int = 1) -> None:
        """Wait until so many reports of a request have come."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.of(name))["reports"] < at_least:
                await CLOCK.sleep(0.1)

    async def received(self, name: str, part: str = "") -> None:
        """Wait until a message of this kind has come that holds a text."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(part in text for text in await self.messages(name)):
                await CLOCK.sleep(0.1)


@asynccontextmanager
async def utility_and_ven(pki: Pki, source: FlatReports) -> AsyncIterator[Utility]:
    config = VtnSettings(
        cert_file=pki.vtn.cert,
        key_file=pki.vtn.key,
        ca_file=pki.utility_ca,
        poll_frequency_s=1,
        vens=(KnownVen(ven_id="ven-1", name="gridyard"),),
        report=None,
    )
    stopping, found = asyncio.Event(), asyncio.Queue[VtnAddresses]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_vtn(config, CLOCK, found.put_nowait, stopping))
        addresses = await found.get()
        async with httpx.AsyncClient(base_url=addresses.api_url, trust_env=False) as api:
            memory = DictMemory()
            ven = tasks.create_task(_ven(pki, addresses.openadr_url, source, memory).run())
            vtn = Utility(api, memory)
            await vtn.received("oadrRegisterReport")
            yield vtn
            ven.cancel()
        stopping.set()


def _ven(pki: Pki, url: str, source: FlatReports, memory: DictMemory) -> OpenAdrVen:
    settings = OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": url,
            "ven_name": "gridyard",
            "ca": pki.utility_ca,
            "cert": pki.ven.cert,
            "key": pki.ven.key,
            "poll_s": 0.3,
            "report_min_granularity_s": 1,
        }
    )
    tls = client_context(settings.ca, settings.cert, settings.key)
    return OpenAdrVen(settings, tls, RecordingIntake(), source, memory, CLOCK)


async def judged(vtn: Utility, *names: str) -> None:
    """The utility's judge finds no fault with these requests."""
    verdicts = (await vtn.get("/api/openadr/vens/ven-1/verdict"))["verdicts"]
    found = {name: v for v in verdicts for name in names if name in v["text"]}
    assert found.keys() == set(names), verdicts
    wrong = [(name, one) for name, v in found.items() for one in v["checks"]]
    assert not [one for one in wrong if one[1]["outcome"] == "fail"]


@pytest.mark.row("openadr:R9")
@pytest.mark.row("openadr:P1")
@pytest.mark.row("openadr:P2")
@pytest.mark.row("openadr:P3")
@pytest.mark.row("openadr:P4")
@pytest.mark.row("openadr:P7")
@pytest.mark.row("openadr:P8")
@pytest.mark.row("openadr:P9")
@pytest.mark.row("openadr:P10")
@pytest.mark.row("openadr:P11")
async def test_every_kind_at_once(pki: Pki) -> None:
    source = FlatReports()
    source.states["depot-1"] = ResourceState(online=True, overridden=True, level=1)
    async with utility_and_ven(pki, source) as vtn:
        history = {"start_in_s": -7200, "duration_s": 6000}
        await vtn.ask(
            {"name": "once", "granularity_s": 2, **ONCE},
            {"name": "periodic", **UNTIL_CANCELLED, "window": {"duration_s": 6}},
            {"name": "batch", "granularity_s": 1, "report_back_s": 3, "window": {"duration_s": 6}},
            {"name": "states", "report": "TELEMETRY_STATUS", **UNTIL_CANCELLED},
            {"name": "past", "report": "HISTORY_USAGE", "granularity_s": 60, **ONCE}
            | {"window": history},
        )
        await vtn.act("offer-reports", ven="ven-1")
        await vtn.received("oadrRegisteredReport", "<ei:responseCode>200<")
        await vtn.reports("once")
        await vtn.reports("past")
        await vtn.reports("periodic", 3)
        await vtn.reports("batch", 2)
        await vtn.reports("states", 2)
        assert (await vtn.of("batch"))["reports"] == 2
        assert (await vtn.of("past"))["values"] == 100 * 6, "a hundred points of each series"
        states = "".join(await vtn.messages("oadrUpdateReport"))
        assert "<oadr:oadrManualOverride>true</oadr:oadrManualOverride>" in states
        await judged(vtn, "once", "periodic", "batch", "states", "past")
        await vtn.ask({"name": "strange", "not_offered": True})
        await vtn.received("oadrCreatedReport", "<ei:responseCode>461<")
        await vtn.ask({"name": "meta", "report": "METADATA", "granularity_s": 0, **ONCE})
        await vtn.received("oadrRegisterReport", "<ei:reportRequestID>meta<")
        assert (await vtn.of("strange"))["reports"] == 0


@pytest.mark.row("openadr:P6")
async def test_cancelled_in_every_way(pki: Pki) -> None:
    async with utility_and_ven(pki, FlatReports()) as vtn:
        names = ("plain", "followed", "inside")
        await vtn.ask(*({"name": name, **UNTIL_CANCELLED} for name in names))
        for name in names:
            await vtn.reports(name)
        await vtn.act("cancel-reports", ven="ven-1", requests=["inside"], inside_update=True)
        await vtn.act("cancel-reports", ven="ven-1", requests=["plain"])
        await vtn.act("cancel-reports", ven="ven-1", requests=["never-asked-for"])
        await vtn.act("cancel-reports", ven="ven-1", requests=["followed"], to_follow=True)
        await vtn.received("oadrCanceledReport", "<ei:responseCode>452<")
        async with asyncio.timeout(PATIENCE_S):
            while vtn.served:
                await CLOCK.sleep(0.1)
        await judged(vtn, *names)


async def test_a_request_for_another_ven_is_refused_and_not_served(pki: Pki) -> None:
    async with utility_and_ven(pki, FlatReports()) as vtn:
        fault = {"effect": "wrong-ven-id", "sent": "oadrCreateReport", "times": 1}
        await vtn.act("add-fault", fault={**fault, "ven": "ven-1"})
        await vtn.ask({"name": "foreign", **UNTIL_CANCELLED})
        await vtn.received("oadrCreatedReport", "not our venID")
        await vtn.ask({"name": "own", **UNTIL_CANCELLED})
        await vtn.reports("own")
        assert (await vtn.of("foreign"))["reports"] == 0
