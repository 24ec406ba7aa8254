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
        ({"kind": "export_limit_w", "value": -1}, 422),
        ({"kind": "export_limit_w", "value": 1, "device_classes": ["evse"]}, 422),
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


URL = f"{API}/pacific-utility/n3"


async def _entered(client: httpx.AsyncClient, **changes: object) -> None:
    assert (await client.post(API, json=body(event_id="n3", **changes))).status_code == 201


@pytest.mark.row("portfolio:A1")
async def test_an_entered_event_is_changed_once_however_often_it_is_sent(
    client: httpx.AsyncClient, world: World
) -> None:
    await _entered(client)
    wanted = {
        "revision": 0,
        "end": (NOW + 3 * HOUR).isoformat(),
        "kind": "delta_w",
        "value": -40_000.0,
        "reason": "telephone: an hour more",
    }
    for _ in range(2):
        answer = await client.patch(URL, json=wanted, headers={"Idempotency-Key": "c1"})
        assert (answer.status_code, answer.json()["modification"]) == (200, 1)
    assert answer.json()["signals"][0]["steps"][0]["value"] == -40_000.0
    assert answer.json()["comment"] == "telephone", "what is left out stays"
    entries = [(e.action, e.cause) for e in await world.ledger.journal("pacific-utility/n3")]
    assert [action for action, _ in entries] == [
        "new event: optIn",
        "change asked for",
        "what changes",
        "modification 1: optIn",
    ]
    assert entries[1][1] == "changed by a person at the gateway: telephone: an hour more"
    assert entries[2][1] == (
        "ends 2026-11-21T04:12+00:00 instead of 2026-11-21T03:12+00:00; "
        "asks for delta_w -40.0 kW instead of delta_w -50.0 kW"
    )


async def test_a_running_event_keeps_what_was_asked_until_now(
    client: httpx.AsyncClient, world: World
) -> None:
    await _entered(client, start=(NOW - HOUR).isoformat())
    wanted = {"revision": 0, "kind": "delta_w", "value": -10_000.0, "end": None}
    answer = await client.patch(URL, json=wanted)
    steps = answer.json()["signals"][0]["steps"]
    assert [step["value"] for step in steps] == [-50_000.0, -10_000.0]
    assert (answer.json()["end"], answer.json()["status"]) == (None, "active")


async def test_a_change_to_what_somebody_else_has_changed_is_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    await _entered(client)
    first = {"revision": 0, "kind": "delta_w", "value": -1_000.0}
    assert (await client.patch(URL, json=first)).status_code == 200
    late = await client.patch(URL, json={**first, "value": -2_000.0})
    assert late.status_code == 409
    assert "is at modification 1, not at 0" in late.json()["title"]
    nothing = await client.patch(URL, json={"revision": 1})
    assert (nothing.status_code, nothing.json()["modification"]) == (200, 1)


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"end": (NOW - HOUR / 2).isoformat(), "start": (NOW - HOUR).isoformat()}, 409, "cancel"),
        ({"end": (NOW + HOUR / 2).isoformat()}, 422, "end must lie after start"),
        ({"kind": "level"}, 422, ""),
        ({"kind": "level", "value": 7.0}, 422, ""),
        ({"start": None}, 422, ""),
        ({"surprise": 1}, 422, ""),
        ({"revision": -1}, 422, ""),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, changes: dict[str, object], status: int, says: str
) -> None:
    await _entered(client)
    answer = await client.patch(URL, json={"revision": 0, **changes})
    assert answer.status_code == status
    assert says in answer.json()["title"]


async def test_what_is_a_utilitys_own_cancelled_or_unknown_is_not_changed(
    client: httpx.AsyncClient,
) -> None:
    theirs = await client.patch(f"{API}/pacific-utility/evt-2026-1121", json={"revision": 0})
    assert theirs.status_code == 409
    assert "only it can change it" in theirs.json()["title"]
    await _entered(client)
    await client.post(f"{URL}/cancellations", json={})
    over = await client.patch(URL, json={"revision": 0, "end": None})
    assert (over.status_code, "is over" in over.json()["title"]) == (409, True)
    gone = await client.patch(f"{API}/pacific-utility/n9", json={"revision": 0})
    assert gone.status_code == 404
