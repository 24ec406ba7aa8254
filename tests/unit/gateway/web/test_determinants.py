"""Figures told over the API."""

from typing import Any

import httpx
import pytest

from support.gateway_web import EVENT, PROGRAM

API = "/api/v1/determinants"
BID = {
    "program_id": PROGRAM,
    "what": "bid",
    "subject": EVENT,
    "source": "our bid of 20 November",
    "told_by": "Ada",
    "value": "0.35",
    "currency": "USD",
}
PRICE = {"start": "2026-11-21T01:00:00Z", "end": "2026-11-21T02:00:00Z", "per_kwh": "0.21"}


async def told(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(API, params={"program_id": PROGRAM})).json()
    return found


async def test_what_is_told_is_kept_and_what_is_told_later_holds(client: httpx.AsyncClient) -> None:
    answer = await client.post(API, json=[BID])
    assert answer.status_code == 200, answer.text
    (kept,) = answer.json()
    assert (kept["figure"], kept["told_by"], kept["holds"]) == ("0.35 USD", "Ada", True)
    assert (await client.post(API, json=[BID])).json() == [kept]
    await client.post(API, json=[BID | {"value": "0.30"}])
    assert [(one["figure"], one["holds"]) for one in await told(client)] == [
        ("0.3 USD", True),
        ("0.35 USD", False),
    ]


async def test_prices_over_an_event_are_told_step_by_step(client: httpx.AsyncClient) -> None:
    prices = {**BID, "what": "market_price", "value": None, "prices": [PRICE]}
    answer = await client.post(API, json=[prices])
    assert answer.status_code == 200, answer.text
    assert answer.json()[0]["figure"] == "1 USD prices of our bid of 20 November"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"subject": "soon"}, "a month such as 2026-07"),
        ({"currency": None}, "ISO 4217"),
        ({"value": "1e30"}, "less than or equal to 1000000"),
        ({"what": "weather"}, "peak"),
        ({"what": "peak", "subject": "2026-07"}, "nothing else"),
        ({"source": ""}, "at least 1 character"),
        ({"program_id": "nobody"}, "there is no program"),
        ({"what": "market_price", "prices": [PRICE], "value": None, "currency": None}, "currency"),
        ({"what": "market_price", "prices": [PRICE, PRICE], "value": None}, "two prices"),
        ({"at": "2026-07-01T12:00:00"}, "timezone"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_of_it_kept(
    client: httpx.AsyncClient, changes: dict[str, Any], says: str
) -> None:
    answer = await client.post(API, json=[BID, BID | changes])
    assert answer.status_code == 422
    assert says in answer.text
    assert await told(client) == []


async def test_of_a_program_that_is_not_there_nothing_was_told(client: httpx.AsyncClient) -> None:
    assert (await client.get(API, params={"program_id": "nobody"})).status_code == 404
    assert (await client.post(API, json=[])).status_code == 422
