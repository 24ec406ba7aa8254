"""An independent VEN, in a process of its own, against our VTN over mutual TLS."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from contracts import die_with_parent

pytestmark = pytest.mark.xdist_group("realtime")
VEN = Path(__file__).with_name("openleadr_ven.py")
EVENT = {
    "start_in_s": 1,
    "signals": [
        {
            "name": "LOAD_DISPATCH",
            "type": "delta",
            "intervals": [{"duration_s": 2, "value": -120.0}, {"duration_s": 1, "value": -80.0}],
        }
    ],
}


@asynccontextmanager
async def openleadr_ven(url: str, folder: Path, *more: str) -> AsyncIterator[asyncio.StreamReader]:
    """The VEN's output, one line of JSON for each event it is given."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-IS", die_with_parent.__file__, str(os.getpid())),
        *(sys.executable, str(VEN), url, str(folder), *more),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def told(output: asyncio.StreamReader) -> dict[str, Any]:
    """The next event the VEN was given."""
    async with asyncio.timeout(60):
        event: dict[str, Any] = json.loads(await output.readline())
    return event


async def test_registers_reports_and_takes_an_event(start_vtn: Any, pki: Path) -> None:
    async with start_vtn() as vtn, openleadr_ven(vtn.addresses.openadr_url, pki) as output:
        vens = await vtn.until("/api/vens", lambda vens: vens[0]["registered"])
        assert vens[0]["ven_id"] == "ven-1"
        reports = await vtn.until("/api/reports", lambda r: r["series"])
        assert (reports["series"][0]["units"], reports["series"][0]["si_scale_code"]) == ("W", "k")
        assert reports["series"][0]["samples"][0]["value"] == 42.5

        event = (await vtn.api.post("/api/events", json=EVENT)).json()
        assert await told(output) == {
            "event_id": event["event_id"],
            "modification": 0,
            "status": "far",
            "signal": "LOAD_DISPATCH",
            "scale": "k",
            "values": [-120.0, -80.0],
        }
        verdicts = await vtn.until(
            f"/api/events/{event['event_id']}/verdicts", lambda v: v[0]["outcome"] != "pending"
        )
        assert verdicts[0]["outcome"] == "pass", verdicts[0]["text"]
        event = await vtn.get(f"/api/events/{event['event_id']}")
        (answer,) = event["deliveries"][0]["answers"]
        assert (answer["opt"], answer["code"]) == ("optIn", 200)


async def test_hears_of_a_change_and_of_a_cancellation(start_vtn: Any, pki: Path) -> None:
    async with start_vtn() as vtn, openleadr_ven(vtn.addresses.openadr_url, pki) as output:
        await vtn.until("/api/vens", lambda vens: vens[0]["registered"])
        far = {**EVENT, "start_in_s": 600}
        path = f"/api/events/{(await vtn.api.post('/api/events', json=far)).json()['event_id']}"
        assert (await told(output))["modification"] == 0
        signals = [{"intervals": [{"duration_s": 60, "value": -10.0}]}]
        await vtn.api.patch(path, json={"signals": signals})
        changed = await told(output)
        assert (changed["modification"], changed["values"]) == (1, [-10.0])
        await vtn.api.delete(path)
        cancelled = await told(output)
        assert (cancelled["modification"], cancelled["status"]) == (2, "cancelled")
        event = await vtn.until(path, lambda e: len(e["deliveries"]) == 3)
        assert event["status"] == "cancelled"


async def test_plays_its_scenario(start_vtn: Any, pki: Path) -> None:
    event = {
        "notice_after_s": 0.5,
        "start_after_s": 30,
        "signals": [{"intervals": [{"duration_s": 60, "value": -5.0}]}],
    }
    async with (
        start_vtn(scenario=[event]) as vtn,
        openleadr_ven(vtn.addresses.openadr_url, pki) as output,
    ):
        assert (await told(output))["values"] == [-5.0]
        assert len(await vtn.get("/api/events")) == 1


async def test_signed_both_ways(start_vtn: Any, pki: Path) -> None:
    async with start_vtn(signatures="required") as vtn:
        fingerprint = (await vtn.get("/api/openadr"))["fingerprint"]
        url = vtn.addresses.openadr_url
        async with openleadr_ven(url, pki, fingerprint) as output:
            await vtn.until("/api/vens", lambda vens: vens[0]["registered"])
            event = (await vtn.api.post("/api/events", json={**EVENT, "start_in_s": 600})).json()
            assert (await told(output))["event_id"] == event["event_id"]
            path = f"/api/events/{event['event_id']}"
            answered = await vtn.until(path, lambda e: e["deliveries"][0]["answers"])
            assert answered["deliveries"][0]["answers"][0]["opt"] == "optIn"
            reports = await vtn.until("/api/reports", lambda found: found["series"])
            assert reports["series"][0]["samples"][0]["value"] == 42.5
            await vtn.api.delete(path)
            cancelled = await told(output)
            assert (cancelled["modification"], cancelled["status"]) == (1, "cancelled")
            await vtn.until(path, lambda e: len(e["deliveries"]) == 2)
        messages = await vtn.get("/api/messages?limit=1000")
        assert all("ReplayProtect" in message["xml"] for message in messages)
