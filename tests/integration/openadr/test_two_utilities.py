"""One gateway and two utilities at once: one signs and pushes, the other does neither."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.identity import certificate_der, openadr_fingerprint
from contracts.openadr.payloads import CreatedEvent, OadrEvent, OptType, Poll, Response
from gateway.config import GatewaySettings
from gateway.main import GatewayAddresses
from gateway.main import run as run_gateway
from support.openadr import oadr_event
from support.openadr_vtn import Fault, WaywardVtn, distribution, pusher, signing, wayward_vtn
from support.ports import free_port
from support.waiting import until

CLOCK = SystemClock()
MARKET = "http://{}.example/peak"


def config(
    folder: Path, pki: Pki, signer: WaywardVtn, plain: WaywardVtn, push_url: str
) -> GatewaySettings:
    files = {"ca": pki.utility_ca, "cert": pki.ven.cert, "key": pki.ven.key}
    quick = {"ven_name": "gridyard", "poll_s": 0.2, "max_backoff_s": 0.1}
    return GatewaySettings.model_validate(
        {
            "data": folder / "gateway",
            "sites": [
                {
                    "site_id": "depot-1",
                    "name": "Depot",
                    "time_zone": "UTC",
                    "import_limit_w": 100_000,
                }
            ],
            "programs": [
                {
                    "program_id": MARKET.format(name),
                    "name": name,
                    "utility_id": name,
                    "baseline": {"day_type": "any"},
                    "enrolments": [{"site_id": "depot-1", "nominated_w": 50_000}],
                }
                for name in ("signer", "plain")
            ],
            "openadr": [
                {
                    "utility_id": "signer",
                    "url": signer.url,
                    "sign": True,
                    "vtn_fingerprint": openadr_fingerprint(certificate_der(pki.vtn.cert)),
                    "listener": {
                        "host": "127.0.0.1",
                        "port": httpx.URL(push_url).port,
                        "url": push_url,
                    },
                    **files,
                    **quick,
                },
                {"utility_id": "plain", "url": plain.url, **files, **quick},
            ],
            "link": {
                "port": 0,
                "ca": pki.site_ca,
                "broker_cert": pki.broker.cert,
                "broker_key": pki.broker.key,
                "cert": pki.gateway.cert,
                "key": pki.gateway.key,
                "nats": pki.nats,
            },
            "web": {"port": 0},
        }
    )


@asynccontextmanager
async def gateway(settings: GatewaySettings) -> AsyncIterator[httpx.AsyncClient]:
    stopping = asyncio.Event()
    found: asyncio.Queue[GatewayAddresses] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_gateway(settings, CLOCK, stopping, found.put_nowait))
        addresses = await found.get()
        async with httpx.AsyncClient(base_url=addresses.web_url, trust_env=False) as client:
            yield client
        stopping.set()


def tomorrow(event_id: str, utility: str) -> OadrEvent:
    event = oadr_event(event_id)
    return replace(
        event,
        descriptor=replace(event.descriptor, market_context=MARKET.format(utility)),
        active_period=replace(event.active_period, start=CLOCK.now() + timedelta(days=1)),
    )


def answered(vtn: WaywardVtn) -> list[tuple[str, OptType]]:
    return [(r.event_id, r.opt_type) for m in vtn.of(CreatedEvent) for r in m.event_responses]


@pytest.mark.row("openadr:S3", "openadr:S4")
async def test_each_has_its_own_ways_and_one_in_trouble_is_no_trouble_for_the_other(
    pki: Pki, tmp_path: Path
) -> None:
    ours = openadr_fingerprint(certificate_der(pki.ven.cert))
    push_url = f"https://127.0.0.1:{free_port()}/OpenADR2/Simple/2.0b"
    async with (
        wayward_vtn(pki, "SIGNER", **signing(pki, trusts=ours)) as signer,
        wayward_vtn(pki, "PLAIN", ven_id="other-3") as plain,
        gateway(config(tmp_path, pki, signer, plain, push_url)) as web,
        pusher(pki, signer, push_url) as way,
    ):

        async def connected() -> dict[str, Any]:
            page = (await web.get("/api/v1/portfolio")).raise_for_status().json()
            return {one["utility_id"]: one["connected"] for one in page["utilities"]}

        while await connected() != {"signer": True, "plain": True}:
            await CLOCK.sleep(0.05)

        plain.events = [tomorrow("same-id", "plain")]
        plain.for_polls.append(distribution("PLAIN", *plain.events))
        pushed = distribution("SIGNER", tomorrow("same-id", "signer"), request_id="d-1")
        assert isinstance(await way.push("EiEvent", pushed), Response)
        await until(lambda: bool(answered(signer)) and bool(answered(plain)))

        plain.faults.extend([(Poll, Fault(name="503", status=503))] * 10_000)
        more = distribution(
            "SIGNER", tomorrow("same-id", "signer"), tomorrow("second", "signer"), request_id="d-2"
        )
        await way.push("EiEvent", more)
        await until(lambda: len(answered(signer)) == 3)
        plain.faults.clear()
        polls = len(plain.of(Poll))
        await until(lambda: len(plain.of(Poll)) > polls + 2)
        events = (await web.get("/api/v1/events")).raise_for_status().json()

    assert answered(signer) == [
        ("same-id", OptType.IN),
        ("same-id", OptType.IN),
        ("second", OptType.IN),
    ]
    assert answered(plain)[0] == ("same-id", OptType.IN)
    assert {heard.signed_by for heard in signer.heard} == {ours}
    assert {heard.signed_by for heard in plain.heard} == {None}
    assert b"SignatureValue" not in b"".join(heard.body for heard in plain.heard)
    assert signer.of(Poll) == []
    known = {(one["utility_id"], one["event_id"]) for one in events["items"]}
    assert known == {("signer", "same-id"), ("signer", "second"), ("plain", "same-id")}
