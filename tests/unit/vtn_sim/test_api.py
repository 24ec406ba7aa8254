"""The REST API, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from contracts.testing import FakeClock
from vtn_sim.api import api_app
from vtn_sim.config import JudgeSettings
from vtn_sim.openadr.journal import Journal
from vtn_sim.openadr.vtn import Vtn

SIGNALS = [{"intervals": [{"duration_s": 60, "value": -120.0}]}]


@pytest.fixture
def journal() -> Journal:
    return Journal(keep=3)


@pytest.fixture
def api(vtn: Vtn, journal: Journal, clock: FakeClock) -> httpx.AsyncClient:
    app = api_app(vtn, journal, JudgeSettings(), clock)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_an_event_from_announcement_to_cancellation(
    api: httpx.AsyncClient, ven: Any, clock: FakeClock
) -> None:
    created = await api.post("/api/events", json={"start_in_s": 60, "signals": SIGNALS})
    assert created.status_code == 201
    event = created.json()
    path = f"/api/events/{event['event_id']}"
    assert (event["modification"], event["status"], event["deliveries"]) == (0, "far", [])
    ven.poll()
    ven.answer((event["event_id"], 0))
    event = (await api.get(path)).json()
    assert event["deliveries"][0]["answers"][0]["opt"] == "optIn"

    changed = await api.patch(path, json={"priority": 2, "comment": "sooner"})
    assert (changed.json()["modification"], changed.json()["asked"]["priority"]) == (1, 2)
    assert changed.json()["start"] == event["start"]
    other = [{"intervals": [{"duration_s": 30, "value": -10.0}]}]
    changed = await api.patch(path, json={"signals": other, "start": "2026-01-05T12:10:00Z"})
    assert (changed.json()["start"], changed.json()["end"]) == (
        "2026-01-05T12:10:00Z",
        "2026-01-05T12:10:30Z",
    )
    assert changed.json()["asked"]["comment"] == "sooner"

    cancelled = await api.delete(path)
    assert (cancelled.json()["modification"], cancelled.json()["status"]) == (3, "cancelled")
    assert (await api.delete(path)).status_code == 409
    assert [e["event_id"] for e in (await api.get("/api/events")).json()] == [event["event_id"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"signals": SIGNALS}, "either start or start_in_s"),
        ({"signals": SIGNALS, "start_in_s": 1, "start": "2026-01-05T12:00:00Z"}, "either start"),
        ({"signals": SIGNALS, "start": "2026-01-05T12:00:00"}, "timezone"),
        ({"signals": SIGNALS, "start": "9999-12-31T23:59:00Z"}, "less than or equal"),
        ({"signals": SIGNALS, "start_in_s": 1, "comment": "\x00"}, "XML cannot carry"),
        ({"signals": SIGNALS, "start_in_s": 1, "event_id": "\ufffe"}, "XML cannot carry"),
        ({"start_in_s": 1}, "required"),
        ({"start_in_s": 1, "signals": SIGNALS, "duration_s": 7}, "intervals last"),
    ],
)
async def test_a_wrong_event_is_a_problem(
    api: httpx.AsyncClient, content: dict[str, Any], says: str
) -> None:
    answer = await api.post("/api/events", json=content)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["errors"][0]["detail"]


async def test_a_wrong_change_is_a_problem(api: httpx.AsyncClient) -> None:
    new = await api.post("/api/events", json={"start_in_s": 60, "signals": SIGNALS})
    path = f"/api/events/{new.json()['event_id']}"
    for change in ({"duration_s": 7}, {"priority": -1}, {"surprise": 1}):
        answer = await api.patch(path, json=change)
        assert answer.status_code == 422, change
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await api.get(path)).json()["modification"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/events/none", 404),
        ("GET", "/api/events/none/verdicts", 404),
        ("PATCH", "/api/events/none", 404),
        ("DELETE", "/api/events/none", 404),
        ("POST", "/api/vens/none/reregistration", 404),
        ("DELETE", "/api/vens/none/registration", 404),
        ("DELETE", "/api/vens/ven-2/registration", 409),
        ("GET", "/api/messages/9", 404),
        ("GET", "/api/nothing", 404),
        ("PUT", "/api/vens", 405),
    ],
)
async def test_what_is_not_there_is_a_problem(
    api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await api.request(method, path, json={} if method == "PATCH" else None)
    assert answer.status_code == status
    assert answer.json()["status"] == status


async def test_the_same_event_twice_is_a_conflict(api: httpx.AsyncClient) -> None:
    event = {"event_id": "mine", "start_in_s": 60, "signals": SIGNALS}
    assert (await api.post("/api/events", json=event)).status_code == 201
    assert (await api.post("/api/events", json=event)).status_code == 409


async def test_vens_and_what_waits_for_them(api: httpx.AsyncClient, ven: Any) -> None:
    assert (await api.post("/api/vens/ven-1/reregistration")).status_code == 202
    one, two = (await api.get("/api/vens")).json()
    assert (one["ven_id"], one["registered"], one["messages_waiting"]) == ("ven-1", True, 1)
    assert (two["ven_id"], two["registered"]) == ("ven-2", False)
    assert (await api.delete("/api/vens/ven-1/registration")).status_code == 202
    kinds = [type(ven.poll()).__name__ for _ in range(2)]
    assert kinds == ["RequestReregistration", "CancelPartyRegistration"]


async def test_reports_asked_and_received(api: httpx.AsyncClient, ven: Any) -> None:
    assert (await api.post("/api/report-requests", json={"ven_id": "ven-1"})).status_code == 404
    ven.offer("power")
    ven.poll()
    wish = {"ven_id": "ven-1", "granularity_s": 5, "report_back_s": 0, "r_ids": ["power"]}
    (request_id,) = (await api.post("/api/report-requests", json=wish)).json()
    reports = (await api.get("/api/reports")).json()
    assert reports["series"] == []
    request = reports["requests"][1]
    assert (request["report_request_id"], request["granularity_s"]) == (request_id, 5.0)


async def test_a_verdict_for_every_ven_concerned(
    api: httpx.AsyncClient, ven: Any, clock: FakeClock
) -> None:
    event = {"start_in_s": 60, "signals": SIGNALS, "targets": {"ven_ids": ["ven-1"]}}
    event_id = (await api.post("/api/events", json=event)).json()["event_id"]
    (verdict,) = (await api.get(f"/api/events/{event_id}/verdicts")).json()
    assert (verdict["ven_id"], verdict["outcome"]) == ("ven-1", "pending")
    assert verdict["text"].startswith(f"{event_id} at ven-1: PENDING")
    assert verdict["checks"][0]["name"] == "asked"


async def test_messages_are_numbered_bounded_and_raw(
    api: httpx.AsyncClient, journal: Journal, clock: FakeClock
) -> None:
    for n in range(1, 5):
        journal.add(
            "received", "OadrPoll", b"<script>%d</script>" % n, clock.now(), name="oadrPoll"
        )
    messages = (await api.get("/api/messages")).json()
    assert [m["number"] for m in messages] == [2, 3, 4]
    assert [m["number"] for m in (await api.get("/api/messages?after=2&limit=1")).json()] == [4]
    raw = await api.get("/api/messages/3")
    assert raw.text == "<script>3</script>"
    assert raw.headers["content-type"].startswith("text/plain")
    assert (await api.get("/api/messages/1")).status_code == 404


async def test_one_can_wait_for_the_next_message(
    api: httpx.AsyncClient, journal: Journal, clock: FakeClock
) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(api.get("/api/messages?after=0&wait_s=20"))
        await clock.advance(0)
        assert not waiting.done()
        journal.add("sent", "OadrPoll", b"<x/>", clock.now())
    assert [m["xml"] for m in waiting.result().json()] == ["<x/>"]
    assert (await api.get("/api/messages?after=1&wait_s=0.01")).json() == []


def test_the_api_describes_itself(make_vtn: Callable[..., Vtn], clock: FakeClock) -> None:
    schema = api_app(make_vtn(), Journal(1), JudgeSettings(), clock).openapi()
    assert {"/api/events", "/api/vens", "/api/reports", "/api/messages"} <= schema["paths"].keys()
