"""Prices through the API: where they come from, what a site pays, the expected answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from contracts.errors import LinkDownError
from gateway.domain.price.markup import Markup
from gateway.web.app import create_app
from support.gateway_web import World
from support.price_bench import Bench

pytestmark = pytest.mark.row("portfolio:A13")


@asynccontextmanager
async def served(bare: World, bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(replace(bare.state, clock=bench.clock, prices=bench.desk))
    async with (
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1/api/v1"
        ) as client,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(bench.watch.run()), group.create_task(bench.prices.run())]
        await bench.clock.advance(1)
        yield client
        for task in tasks:
            task.cancel()


async def test_what_a_site_pays_and_that_it_holds_it(bare: World) -> None:
    bench = Bench(markup=Markup(adder_per_kwh=Decimal("0.05")))
    bench.connect()
    async with served(bare, bench) as client:
        told = (await client.get("/prices/sites/depot-1")).json()
        assert (told["held"], told["currency"], len(told["prices"])) == (True, "EUR", 24)
        assert {(one["per_kwh"], one["source_id"], one["quality"]) for one in told["prices"]} == {
            ("0.15", "nl", "published")
        }
        assert (await client.get("/prices/sites/elsewhere")).status_code == 404


async def test_a_refusal_is_shown(bare: World) -> None:
    bench = Bench()
    bench.site.refuses = "give it `dynamic`"
    bench.connect()
    async with served(bare, bench) as client:
        told = (await client.get("/prices/sites/depot-1")).json()
        assert (told["held"], told["refused"]) == (False, "give it `dynamic`")


async def test_a_source_that_owes_prices_says_so(bare: World) -> None:
    bench = Bench()
    bench.sources[0].error = LinkDownError("not reached")
    async with served(bare, bench) as client:
        (source,) = (await client.get("/prices/sources")).json()
    assert (source["stale"], source["failure"], source["heard_at"]) == (True, "not reached", None)
    assert source["missing"] == [{"start": "2026-11-26T23:00:00Z", "end": "2026-11-27T23:00:00Z"}]


async def test_nobody_has_offered_anything(bare: World) -> None:
    async with served(bare, Bench()) as client:
        told = (await client.get("/prices/answer")).json()
    assert (told["answering"], told["following"], told["expected"]) == (0, 1, [])
    assert told["sites"][0]["basis"] == "no offer"


async def test_a_gateway_without_prices(bare: World) -> None:
    transport = httpx.ASGITransport(app=bare.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.get("/api/v1/prices/sources")).json() == []
        assert (await client.get("/api/v1/prices/sites/depot-1")).status_code == 404
        assert (await client.get("/api/v1/prices/answer")).json()["following"] == 0
