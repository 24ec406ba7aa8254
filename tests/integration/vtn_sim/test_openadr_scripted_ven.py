"""A VEN of the test's own over real mutual TLS: polling, pushed to, signing, several at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from contracts.clock import SystemClock
from contracts.errors import ProtocolError
from contracts.http_server import serve
from contracts.identity import server_context
from contracts.openadr.payloads import CreatedEvent, CreateOpt, EiResponse, OptType, Response
from contracts.openadr.signature import ReplayCache, Signer, SigningKey, Verifier
from support.openadr_scripted_ven import ScriptedVen

pytestmark = pytest.mark.xdist_group("realtime")
CLOCK = SystemClock()
DELTA = [{"intervals": [{"duration_s": 60, "value": -10.0}]}]
TWO = [{"ven_id": "ven-1", "name": "depot"}, {"ven_id": "ven-2", "name": "other"}]


def key_of(pki: Path, name: str) -> SigningKey:
    return SigningKey((pki / f"{name}.pem").read_bytes(), (pki / f"{name}.key").read_bytes())


def scripted(vtn: Any, **content: Any) -> ScriptedVen:
    async def post(service: str, data: bytes) -> bytes | None:
        try:
            answer = await vtn.post(service, data)
        except httpx.TransportError:
            return None
        return answer.content if answer.status_code == 200 and answer.content else None

    return ScriptedVen(post, CLOCK, **{"poll_s": 0.05, "misdeeds": {"polls-too-often"}, **content})


@asynccontextmanager
async def living(*vens: ScriptedVen) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        helpers = [tasks.create_task(ven.run()) for ven in vens]
        yield
        for helper in helpers:
            helper.cancel()


async def act(vtn: Any, action: str, **content: Any) -> Any:
    answer = await vtn.api.post("/api/openadr/actions", json={"action": action, **content})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def played(vtn: Any, **run: Any) -> Any:
    """The run once it is over."""
    new = await vtn.api.post("/api/openadr/runs", json=run)
    assert new.status_code == 202, new.text
    path = f"/api/openadr/runs/{new.json()['number']}"
    async with asyncio.timeout(90):
        while (found := await vtn.get(path))["state"] != "over":
            await vtn.api.get("/api/messages?after=999999999&wait_s=0.1")
    return found


ASK = {
    "action": "ask-reports",
    "requests": [
        {"name": "two", "granularity_s": 1, "report_back_s": 1, "window": {"duration_s": 2}}
    ],
}
SCRIPT = {
    "name": "everything",
    "ven_id": "ven-1",
    "steps": [
        {"do": {"action": "announce", "event_id": "e1", "start_in_s": 600, "signals": DELTA}},
        {
            "after": {"message": {"name": "oadrCreatedEvent"}},
            "do": {"action": "modify", "event_id": "e1", "comment": "changed"},
        },
        {"do": ASK},
    ],
    "expect": [
        {"answer": {"event": "e1", "opt": "optIn", "code": 200}, "by_s": 60},
        {"answer": {"event": "e1", "modification": 1, "code": 200}, "by_s": 60},
        {"report": {"request": "two", "minimum": 42, "maximum": 42}, "at_least": 2, "by_s": 60},
    ],
}


async def test_a_script_over_rest_with_several_vens_at_once(start_vtn: Any) -> None:
    async with start_vtn(vens=TWO, report=None) as vtn:
        one, two = scripted(vtn), scripted(vtn, ven_id="ven-2", misdeeds={"answers-twice"})
        two.misdeeds.add("polls-too-often")
        async with living(one, two):
            run = await played(vtn, **SCRIPT)
            assert run["outcome"] == "pass", run["text"]
            await vtn.until("/api/events/e1", lambda e: len(e["deliveries"]) == 4)
            await vtn.until(
                "/api/openadr/vens/ven-2/verdict", lambda v: "answered twice" in v["text"]
            )
        good = await vtn.get("/api/openadr/vens/ven-1/verdict")
        assert (good["outcome"], good["text"].splitlines()[0]) == ("pass", "VEN ven-1: PASS")
        text = (await vtn.api.get("/api/openadr/vens/ven-2/verdict.txt")).text
        assert text.startswith("VEN ven-2: FAIL")
        (asked,) = await vtn.get("/api/openadr/report-requests")
        assert (asked["codes"], asked["values"], asked["ven_id"]) == ([200], 2, "ven-1")


FAULTS = ["status", "empty", "truncated", "disconnect", "drop", "garbage", "redirect"]


async def test_answers_get_in_whatever_happens_on_the_way(start_vtn: Any) -> None:
    async with start_vtn(report=None) as vtn:
        ven = scripted(vtn)
        async with living(ven):
            await vtn.until("/api/vens", lambda vens: vens[0]["registered"])
            for effect in FAULTS:
                fault = {"effect": effect, "ven": "ven-1", "received": "oadrCreatedEvent"}
                await act(vtn, "add-fault", fault={**fault, "times": 1})
                await act(vtn, "announce", event_id=effect, start_in_s=600, signals=DELTA)
                await vtn.until(f"/api/events/{effect}", lambda e: _opts(e) >= 1)
            await vtn.until("/api/openadr", lambda u: not u["faults"])
            await vtn.until("/api/openadr/vens/ven-1/verdict", lambda v: v["outcome"] == "pass")


def _opts(event: Any) -> int:
    return sum(len(delivery["answers"]) for delivery in event["deliveries"])


async def test_signatures_are_required_both_ways(start_vtn: Any, pki: Path) -> None:
    own, theirs = key_of(pki, "ven"), key_of(pki, "vtn")
    cache = ReplayCache(keep=timedelta(minutes=15))
    async with start_vtn(report=None, signatures="required") as vtn:
        assert (await vtn.get("/api/openadr"))["fingerprint"] == theirs.fingerprint
        unsigned = scripted(vtn)
        assert not await unsigned.register()
        (first, *_) = await vtn.get("/api/messages")
        assert "signature refused" in first["fault"]
        ven = scripted(vtn, signer=Signer(own), verifier=Verifier({theirs.fingerprint}, cache))
        async with living(ven):
            for name in ("S3", "S3C"):
                run = await played(vtn, procedure=name, ven_id="ven-1")
                assert run["outcome"] == "pass", run["text"]
        messages = await vtn.get("/api/messages?limit=10")
        assert all("ReplayProtect" in m["xml"] for m in messages if m["fault"] is None)


async def test_a_signature_of_another_key_than_the_vens_is_refused(
    start_vtn: Any, pki: Path, other_pki: Path
) -> None:
    stranger, theirs = key_of(other_pki, "ven"), key_of(pki, "vtn")
    vens = [{**TWO[0], "fingerprint": key_of(pki, "ven").fingerprint}, TWO[1]]
    async with start_vtn(report=None, signatures="required", vens=vens) as vtn:
        cache = ReplayCache(keep=timedelta(minutes=15))
        verifier = Verifier({theirs.fingerprint}, cache)
        ven = scripted(vtn, signer=Signer(stranger), verifier=verifier)
        assert not await ven.register()
        owner = scripted(vtn, signer=Signer(key_of(pki, "ven")), verifier=verifier)
        assert await owner.register()


@asynccontextmanager
async def listening(ven: ScriptedVen, pki: Path) -> AsyncIterator[str]:
    """The VEN's own https server for a VTN that pushes; its address."""
    stopping, found = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def heard(request: Request) -> HttpResponse:
        try:
            message = ven.decode(await request.body())
        except ProtocolError:
            return HttpResponse(status_code=400)
        ven.take(message)
        acknowledged = Response(response=EiResponse(), ven_id=ven.ven_id)
        return HttpResponse(ven.encode(acknowledged), media_type="application/xml")

    app = Starlette(routes=[Route("/ven/{service}", heard, methods=["POST"])])
    tls = server_context(pki / "ven.pem", pki / "ven.key", pki / "ca.pem")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve(app, host="127.0.0.1", port=0, stopping=stopping, tls=tls, ready=found.set_result)
        )
        yield f"https://127.0.0.1:{await found}/ven"
        stopping.set()


