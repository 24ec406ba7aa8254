"""Events by hand and by other programs: entered, repeated, cancelled, decided about."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from gateway.domain.event import EventSource, Opt
from support.gateway_web import NOW, PROGRAM, World

API = "/api/v1/events"
HOUR = timedelta(hours=1)


def body(**changes: object) -> dict[str, Any]:
    wanted: dict[str, object] = {
        "program_id": PROGRAM,
        "start": (NOW + HOUR).isoformat(),
        "end": (NOW + 2 * HOUR).isoformat(),
        "kind": "delta_w",
        "value": -50_000.0,
        "source": "manual",
        "comment": "telephone",
    }
    return {**wanted, **changes}


@pytest.mark.row("portfolio:A1")
async def test_an_event_is_entered_once_however_often_it_is_sent(
    client: httpx.AsyncClient, world: World
) -> None:
    key = {"Idempotency-Key": "call-17"}
    first = await client.post(API, json=body(), headers=key)
    again = await client.post(API, json=body(), headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["opt"] == "optIn"
    name = first.json()["event_id"]
    stored = await world.ledger.event(f"pacific-utility/{name}")
    assert stored is not None
    assert (stored.event.source, stored.event.comment) == (EventSource.MANUAL, "telephone")
    (entry,) = await world.ledger.journal(stored.event.key)
    assert entry.action == "new event: optIn"
    other = await client.post(API, json=body(value=-1.0), headers=key)
    assert other.status_code == 422
    without = [(await client.post(API, json=body())).json()["event_id"] for _ in range(2)]
    assert len({name, *without}) == 3


async def test_a_name_of_the_utilitys_own_stands_for_one_event(client: httpx.AsyncClient) -> None:
    named = body(event_id="notice-4711")
    assert (await client.post(API, json=named)).status_code == 201
    assert (await client.post(API, json=named)).status_code == 200
    answer = await client.post(API, json={**named, "value": -1.0})
    assert answer.status_code == 409
    assert "another event 'notice-4711'" in answer.json()["title"]


@pytest.mark.row("portfolio:A1")
async def test_cancelling_is_repeatable_and_for_entered_events_only(
    client: httpx.AsyncClient, world: World
) -> None:
    await client.post(API, json=body(event_id="n1"))
    for _ in range(2):
        answer = await client.post(
            f"{API}/pacific-utility/n1/cancellations", json={"reason": "called off"}
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    entries = await world.ledger.journal("pacific-utility/n1")
    assert entries[-1].cause == "cancelled by a person at the gateway: called off"
    assert len(entries) == 2
    theirs = await client.post(f"{API}/pacific-utility/evt-2026-1121/cancellations", json={})
    assert theirs.status_code == 409
    assert "only it can cancel it" in theirs.json()["title"]


@pytest.mark.row("portfolio:A7")
async def test_a_person_decides(client: httpx.AsyncClient, world: World) -> None:
    await client.post(API, json=body(event_id="n2"))
    answer = await client.post(
        f"{API}/pacific-utility/n2/decisions", json={"opt": "optOut", "reason": "staff is short"}
    )
    assert (answer.status_code, answer.json()["opt"]) == (200, "optOut")
    stored = await world.ledger.event("pacific-utility/n2")
    assert stored is not None
    assert stored.decision.opt is Opt.OUT
    assert stored.decision.cause.endswith("by a person at the gateway: staff is short")
    gone = await client.post(f"{API}/pacific-utility/n9/decisions", json={"opt": "optIn"})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"program_id": "nobody's"}, 404),
        ({"kind": "speed"}, 422),
        ({"value": 1e12}, 422),
        ({"kind": "level", "value": 4}, 422),
        ({"kind": "import_limit_w", "value": -1}, 422),
        ({"end": (NOW + HOUR).isoformat()}, 422),
        ({"end": (NOW + timedelta(days=40)).isoformat()}, 422),
        ({"start": datetime(2026, 11, 21).isoformat()}, 422),  # noqa: DTZ001 (that is the mistake)
        ({"event_id": "../../x"}, 422),
        ({"targets": ["x"] * 1001}, 422),
        ({"surprise": 1}, 422),
        ({"source": "openadr"}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused_as_a_problem(
    client: httpx.AsyncClient, world: World, changes: dict[str, object], status: int
) -> None:
    before = len(await world.ledger.events())
    answer = await client.post(API, json=body(**changes))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(await world.ledger.events()) == before


async def test_an_event_without_end_lasts_until_it_is_cancelled(client: httpx.AsyncClient) -> None:
    answer = await client.post(API, json=body(end=None))
    assert (answer.status_code, answer.json()["end"]) == (201, None)


async def test_an_event_to_nobody_is_refused_with_the_reason(client: httpx.AsyncClient) -> None:
    answer = await client.post(API, json=body(targets=["nowhere"]))
    assert answer.status_code == 201
    assert (answer.json()["opt"], "addressed" in answer.json()["opt_cause"]) == ("optOut", True)
