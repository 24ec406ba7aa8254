"""`kill -9` of a real `gridyard site` in mid-shift, and its return: limits, sessions, the plan."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import SystemClock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from site_agent.config import SiteSettings
from site_agent.flows.plan.planner import PLAN_KEY
from site_agent.store.sqlite import open_store
from support.ports import steady_ports
from support.processes import Program, listening
from support.system_layout import write
from support.waiting import until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.row("site:E15"),
    pytest.mark.xdist_group("realtime-chaos"),
    pytest.mark.timeout(180),
]
FUSE_A, BUILDING_A, W_PER_A = 40.0, 8.0, 690.0
NAMES = ("CP1", "CP2", "CP3", "CP4")
TIMING_A = 0.6
"""Rounding of a meter, and a vehicle that follows its limit within a second."""
LOOKS_S = 0.05
BUSY_A = 5.0
"""Some charge, as the plan gives them their turn; the others wait, each with its transaction."""
TARIFF = {
    "name": "One price",
    "currency": "EUR",
    "time_zone": "UTC",
    "energy": [{"name": "all", "prices": [{"at": "00:00", "per_kwh": 0.2}]}],
}


def site_settings(folder: Path, ocpp_port: int, meter_port: int) -> SiteSettings:
    """Vehicles that need all they can get: no plan has a reason to let them wait."""
    return SiteSettings.model_validate(
        {
            "site_id": "depot",
            "data": folder / "data",
            "contract_limit_w": FUSE_A * W_PER_A,
            "max_building_w": BUILDING_A * W_PER_A,
            "circuit": {"limit_a": FUSE_A},
            "meter": {"host": "127.0.0.1", "port": meter_port},
            "chargers": [{"id": name} for name in NAMES],
            "ocpp": {"host": "127.0.0.1", "port": ocpp_port, "meter_interval_s": 1},
            "strangers": {"required_wh": 90_000},
            "tariff": TARIFF,
        }
    )


def depot_settings(ocpp_port: int, meter_port: int) -> DepotSettings:
    return DepotSettings.model_validate(
        {
            "site_id": "depot",
            "meter": {"port": meter_port},
            "building": {"base_w": 0, "swing_w": 0},
            "chargers": [charger(name, ocpp_port) for name in NAMES],
        }
    )


def charger(name: str, ocpp_port: int) -> dict[str, Any]:
    return {
        "id": name,
        "version": "1.6",
        "url": f"ws://127.0.0.1:{ocpp_port}",
        "meter_interval_s": 1,
        "vehicle": {
            "id": f"van-{name}", "id_tag": name, "capacity_wh": 90_000, "soc_pct": 10,
            "max_ac_w": 11_040,
        },
    }  # fmt: skip


class Watch:
    """What all chargers draw, seen again and again."""

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self.highest_a = 0.0
        self.begun: set[str] = set()

    @property
    def busy(self) -> bool:
        """Everybody has begun, and somebody charges."""
        return self.begun == set(NAMES) and self.total_a > BUSY_A

    @property
    def total_a(self) -> float:
        return sum(self._depot.chargers[name].power_w / W_PER_A for name in NAMES)

    async def run(self) -> None:
        while True:
            self.highest_a = max(self.highest_a, self.total_a)
            self.begun |= {name for name in NAMES if self._depot.chargers[name].power_w > 0}
            await asyncio.sleep(LOOKS_S)


def plan_made(settings: SiteSettings) -> datetime | None:
    """When the newest stored plan was made."""
    database = f"file:{settings.data / 'site.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        found = connection.execute("SELECT value FROM key_value WHERE key = ?", [PLAN_KEY])
        row = found.fetchone()
    return None if row is None else datetime.fromisoformat(json.loads(row[0])["made_at"])


async def running(settings: SiteSettings) -> dict[str, int]:
    """The sessions that a dead agent has left open."""
    store = open_store(settings.data / "site.db", SystemClock().now())
    try:
        found = {name: await store.sessions.running(name) for name in NAMES}
        return {name: one.transaction_id for name, one in found.items() if one is not None}
    finally:
        store.close()


async def test_an_agent_that_dies_in_mid_shift_goes_on_where_it_was(tmp_path: Path) -> None:
    ocpp_port, meter_port = steady_ports(2)
    settings = site_settings(tmp_path, ocpp_port, meter_port)
    write(tmp_path / "site.yaml", settings)
    agent = Program("agent", "site", tmp_path / "site.yaml")
    depot = Depot(depot_settings(ocpp_port, meter_port), SystemClock())
    watch = Watch(depot)

    def planned_since(then: datetime | None) -> bool:
        made = plan_made(settings)
        return made is not None and (then is None or made > then)

    agent.start()
    async with asyncio.TaskGroup() as tasks:
        lives = [tasks.create_task(depot.run()), tasks.create_task(watch.run())]
        try:
            await until(lambda: watch.busy and planned_since(None))
            agent.kill()
            before = await running(settings)
            agent.start()
            await until(lambda: bool(listening([ocpp_port])))
            back = SystemClock().now()
            await until(lambda: planned_since(back))
            await until(lambda: watch.busy)
        finally:
            agent.end()
            for life in lives:
                life.cancel()
    first_plan = [line for line in agent.log_file.read_text().splitlines() if "no plan" in line]
    assert first_plan == []
    assert watch.highest_a <= FUSE_A + TIMING_A
    assert set(before) == set(NAMES)
    assert await running(settings) == before
