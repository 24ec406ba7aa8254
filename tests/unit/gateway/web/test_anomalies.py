"""Anomalies over the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.anomaly.finding import Code, Finding
from gateway.flows.anomaly.check import AnomalyCheck
from gateway.store.anomalies import SqlAnomalies
from gateway.store.database import Database
from gateway.store.sessions import SqlSessionBook
from gateway.store.slots import SqlSlots
from gateway.web.app import create_app
from support.gateway_web import browser, make_world

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)
FINDING = Finding(
    code=Code.STUCK,
    subject="pcc_power_w",
    evidence=Interval.lasting(NOW - 30 * HOUR, HOUR),
    reason="the meter shows 3.0 kW for 1 h while devices moved by 22.0 kW",
    what_to_do="Look at the meter",
)


@pytest.fixture
async def reader() -> AsyncIterator[httpx.AsyncClient]:
    world = make_world(FakeClock(NOW))
    database = Database.in_memory()
    book = SqlAnomalies(database)
    await book.keep("harbor", [FINDING], NOW)
    check = AnomalyCheck(
        world.state.portfolio,
        SqlSlots(database, max_hold=HOUR),
        SqlSessionBook(database),
        world.ledger,
        book,
        world.clock,
    )
    async with browser(create_app(replace(world.state, anomalies=check))) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("anomalies", 1),
        ("sites/harbor/anomalies", 1),
        ("sites/east/anomalies", 0),
        ("anomalies?from=2026-11-20T00:00:00Z", 0),
        ("sites/harbor/anomalies?from=2026-11-19T18:30:00Z&to=2026-11-19T18:45:00Z", 1),
    ],
)
async def test_what_touches_a_window(reader: httpx.AsyncClient, path: str, count: int) -> None:
    answer = await reader.get(f"/api/v1/{path}")
    assert answer.status_code == 200
    assert [one["code"] for one in answer.json()] == ["meter-stuck"] * count


async def test_a_finding_is_told_whole(reader: httpx.AsyncClient) -> None:
    [one] = (await reader.get("/api/v1/anomalies")).json()
    assert one == {
        "site_id": "harbor",
        "code": "meter-stuck",
        "subject": "pcc_power_w",
        "start": "2026-11-19T18:00:00Z",
        "end": "2026-11-19T19:00:00Z",
        "reason": FINDING.reason,
        "what_to_do": "Look at the meter",
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("sites/nowhere/anomalies", 404),
        ("anomalies?from=yesterday", 422),
        ("anomalies?from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z", 422),
    ],
)
async def test_what_cannot_be_answered(reader: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await reader.get(f"/api/v1/{path}")).status_code == status
