"""The whole agent keeps a history of what real sockets told it, and forecasts from it at once."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from site_agent.config import SiteSettings
from site_agent.domain.forecast.record import LOAD_W, PV_W, QuarterMean, pv_of
from site_agent.main import SiteAddresses, run
from site_agent.store.sqlite import DATABASE, open_store
from support.waiting import until

CLOCK = SystemClock()
SEEN = timedelta(seconds=12)
"""Two samples of the history, and some patience for the first cycle."""
BUILDING_W, PV_MADE_W = 12_000.0, 4_000.0


def hardware() -> Depot:
    facts = {
        "site_id": "depot-1",
        "building": {"base_w": BUILDING_W, "swing_w": 0},
        "pv": [{"id": "roof", "rated_w": 20_000, "clearness": 0.2, "swing": 0}],
    }
    return Depot(DepotSettings.model_validate(facts), CLOCK)


def settings(data: Path, at: DepotAddresses) -> SiteSettings:
    facts = {
        "site_id": "depot-1",
        "data": data,
        "contract_limit_w": 100_000,
        "max_building_w": 20_000,
        "circuit": {"limit_a": 200},
        "meter": {"host": at.meter.host, "port": at.meter.port},
        "ocpp": {"host": "127.0.0.1", "port": 0},
        "pv": [
            {
                "id": "roof",
                "rated_w": 20_000,
                "host": at.pv["roof"].host,
                "port": at.pv["roof"].port,
            }
        ],
        "telemetry_s": 0.5,
    }
    return SiteSettings.model_validate(facts)


def told_for(database: Path) -> timedelta:
    """How long the agent has told measurements."""
    with sqlite3.connect(database) as connection:
        first, last = connection.execute("SELECT MIN(at), MAX(at) FROM outbox").fetchone()
    connection.close()
    if first is None:
        return timedelta(0)
    return datetime.fromisoformat(last) - datetime.fromisoformat(first)


async def kept(database: Path, series: str) -> list[QuarterMean]:
    store = open_store(database, CLOCK.now())
    now = CLOCK.now()
    found = await store.history.quarters(series, now - timedelta(hours=1), now)
    store.close()
    return list(found)


async def test_what_a_site_measures_is_kept_over_its_end(tmp_path: Path) -> None:
    depot, data, stopping = hardware(), tmp_path / "site", asyncio.Event()
    ready: list[SiteAddresses] = []
    listening: list[DepotAddresses] = []
    async with asyncio.TaskGroup() as group:
        simulated = group.create_task(depot.run(listening.append))
        await until(lambda: bool(listening))
        agent = group.create_task(run(settings(data, listening[0]), CLOCK, stopping, ready.append))
        await until(lambda: bool(ready))
        await until(lambda: told_for(data / DATABASE) >= SEEN)
        stopping.set()
        await agent
        simulated.cancel()
    for series, value in ((LOAD_W, BUILDING_W), (PV_W, PV_MADE_W), (pv_of("roof"), PV_MADE_W)):
        found = await kept(data / DATABASE, series)
        covered_s = sum(one.covered_s for one in found)
        mean = sum(one.mean * one.covered_s for one in found) / covered_s
        assert covered_s >= 5.0
        assert mean == pytest.approx(value, rel=0.03)
        assert not any(one.curtailed for one in found)
