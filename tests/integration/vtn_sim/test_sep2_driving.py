"""Driving the server over REST, with faults, and what the judge says in the end."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

import httpx
import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.errors import ProtocolError
from contracts.sep2 import codec
from contracts.sep2.codec import MEDIA_TYPE
from contracts.sep2.resources import (
    DERControlResponse,
    DeviceCapability,
    EndDeviceList,
    Registration,
    Time,
)
from support.sep2_server import Sep2Peer, device_lfdi, made_pki, now, running_sep2


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_pki(tmp_path_factory.mktemp("pki"))


async def time_href(peer: Sep2Peer) -> str:
    entry = await peer.get(peer.entry, DeviceCapability)
    assert entry.time_link
    return entry.time_link.href


def fault(effect: str, **more: Any) -> dict[str, Any]:
    return {"fault": {"effect": effect, "kind": "Time", "times": 1, **more}}


# --- faults --------------------------------------------------------------------------------------


async def test_errors_for_so_many_requests(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        href = await time_href(peer)
        await server.act("add-fault", **fault("status", status=503, times=2, retry_after_s=7))
        answers = [await peer.send("GET", href) for _ in range(3)]
        assert [a.status_code for a in answers] == [503, 503, 200]
        assert answers[0].headers["retry-after"] == "7"
        assert await peer.status("GET", peer.entry) == 200


async def test_cut_dropped_and_garbled_answers(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        href = await time_href(peer)
        for effect in ("cut", "drop"):
            await server.act("add-fault", **fault(effect))
            with pytest.raises(httpx.RemoteProtocolError):
                await peer.send("GET", href)
        await server.act("add-fault", **fault("garbage"))
        with pytest.raises(ProtocolError):
            codec.decode((await peer.send("GET", href)).content)
        await server.act("add-fault", **fault("content-type"))
        answer = await peer.send("GET", href)
        assert answer.headers["content-type"] == "text/html"
        assert (await peer.send("GET", href)).headers["content-type"] == MEDIA_TYPE


async def test_slow_answers_hold_up_nobody_else(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        href = await time_href(peer)
        await server.act("add-fault", **fault("slow", delay_s=0.5))
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            slow = tasks.create_task(peer.get(href, Time))
            assert await peer.status("GET", peer.entry) == 200
            assert not slow.done()
        assert time.perf_counter() - begun >= 0.5


@pytest.mark.parametrize("status", [301, 302])
async def test_redirects_on_the_same_host_lead_on(pki: Pki, status: int) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        entry = await peer.get(peer.entry, DeviceCapability)
        assert entry.end_device_list_link
        target = entry.end_device_list_link.href + "?s=0&l=2"
        await server.act(
            "add-fault",
            fault={"effect": "redirect", "kind": "EndDeviceList", "status": status},
        )
        answer = await peer.send("GET", target, follow_redirects=True)
        assert [a.status_code for a in answer.history] == [status]
        assert codec.decode(answer.content, EndDeviceList).results == 2


async def test_redirects_to_another_host_are_a_trap(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        href = await time_href(peer)
        elsewhere = "https://other.example/tm"
        await server.act("add-fault", **fault("redirect", status=302, location=elsewhere))
        assert (await peer.send("GET", href)).headers["location"] == elsewhere


async def test_a_list_without_an_end(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        entry = await peer.get(peer.entry, DeviceCapability)
        assert entry.end_device_list_link
        await server.act("add-fault", fault={"effect": "endless", "kind": "EndDeviceList"})
        for start in (0, 100):
            page = await peer.get(
                entry.end_device_list_link.href, EndDeviceList, f"?s={start}&l=100"
            )
            assert (page.all, page.results) == (start + 1100, 100)
        await server.act("clear-faults")
        page = await peer.get(entry.end_device_list_link.href, EndDeviceList, "?s=0&l=100")
        assert page.all == 3


async def test_what_is_no_sep_xml_is_refused(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        entry = await peer.get(peer.entry, DeviceCapability)
        assert entry.end_device_list_link
        href = entry.end_device_list_link.href
        headers = {"Content-Type": "application/json"}
        assert (await peer.http.post(href, content=b"{}", headers=headers)).status_code == 415
        big = b"<x/>" * 300_000
        headers = {"Content-Type": MEDIA_TYPE}
        assert (await peer.http.post(href, content=big, headers=headers)).status_code == 413
        laughs = b'<!DOCTYPE x [<!ENTITY a "ha">]><EndDevice xmlns="urn:ieee:std:2030.5:ns"/>'
        assert (await peer.http.post(href, content=laughs, headers=headers)).status_code == 400
        assert (await peer.http.get(href, params={"l": "x"})).status_code == 400


# --- driving -------------------------------------------------------------------------------------


async def test_actions_over_rest(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        await server.act("set-pin", device="depot-1", pin=999_999)
        await server.act("shift-clock", seconds=3600)
        told = await peer.get(await time_href(peer), Time)
        assert abs((told.current_time - now()).total_seconds() - 3600) < 5
        device = await server.look("/devices/depot-1")
        prefix = (await server.look(""))["prefix"]
        href = f"{prefix}/edev/{device['number']}/rg"
        assert (await peer.get(href, Registration)).pin == 999_999


MISTAKES: list[tuple[dict[str, Any], int]] = [
    ({"action": "cancel-event", "event": "nothing"}, 404),
    ({"action": "delete-device", "device": "nobody"}, 404),
    ({"action": "delete-device", "device": "agg"}, 409),
    ({"action": "set-poll-rate", "kind": "DERControlList", "seconds": 5}, 409),
    ({"action": "no-such-thing"}, 422),
    ({"action": "set-pin", "device": "depot-1"}, 422),
]


async def test_mistakes_over_rest(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        for action, status in MISTAKES:
            answer = await server.api.post("/api/sep2/actions", json=action)
            assert answer.status_code == status, action
            assert answer.headers["content-type"] == "application/problem+json"
        for path in ("/devices/nobody", "/events/nothing/verdicts", "/exchanges/999"):
            assert (await server.api.get(f"/api/sep2{path}")).status_code == 404


async def test_exchanges_are_kept_in_clear(pki: Pki) -> None:
    async with running_sep2(pki) as server:
        peer = await server.peer()
        await peer.http.get(peer.entry)
        await peer.send("GET", "/dcap/hard-coded")
        first, second = await server.look("/exchanges")
        assert (first["method"], first["kind"], first["status"]) == ("GET", "DeviceCapability", 200)
        assert "<DeviceCapability" in first["response"]
        assert first["remarks"] == [f"Accept does not name {MEDIA_TYPE}"]
        assert "did not come from a link" in second["remarks"][-1]
        assert await server.look(f"/exchanges/{first['number']}") == first


async def test_a_scenario_and_its_verdict(pki: Pki) -> None:
    """One event, from its announcement by the scenario to the judge's last word."""
    control = {
        "action": "add-control",
        "program": "feeder",
        "name": "short",
        "start_in_s": 1,
        "duration_s": 1,
        "modes": {"opModImpLimW": 20_000},
    }
    scenario = [{"relative_to": "contact", "after_s": 0, "do": control}]
    async with running_sep2(pki, scenario=scenario) as server:
        peer = await server.peer()
        assert await server.look("/events") == []
        assert await peer.status("GET", peer.entry) == 200
        (event,) = await server.until("/events", lambda events: events != [])
        prefix = (await server.look(""))["prefix"]

        async def say(code: int) -> None:
            response = DERControlResponse(
                created_date_time=now(),
                end_device_lfdi=device_lfdi(1),
                status=code,
                subject=event["mrid"],
            )
            assert await peer.status("POST", f"{prefix}/rsps/der/rsp", response) == 201

        await say(1)
        await until(event["start"])
        await say(2)
        await until(event["end"])
        await say(3)
        (verdict,) = await server.look("/events/short/verdicts")
        assert verdict["outcome"] == "pass", verdict["text"]
        assert verdict["codes"] == [1, 2, 3]
        assert [r["meaning"] for r in await server.look("/responses?event=short")] == [
            "received",
            "started",
            "completed",
        ]
        upkeep = await server.look("/verdicts")
        assert [one["outcome"] for one in upkeep["devices"]] == ["pending", "pending"]


async def until(instant: str) -> None:
    """Wait for an instant of the real clock."""
    await SystemClock().sleep((datetime.fromisoformat(instant) - now()).total_seconds())
