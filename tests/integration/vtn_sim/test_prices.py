"""The markets that a simulated utility has beside it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import httpx
import pytest

from support.price_server import NODE


class Start(Protocol):
    def __call__(self, **settings: Any) -> AbstractAsyncContextManager[Any]: ...


async def test_it_has_none_unless_asked_for(start_vtn: Start) -> None:
    async with start_vtn() as vtn:
        assert vtn.addresses.prices_url is None


@pytest.mark.row("portfolio:U8")
async def test_both_platforms_are_on_one_port_and_fail_on_request(start_vtn: Start) -> None:
    async with (
        start_vtn(prices={"token": "ours", "faults": ["busy"]}) as vtn,
        httpx.AsyncClient(base_url=vtn.addresses.prices_url) as client,
    ):
        node = {
            "node": NODE,
            "startdatetime": "20261127T08:00-0000",
            "enddatetime": "20261128T08:00-0000",
        }
        busy = await client.get("/oasisapi/SingleZip", params=node)
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "7")
        assert (await client.post("/faults", json=[])).json() == []
        assert (await client.get("/oasisapi/SingleZip", params=node)).content[:2] == b"PK"
        zone = {
            "documentType": "A44",
            "in_Domain": "10YNL----------L",
            "periodStart": "202611262300",
            "periodEnd": "202611272300",
        }
        stranger = await client.get("/api", params={**zone, "securityToken": "theirs"})
        assert stranger.status_code == 401
        ours = await client.get("/api", params={**zone, "securityToken": "ours"})
        assert ours.text.count("MarketDocument") >= 2
