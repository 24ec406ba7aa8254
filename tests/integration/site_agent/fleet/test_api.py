"""The fleet API over a real socket: who may, what is told, refused, and repeated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from contracts.errors import TransientError
from site_agent.domain.fleet.readiness import Outlook, Readiness
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.fleet.api.gate import MAX_BODY_BYTES
from site_agent.store.memory_fleet import MemoryRoster
from support.fleet import change, live_roster
from support.fleet_api import READ, WRITE, Bench, fleet_api
from support.manual_clock import ManualClock
from support.site import NOON, need

VAN = {"in_hours": 8, "required_wh": 12_000}


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with fleet_api(Bench()) as found:
        yield found


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "method", "status", "challenge"),
    [
        (None, "GET", 401, 'Bearer realm="Gridyard fleet"'),
        ("guessed", "GET", 401, 'Bearer realm="Gridyard fleet"'),
        (WRITE, "GET", 403, 'Bearer error="insufficient_scope", scope="fleet:read"'),
        (READ, "PUT", 403, 'Bearer error="insufficient_scope", scope="fleet:write"'),
        (READ, "GET", 200, None),
        (WRITE, "PUT", 200, None),
    ],
)
async def test_a_token_opens_what_its_scopes_say(
    bench: Bench, token: str | None, method: str, status: int, challenge: str | None
) -> None:
    body = {"json": VAN} if method == "PUT" else {}
    answer = await bench.ask(method, "/vehicles/van-1", token=token, **body)
    assert answer.status_code == status
    assert answer.headers.get("www-authenticate") == challenge
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_who_asks_too_fast_is_told_when_to_come_again() -> None:
    clock = ManualClock()
    async with fleet_api(Bench(per_minute=4, clock=clock)) as bench:
        assert (await bench.ask("GET", "/vehicles")).status_code == 200
        refused = await bench.ask("GET", "/vehicles")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "15")
        assert (await bench.ask("GET", "/vehicles", token=READ)).status_code == 200
        clock.pass_s(15)
        assert (await bench.ask("GET", "/vehicles")).status_code == 200


# --- vehicles -------------------------------------------------------------------------------------


@pytest.mark.row("site:F1")
async def test_a_vehicle_is_made_read_changed_and_forgotten(bench: Bench) -> None:
    made = await bench.ask("PUT", "/vehicles/bus-7", json=VAN | {"id_tags": ["B7"], "rank": 3})
    assert made.status_code == 201
    assert made.json()["id_tags"] == [{"tag": "B7"}]
    assert made.json()["told"]["rank"]["source"] == "api"
    assert bench.roster.vehicles["bus-7"].rank == 3
    changed = await bench.ask("PATCH", "/vehicles/bus-7", json={"rank": None, "departure": "05:00"})
    assert changed.status_code == 200
    assert {"rank", "in_hours"}.isdisjoint(changed.json())
    assert changed.json()["departure"] == "05:00"
    assert (await bench.ask("DELETE", "/vehicles/bus-7")).status_code == 204
    assert (await bench.ask("GET", "/vehicles/bus-7")).status_code == 404
    assert "bus-7" not in bench.roster.vehicles


async def test_a_put_takes_back_what_it_does_not_name(bench: Bench) -> None:
    answer = await bench.ask("PUT", "/vehicles/van-1", json=VAN)
    assert {name: answer.json()[name] for name in VAN} == VAN
    assert {"departure", "capacity_wh", "id_tags"}.isdisjoint(answer.json())


async def test_a_patch_keeps_everything_else(bench: Bench) -> None:
    answer = await bench.ask(
        "PATCH",
        "/vehicles/van-1",
        content=b'{"required_soc_pct": 95}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    told = answer.json()
    assert (told["required_soc_pct"], told["departure"], told["capacity_wh"]) == (95, "06:30", 5e4)
    assert told["told"]["departure"] == {"source": "settings"}
    assert (await bench.ask("PATCH", "/vehicles/none", json={"rank": 1})).status_code == 404


async def test_a_state_of_charge_has_its_own_time(bench: Bench) -> None:
    at = (bench.clock.now() - timedelta(minutes=10)).isoformat()
    told = await bench.ask("PATCH", "/vehicles/van-1", json={"soc_pct": 44.5, "soc_at": at})
    assert told.json()["told"]["soc_pct"]["at"].startswith(at[:19])
    older = (bench.clock.now() - timedelta(hours=1)).isoformat()
    again = await bench.ask("PATCH", "/vehicles/van-1", json={"soc_pct": 90, "soc_at": older})
    assert again.json()["soc_pct"] == 44.5
    later = (bench.clock.now() + timedelta(hours=1)).isoformat()
    future = await bench.ask("PATCH", "/vehicles/van-1", json={"soc_pct": 90, "soc_at": later})
    assert future.json()["errors"] == [{"pointer": "/soc_at", "detail": "lies in the future"}]


async def test_vehicles_come_in_pages(bench: Bench) -> None:
    many = [{"vehicle_id": f"v{n:02}", **VAN} for n in range(5)]
    assert (await bench.ask("POST", "/vehicles", json={"vehicles": many})).status_code == 200
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await bench.ask("GET", f"/vehicles?limit=2&after={after}")).json()
        seen += [one["vehicle_id"] for one in page["vehicles"]]
        after = page["next_after"]
    assert seen == ["v00", "v01", "v02", "v03", "v04", "van-1"]


async def test_many_are_told_all_or_none(bench: Bench) -> None:
    good, bad = {"vehicle_id": "a1", **VAN}, {"vehicle_id": "a2", "rank": -1}
    refused = await bench.ask("POST", "/vehicles", json={"vehicles": [good, bad]})
    assert refused.status_code == 422
    assert refused.json()["title"] == "Vehicle 'a2' cannot be so"
    assert refused.json()["errors"][0]["pointer"] == "/rank"
    assert bench.roster.ids() == ["van-1"]
    told = await bench.ask("POST", "/vehicles", json={"vehicles": [good]})
    assert told.json() == {"changed": ["a1"], "unchanged": []}
    again = await bench.ask("POST", "/vehicles", json={"vehicles": [good]})
    assert again.json() == {"changed": [], "unchanged": ["a1"]}


async def test_trips_are_kept_by_their_ids(bench: Bench) -> None:
    base = "/vehicles/van-1/trips"
    late = {"departs": "2099-01-07T09:00:00+01:00", "required_soc_pct": 100}
    early = {"departs": "2099-01-06T04:00:00Z", "returns": "2099-01-06T15:00:00Z"}
    await bench.ask("PUT", f"{base}/late", json=late)
    both = await bench.ask("PUT", f"{base}/early", json=early)
    assert [one["trip_id"] for one in both.json()["trips"]] == ["early", "late"]
    assert both.json()["trips"][1]["departs"] == "2099-01-07T08:00:00Z"
    moved = await bench.ask("PUT", f"{base}/late", json=late | {"departs": "2099-01-05T09:00:00Z"})
    assert [one["trip_id"] for one in moved.json()["trips"]] == ["late", "early"]
    left = await bench.ask("DELETE", f"{base}/late")
    assert [one["trip_id"] for one in left.json()["trips"]] == ["early"]
    assert (await bench.ask("DELETE", f"{base}/late")).status_code == 404
    wrong = await bench.ask("PUT", f"{base}/x", json={"departs": "06:30"})
    assert wrong.json()["errors"][0]["pointer"] == "/trips/1/departs"
    assert len(bench.roster.vehicles["van-1"].trips) == 1


async def test_trips_that_are_long_over_go_as_others_are_told(bench: Bench) -> None:
    base = "/vehicles/van-1/trips"
    await bench.ask("PUT", f"{base}/old", json={"departs": "2020-01-06T04:00:00Z"})
    told = await bench.ask("PUT", f"{base}/new", json={"departs": "2099-01-06T04:00:00Z"})
    assert [one["trip_id"] for one in told.json()["trips"]] == ["new"]


# --- conditions and repetitions -------------------------------------------------------------------


async def test_a_change_of_what_has_changed_meanwhile_is_refused(bench: Bench) -> None:
    read = await bench.ask("GET", "/vehicles/van-1")
    tag = {"If-Match": read.headers["etag"]}
    first = await bench.ask("PATCH", "/vehicles/van-1", json={"rank": 2}, headers=tag)
    assert first.status_code == 200
    late = await bench.ask("PATCH", "/vehicles/van-1", json={"rank": 3}, headers=tag)
    assert late.status_code == 412
    assert bench.roster.vehicles["van-1"].rank == 2
    only_new = {"If-None-Match": "*"}
    there = await bench.ask("PUT", "/vehicles/van-1", json=VAN, headers=only_new)
    new = await bench.ask("PUT", "/vehicles/new", json=VAN, headers=only_new)
    assert (there.status_code, new.status_code) == (412, 201)
    known = {"If-None-Match": first.headers["etag"]}
    assert (await bench.ask("GET", "/vehicles/van-1", headers=known)).status_code == 304


async def test_a_repeated_request_gets_the_same_answer_and_is_not_done_again(bench: Bench) -> None:
    key = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    first = await bench.ask("PUT", "/vehicles/bus", json=VAN, headers=key)
    await bench.ask("PATCH", "/vehicles/bus", json={"rank": 9})
    again = await bench.ask("PUT", "/vehicles/bus", json=VAN, headers=key)
    assert (
        (again.status_code, again.content)
        == (first.status_code, first.content)
        == (
            201,
            first.content,
        )
    )
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert bench.roster.vehicles["bus"].rank == 9
    other = await bench.ask("PUT", "/vehicles/bus", json=VAN | {"rank": 4}, headers=key)
    assert other.status_code == 422
    by_another = await bench.ask("PUT", "/vehicles/bus", json=VAN, headers=key, token=WRITE)
    assert "idempotency-replayed" not in by_another.headers


async def test_a_refusal_is_repeated_too(bench: Bench) -> None:
    key = {"Idempotency-Key": "k"}
    first = await bench.ask("PATCH", "/vehicles/van-1", json={"rank": -1}, headers=key)
    again = await bench.ask("PATCH", "/vehicles/van-1", json={"rank": -1}, headers=key)
    assert (first.status_code, again.content) == (422, first.content)


async def test_the_same_key_twice_at_once_is_a_conflict() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(MemoryRoster):
        async def put(self, rows: Any) -> None:
            begun.set()
            await go_on.wait()
            await super().put(rows)

    async with fleet_api(Bench(roster=live_roster(store=Slow()))) as bench:
        key = {"Idempotency-Key": "k"}
        first = asyncio.create_task(bench.ask("PUT", "/vehicles/bus", json=VAN, headers=key))
        await begun.wait()
        second = await bench.ask("PUT", "/vehicles/bus", json=VAN, headers=key)
        go_on.set()
        assert ((await first).status_code, second.status_code) == (201, 409)


# --- nonsense -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"rank": 1, "rank": 2}', "application/json", 400),
        (b'{"soc_pct": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"x":' + b"[" * 20 + b"]" * 20 + b"}", "application/json", 400),
        pytest.param(b"[" * 100_000, "application/json", 400, id="too deep"),
        (b"{}", "text/plain", 415),
        pytest.param(b" " * (MAX_BODY_BYTES + 1), "application/json", 413, id="too large"),
        (b'{"vehicle_id": "other"}', "application/json", 422),
        (b'{"soc_pct": 1, "soc_at": "noon"}', "application/json", 422),
        (b'{"bay": "nowhere"}', "application/json", 409),
    ],
)
async def test_nonsense_gets_a_problem_document(
    bench: Bench, content: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind}
    answer = await bench.ask("PATCH", "/vehicles/van-1", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert (await bench.ask("GET", "/vehicles/van-1")).status_code == 200


async def test_a_full_disk_is_told_and_nothing_counts() -> None:
    class Full(MemoryRoster):
        async def put(self, rows: Any) -> None:
            raise TransientError("database: disk full")

    async with fleet_api(Bench(roster=live_roster(store=Full()))) as bench:
        answer = await bench.ask("PATCH", "/vehicles/van-1", json={"rank": 5})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert bench.roster.vehicles["van-1"].rank == 0


# --- looking --------------------------------------------------------------------------------------


async def test_sessions_name_the_vehicle_and_never_the_card(bench: Bench) -> None:
    now = bench.clock.now()
    for n, tag in enumerate(["04A1B2C3", "STRANGE", None]):
        start = now - timedelta(hours=3 - n)
        number = await bench.sessions.start("a", tag, start, 1_000.0, f"r{n}")
        await bench.sessions.stop(number, start + timedelta(minutes=30), 6_000.0, "Local")
    answer = await bench.ask("GET", "/sessions?limit=2")
    page = answer.json()
    assert [one["vehicle_id"] for one in page["sessions"]] == ["van-1", None]
    assert page["sessions"][0]["energy_wh"] == 5_000.0
    assert "04A1B2C3" not in answer.text
    rest = (await bench.ask("GET", f"/sessions?after={page['next_after']}")).json()
    assert (len(rest["sessions"]), rest["next_after"]) == (1, None)
    wrong = await bench.ask("GET", "/sessions?since=2020-01-01T00:00:00Z")
    assert wrong.status_code == 422


async def test_readiness_says_who_will_not_make_it_and_why(bench: Bench) -> None:
    assert (await bench.ask("GET", "/readiness")).status_code == 503
    late = Readiness(
        need=need("a", wh=30_000.0, hours=1.0),
        soc_pct=20.0,
        outlook=Outlook.WILL_MISS,
        reason="late by 20 min even at full power",
        missing_wh=7_000.0,
    )
    bench.judged = (NOON, [late])
    (told,) = (await bench.ask("GET", "/readiness")).json()["vehicles"]
    assert (told["vehicle_id"], told["outlook"], told["missing_wh"]) == ("van-a", "will miss", 7e3)
    assert told["reason"] == "late by 20 min even at full power"


async def test_who_is_expected_is_told(bench: Bench) -> None:
    stay = ExpectedStay(
        vehicle_id="van-1", arrives=NOON, departs=NOON + timedelta(hours=8), required_wh=9e3,
        max_power_w=11e3,
    )  # fmt: skip
    bench.expected = [stay]
    (told,) = (await bench.ask("GET", "/expected")).json()["stays"]
    assert (told["arrives"], told["required_wh"]) == ("2026-01-05T12:00:00Z", 9e3)


async def test_its_description_names_every_route_and_body(bench: Bench) -> None:
    document = json.loads(json.dumps(bench.app().openapi()))
    paths = {path.removeprefix("/api/fleet/v1"): one for path, one in document["paths"].items()}
    assert set(paths) >= {"/vehicles", "/vehicles/{vehicle_id}/trips/{trip_id}", "/readiness"}
    ref = paths["/vehicles/{vehicle_id}"]["put"]["requestBody"]["content"]["application/json"]
    name = ref["schema"]["$ref"].rpartition("/")[2]
    assert "required_soc_pct" in document["components"]["schemas"][name]["properties"]


async def test_a_change_by_somebody_else_does_not_lose_a_trip(bench: Bench) -> None:
    puts = [
        bench.ask("PUT", f"/vehicles/van-1/trips/t{n}", json={"departs": f"2099-01-0{n}T09:00:00Z"})
        for n in range(1, 8)
    ]
    async with asyncio.TaskGroup() as group:
        for one in puts:
            group.create_task(one)
        group.create_task(bench.roster.tell([change(rank=3)]))
    assert len(bench.roster.vehicles["van-1"].trips) == 7