async def test_a_ven_that_is_pushed_to(start_vtn: Any, pki: Path) -> None:
    async with start_vtn(report=None) as vtn:
        ven = scripted(vtn)
        async with listening(ven, pki) as address:
            ven.push_address = address
            async with living(ven):
                (shown,) = await vtn.until("/api/vens", lambda vens: vens[0]["registered"])
                assert shown["push_url"] == address
                run = await played(vtn, **SCRIPT)
                assert run["outcome"] == "pass", run["text"]
                run = await played(vtn, procedure="S4J", ven_id="ven-1")
                assert run["outcome"] == "pass", run["text"]
        polls = [m for m in await vtn.get("/api/messages?limit=1000") if m["name"] == "oadrPoll"]
        assert polls == []


async def test_a_push_that_fails_is_tried_again(start_vtn: Any, pki: Path) -> None:
    async with start_vtn(report=None) as vtn:
        ven = scripted(vtn)
        async with listening(ven, pki) as address:
            ven.push_address = f"{address}/nothing-here"
            assert await ven.register()
            await act(vtn, "announce", event_id="e1", start_in_s=600, signals=DELTA)
            verdict = "/api/openadr/vens/ven-1/verdict"
            async with asyncio.timeout(30):
                while "push to EiEvent failed" not in (await vtn.get(verdict))["text"]:
                    await vtn.api.get("/api/messages?after=999999999&wait_s=0.1")
            ven.push_address = address
            assert await ven.register(ven.registration_id)
            async with living(ven):
                await vtn.until("/api/events/e1", lambda e: _opts(e) >= 1)


async def test_opts_are_shown_and_judged(start_vtn: Any) -> None:
    async with start_vtn(report=None) as vtn:
        ven = scripted(vtn)
        assert await ven.register()
        opt = CreateOpt(
            request_id="o",
            opt_id="007",
            opt_type=OptType.OUT,
            reason="economic",
            ven_id="ven-1",
            created_at=CLOCK.now(),
        )
        for _ in range(2):
            await ven.send("EiOpt", opt)
        (shown,) = await vtn.get("/api/openadr/opts?ven_id=ven-1")
        assert (shown["opt_id"], shown["opt"], len(shown["received_at"])) == ("007", "optOut", 2)
        verdict = await vtn.get("/api/openadr/vens/ven-1/verdict")
        assert "created 2 times" in verdict["text"]
        created = CreatedEvent(ven_id="ven-1", response=EiResponse())
        assert isinstance(await ven.send("EiEvent", created), Response)
