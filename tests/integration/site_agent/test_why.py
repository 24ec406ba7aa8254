"""Why, asked of a running agent by console and HTTP, now, of the past and over a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.clock import SystemClock
from site_agent.console.client import Console
from support.site_page import RunningSite, running_site
from support.waiting import PATIENCE_S

FUSE = "the fuse of row-2 (25 A a phase)"


async def asked(site: RunningSite, command: str, **args: object) -> list[dict[str, Any]]:
    return [dict(item) async for item in Console(site.data).ask(command, **args)]


async def until_bound(site: RunningSite) -> dict[str, Any]:
    """What the API says of a charger in the narrow row, once its fuse binds it."""
    async with httpx.AsyncClient(base_url=site.url, timeout=PATIENCE_S) as program:
        while True:
            answer: dict[str, Any] = (await program.get("/api/why/cp-6")).json()
            if answer.get("binding") == FUSE:
                return answer
            await SystemClock().sleep(0.1)


@pytest.mark.row("site:X1")
async def test_console_and_api_agree_and_the_past_outlives_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "site"
    async with running_site(data) as site:
        told = await until_bound(site)
        assert told["sentence"].startswith("cp-6 ")
        assert told["steps"][0]["what"] == "limit"
        (answer,) = await asked(site, "site.why", subject="cp-6")
        assert answer["binding"] == FUSE
        noted = await asked(site, "site.journal", subject="cp-6", most=1)
    ended = SystemClock().now()
    async with running_site(data) as again:
        async with httpx.AsyncClient(base_url=again.url, timeout=PATIENCE_S) as program:
            while (await program.get("/api/why")).status_code == 503:
                await SystemClock().sleep(0.05)
            at = (ended - timedelta(seconds=0.1)).isoformat()
            past = (await program.get("/api/why/cp-6", params={"at": at})).json()
        assert past["at"] <= noted[0]["at"].replace("+00:00", "Z")
        assert past["sentence"] == noted[0]["text"]
        entries = await asked(again, "site.journal", most=1000)
    assert {"setpoint", "limit", "vehicle", "mode", "plan"} <= {one["kind"] for one in entries}
    assert [one["at"] for one in entries] == sorted((one["at"] for one in entries), reverse=True)
