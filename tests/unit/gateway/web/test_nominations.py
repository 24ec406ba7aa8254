"""`/api/v1/nominations`: asked for, looked at, decided; every one may be repeated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from contracts.testing import FakeClock
from support.gateway_web import LOADS, NOW, PROGRAM, ZONE, World, browser, make_world
from support.nominations import past

API = "/api/v1/nominations"


@pytest.fixture
async def world(bare_world: World) -> World:
    """A month of hours is on record: each site has offered 10 kW all the time."""
    rows = past({site: [10_000.0] * 40 for site in LOADS}, before=NOW, zone=ZONE)
    await bare_world.nominations.record(rows)
    return bare_world


@pytest.fixture
def bare_world() -> World:
    return make_world(FakeClock(NOW))


async def proposed(
    client: httpx.AsyncClient, key: str | None = None, **more: Any
) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.post(API, json={"program_id": PROGRAM, **more}, headers=headers)


@pytest.mark.row("portfolio:A3")
async def test_a_proposal_explains_itself_and_is_accepted(client: httpx.AsyncClient) -> None:
    answer = await proposed(client, by="Ann", reason="for  December")
    assert answer.status_code == 201
    made = answer.json()
    assert made["nomination_id"].startswith("2026-12-r1-")
    assert (made["label"], made["state"], made["revision"]) == ("2026-12", "proposed", 1)
    assert made["gate"] == made["start"] == "2026-12-01T08:00:00Z"
    assert (made["gate_stated"], made["late"], made["confidence_pct"]) == (False, False, 90.0)
    (quantity,) = made["quantities"]
    assert quantity["power_w"] == pytest.approx(30_000.0)
    assert [part["site_id"] for part in quantity["parts"]] == sorted(LOADS)
    assert "comparable days" in quantity["words"][0]
    assert made["steps"][0] == {**made["steps"][0], "by": "Ann", "cause": "for December"}
    url = f"{API}/{made['nomination_id']}"
    assert (await client.get(url)).json() == made
    verdict = {"decision": "accept", "by": "Ann", "reason": "fits"}
    for _ in range(2):
        answer = await client.post(f"{url}/decisions", json=verdict)
        assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
        assert [step["status"] for step in answer.json()["steps"]] == ["proposed", "accepted"]
    again = await client.post(f"{url}/decisions", json={"decision": "refuse"})
    assert again.status_code == 409
    assert again.json()["title"].endswith("is accepted: it cannot be refused")
    assert (await client.post(f"{url}/decisions", json={"decision": "withdraw"})).json()[
        "state"
    ] == "withdrawn"
    listed = (await client.get(API, params={"program": PROGRAM})).json()
    assert [one["state"] for one in listed] == ["withdrawn"]


async def test_the_same_again_makes_no_new_revision(client: httpx.AsyncClient) -> None:
    first = await proposed(client, "key-1")
    assert first.status_code == 201
    for key in ("key-1", "key-2", None):
        answer = await proposed(client, key)
        assert (answer.status_code, answer.json()) == (200, first.json())
    mistaken = await proposed(client, "key-1", first="2027-01-01")
    assert mistaken.status_code == 422
    january = await proposed(client, first="2027-01-15")
    assert january.json()["label"] == "2027-01"
    listed = (await client.get(API)).json()
    assert [one["label"] for one in listed] == ["2027-01", "2026-12"]
    late = (NOW + timedelta(days=60)).isoformat()
    assert [o["label"] for o in (await client.get(API, params={"since": late})).json()] == [
        "2027-01"
    ]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"program_id": "none"}, 404, "There is no program 'none'"),
        ({"last": "2026-12-31"}, 422, ""),
        ({"by": ""}, 422, ""),
        ({"first": "no date"}, 422, ""),
        ({"more": 1}, 422, ""),
    ],
)
async def test_mistakes_are_told(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, words: str
) -> None:
    answer = await proposed(client, **body)
    assert answer.status_code == status
    assert words in answer.json()["title"]


async def test_what_is_unknown_is_404(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get(f"{API}/none")).status_code == 404
    decided = await client.post(f"{API}/none/decisions", json={"decision": "accept"})
    assert decided.status_code == 404
    assert (await client.get(API, params={"program": "none"})).status_code == 404
    assert (await client.get(API)).json() == []


async def test_a_proposal_without_a_record_says_what_is_missing(bare_world: World) -> None:
    async with browser(bare_world.app) as client:
        answer = await proposed(client)
    assert answer.status_code == 409
    assert "only 0 comparable days" in answer.json()["title"]
