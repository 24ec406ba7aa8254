"""Statements over the API and as pages."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from gateway.domain.settle.sharing import Sharing
from gateway.reports import document
from support.gateway_web import EVENT, PROGRAM, World
from support.participation import build_report

API = "/api/v1/statements"
MONTH = {"subject": PROGRAM, "period": "2026-11"}


async def settle(client: httpx.AsyncClient, **changes: str) -> dict[str, Any]:
    answer = await client.post(API, json=MONTH | changes)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def corrected(world: World, amount: str, *, final: bool = False) -> None:
    """Another version of the event's report, with contracts."""
    report = build_report()
    line = replace(report.lines[0], amount=Decimal(amount))
    shared = replace(
        report,
        lines=(line, *report.lines[1:]),
        sharing={"harbor": Sharing(site_share=Decimal("0.75"))},
    )
    await world.ledger.put_report(EVENT, document.dump(shared), final=final)


async def test_a_statement_is_made_once_and_again_only_when_something_is_another(
    client: httpx.AsyncClient, world: World
) -> None:
    assert (await client.get(API, params=MONTH)).status_code == 404
    first = await settle(client)
    assert (first["version"], first["final"], first["changes"]) == (1, False, [])
    assert [one["line"]["amount"] for one in first["lines"]] == ["400.80", None]
    assert (await settle(client))["version"] == 1
    await corrected(world, "390.10")
    second = await settle(client)
    assert second["version"] == 2
    changed = {one["what"]: one for one in second["changes"]}
    amount = changed[f"energy, {EVENT}: amount"]
    assert (amount["before"], amount["after"]) == ("400.80 USD", "390.10 USD")
    assert "version 1, PRELIMINARY" in amount["because"][0]
    old = await client.get(API, params=MONTH | {"version": "1"})
    assert old.json() == first


async def test_a_site_gets_its_part_and_no_more(client: httpx.AsyncClient, world: World) -> None:
    await corrected(world, "400.80")
    found = await settle(client, subject="harbor")
    assert found["name"] == "Harbor Street Vans"
    assert [one["line"]["amount"] for one in found["lines"]] == ["123.90", None]
    assert found["made_of"] == ["Peak Relief: version 1, PRELIMINARY"]
    assert "north" not in str(found).lower()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"subject": "nobody"}, 404),
        ({"period": "2026-13"}, 422),
        ({"period": "x" * 100}, 422),
        ({"version": "0"}, 422),
    ],
)
async def test_what_is_not_there(
    client: httpx.AsyncClient, query: dict[str, str], status: int
) -> None:
    assert (await client.get(API, params=MONTH | query)).status_code == status
    if "version" not in query:
        assert (await client.post(API, json=MONTH | query)).status_code == status


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("pdf", b"%PDF"), ("csv", b"statement,"), ("xlsx", b"PK"), ("parquet", b"PAR1")],
)
async def test_it_can_be_kept_as_a_file(
    client: httpx.AsyncClient, ending: str, begins: bytes
) -> None:
    await settle(client)
    answer = await client.get(f"{API}/{ending}", params=MONTH)
    assert answer.content.startswith(begins)
    name = "statement_http-utility.example-programs-peak-relief_2026-11_v1_PRELIMINARY_SIMULATED"
    assert f'filename="{name}.{ending}"' in answer.headers["content-disposition"]


async def test_the_page_settles_and_shows_what_changed(
    client: httpx.AsyncClient, world: World
) -> None:
    async def page(**query: str) -> str:
        answer = await client.get("/statements", params=query)
        assert answer.status_code == 200
        return " ".join(answer.text.split())

    assert "Program: Peak Relief" in await page()
    assert "settle it first" in await page(**MONTH)
    for _ in range(2):
        answer = await client.post("/statements", data=MONTH)
        assert answer.status_code == 303
        html = await page(**MONTH)
        assert "PRELIMINARY" in html
        await corrected(world, "390.10")
    assert "390.10 USD" in html
    assert "What changed since the version before" in html
    assert "the end of 2026-11" in html
    assert (await client.get("/statements", params=MONTH | {"version": "9"})).status_code == 404
