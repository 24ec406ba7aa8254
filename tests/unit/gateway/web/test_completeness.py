"""What utilities should have of our telemetry, and what they got, through the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from contracts.time import Interval
from gateway.domain.completeness import Duty
from gateway.web.app import create_app
from support.gateway_web import NOW, World

MIN = timedelta(minutes=1)
SINCE = NOW - 120 * MIN


def duty(key: str, told: timedelta, *gaps: Interval) -> Duty:
    return Duty(
        utility_id="pacific-utility",
        key=key,
        what="gridyard-usage, 3 points",
        period=5 * MIN,
        begin=SINCE,
        end=None,
        allowance=5 * MIN,
        told_until=SINCE + told,
        gaps=gaps,
    )


def client(world: World) -> httpx.AsyncClient:
    hole = Interval(start=SINCE, end=SINCE + 10 * MIN)
    duties = [duty("a", 115 * MIN), duty("b", 100 * MIN, hole)]
    app = create_app(replace(world.state, duties=lambda: duties))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://localhost:8080"
    )


@pytest.mark.row("mv:M5")
async def test_the_least_complete_comes_first_with_what_is_missing(world: World) -> None:
    async with client(world) as api:
        worse, better = (await api.get("/api/v1/completeness")).json()
        assert (better["key"], better["share"], better["missing"]) == ("a", 1.0, [])
        counts = {name: worse[name] for name in ("due", "told", "behind", "gaps")}
        assert counts == {"due": 23, "told": 18, "behind": 3, "gaps": 2}
        assert len(worse["missing"]) == 2
        last = (await api.get("/api/v1/completeness?hours=0.25")).json()[0]
        assert (last["due"], last["behind"]) == (2, 2)


async def test_only_utilities_there_are(world: World) -> None:
    async with client(world) as api:
        assert (await api.get("/api/v1/completeness?utility=other")).status_code == 404
        assert (await api.get("/api/v1/completeness?hours=0")).status_code == 422
        mine = await api.get("/api/v1/completeness?utility=pacific-utility")
        assert len(mine.json()) == 2
