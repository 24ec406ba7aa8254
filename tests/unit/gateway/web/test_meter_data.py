"""Meter data over the API: in as files, out as known now or then; bad requests said clearly."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from contracts.testing import FakeClock
from support.gateway_web import NOW, World

GRID = "/api/v1/sites/north-yard/meters/grid"
QUARTER = timedelta(minutes=15)
FIRST = datetime.fromisoformat("2026-11-20T00:00:00+00:00")
DAY = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}
CSV, JSON, ATOM = "text/csv", "application/json", "application/atom+xml"


async def deliver(
    client: httpx.AsyncClient, content: str, kind: str = CSV, path: str = GRID, **query: str
) -> httpx.Response:
    headers = {"Content-Type": kind}
    url = f"{path}/intervals"
    return await client.post(url, content=content.encode(), headers=headers, params=query)


def lines(*values: float | str, first: datetime = FIRST) -> str:
    rows = "".join(f"{first + n * QUARTER:%Y-%m-%dT%H:%M},{v}\n" for n, v in enumerate(values))
    return f"start_utc,energy_wh\n{rows}"


@pytest.mark.row("mv:M1")
async def test_a_delivery_is_answered_with_what_became_of_each_part(
    client: httpx.AsyncClient,
) -> None:
    text = lines(100, "NaN", -5, 1e9) + "2026-11-20T01:07,1\n2026-11-20T01:00,much\n"
    found = (await deliver(client, text)).json()
    counts = {name: found[name] for name in ("stored", "known", "flagged", "refused")}
    assert counts == {"stored": 4, "known": 0, "flagged": 3, "refused": 2}
    assert [one["reason"] for one in found["noted"]] == [
        "not a number",
        "negative on a register of import",
        "more than the connection carries (137500 Wh)",
    ]
    unread, off = found["refusals"]
    assert (unread["row"], unread["reason"]) == (6, "'much' is no number")
    assert off["start"] == "2026-11-20T01:07:00Z"
    assert "not on a multiple" in off["reason"]
    again = (await deliver(client, text)).json()
    assert (again["stored"], again["known"]) == (0, 4)


async def test_a_year_goes_in_at_once_and_comes_out(client: httpx.AsyncClient) -> None:
    first = datetime.fromisoformat("2025-11-20T00:00:00+00:00")
    count = 365 * 96
    document = {
        "intervals": [
            {"start": (first + n * QUARTER).isoformat(), "energy_wh": 1000.0 + n % 96}
            for n in range(count)
        ]
    }
    done = await deliver(client, json.dumps(document), JSON)
    assert done.json()["stored"] == count
    query = {"start": first.isoformat(), "end": (first + timedelta(days=365)).isoformat()}
    shown = (await client.get(f"{GRID}/intervals", params=query)).json()
    assert len(shown) == count
    assert (await client.get(f"{GRID}/missing", params=query)).json() == []


@pytest.mark.parametrize(
    ("kind", "content", "status", "said"),
    [
        ("text/plain", "x", 415, "Content-Type must be one of"),
        (CSV, "a,b\n1,2\n", 422, "the first line must name the columns"),
        (JSON, '{"intervals":[{"start":"now"}]}', 422, "/intervals/0/start"),
        (ATOM, "<a/>", 422, "no ReadingType"),
    ],
)
async def test_what_is_no_delivery_is_refused(
    client: httpx.AsyncClient, kind: str, content: str, status: int, said: str
) -> None:
    answer = await deliver(client, content, kind)
    assert answer.status_code == status
    assert said in answer.json()["title"]


async def test_too_much_at_once_is_refused(client: httpx.AsyncClient) -> None:
    answer = await deliver(client, "x" * (17 << 20))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/v1/sites/nowhere/meters/grid", "no site 'nowhere'"),
        ("/api/v1/sites/north-yard/meters/other", "no meter 'other' in the gateway's settings"),
    ],
)
async def test_a_meter_that_is_not_there_is_named(
    client: httpx.AsyncClient, path: str, said: str
) -> None:
    for answer in (
        await deliver(client, lines(1), path=path),
        await client.get(f"{path}/intervals", params=DAY),
        await client.get(f"{path}/missing", params=DAY),
        await client.get(f"{path}/versions", params={"start": DAY["start"]}),
    ):
        assert answer.status_code == 404
        assert said in answer.json()["title"]


async def test_intervals_as_known_then_and_now_and_every_version(
    world: World, client: httpx.AsyncClient
) -> None:
    await deliver(client, lines(100, 200))
    then = world.clock.now()
    assert isinstance(world.clock, FakeClock)
    await world.clock.advance(3600)
    await deliver(client, lines(150))

    async def shown(**query: str) -> list[Any]:
        answer = await client.get(f"{GRID}/intervals", params={**DAY, **query})
        return [(one["energy_wh"], one["version"]) for one in answer.json()]

    assert await shown() == [(150.0, 2), (200.0, 1)]
    assert await shown(known_at=then.isoformat()) == [(100.0, 1), (200.0, 1)]
    assert await shown(known_at=(NOW - timedelta(days=1)).isoformat()) == []
    versions = await client.get(f"{GRID}/versions", params={"start": DAY["start"]})
    assert [one["energy_wh"] for one in versions.json()] == [100.0, 150.0]


async def test_an_older_issue_that_comes_late_does_not_count(client: httpx.AsyncClient) -> None:
    await deliver(client, lines(100), issued_at="2026-11-20T12:00:00Z")
    await deliver(client, lines(50), issued_at="2026-11-20T11:00:00Z")
    (shown,) = (await client.get(f"{GRID}/intervals", params=DAY)).json()
    assert (shown["energy_wh"], shown["version"]) == (100.0, 1)


async def test_gaps_begin_where_the_meters_intervals_do(client: httpx.AsyncClient) -> None:
    await deliver(client, lines(1, "NaN", 1))
    query = {"start": "2026-11-20T00:05:00Z", "end": "2026-11-20T01:00:00Z"}
    found = (await client.get(f"{GRID}/missing", params=query)).json()
    assert [(one["start"], one["intervals"]) for one in found] == [
        ("2026-11-20T00:15:00Z", 1),
        ("2026-11-20T00:45:00Z", 1),
    ]


async def test_too_long_a_window_is_refused(client: httpx.AsyncClient) -> None:
    for end in ("2026-11-20T00:00:00Z", "2028-11-20T00:00:00Z"):
        query = {"start": DAY["start"], "end": end}
        answer = await client.get(f"{GRID}/intervals", params=query)
        assert answer.status_code == 422
        assert "at most 370 days" in answer.json()["title"]


async def test_the_meters_of_a_site_are_listed(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/sites/north-yard/meters")).json() == [
        {"name": "grid", "direction": "import", "interval_s": 900.0, "limit_w": 500000.0}
    ]
    assert (await client.get("/api/v1/sites/nowhere/meters")).status_code == 404
