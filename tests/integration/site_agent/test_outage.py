"""An outage of the grid on real sockets: the agent sees it, carries the island, and comes back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import SystemClock
from contracts.site_link import codec
from contracts.site_link.messages import Notice
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from depot_sim.faults import FaultKind
from depot_sim.sunspec.battery import SunSpecBattery
from site_agent.config import SiteSettings
from site_agent.main import run
from site_agent.store.sqlite import DATABASE
from support.ports import steady_ports
from support.waiting import until

CLOCK = SystemClock()
CHARGERS = ("gate", "yard")
BUILDING_W = 6_000.0
POWER_W = 40_000.0
CELLS = {"capacity_wh": 50_000, "max_charge_w": POWER_W, "max_discharge_w": POWER_W}


def hardware(ocpp_port: int) -> Depot:
    vehicle = {"capacity_wh": 60_000, "soc_pct": 40, "max_ac_w": 11_040}
    facts = {
        "site_id": "depot-1",
        "building": {"base_w": BUILDING_W, "swing_w": 0},
        "grid": {"backed_up": list(CHARGERS), "others_s": 1},
        "chargers": [
            {
                "id": name,
                "version": "2.0.1",
                "url": f"ws://127.0.0.1:{ocpp_port}",
                "meter_interval_s": 1,
                "vehicle": {**vehicle, "id": f"van-{name}", "id_tag": f"TAG-{name}"},
            }
            for name in CHARGERS
        ],
        "batteries": [{"id": "rack", "kind": "sunspec", "islands": True, "soc_pct": 80, **CELLS}],
    }
    return Depot(DepotSettings.model_validate(facts), CLOCK)


def settings(data: Path, at: DepotAddresses, ocpp_port: int) -> SiteSettings:
    def where(address: Any) -> dict[str, object]:
        return {"host": address.host, "port": address.port}

    facts = {
        "site_id": "depot-1",
        "data": data,
        "contract_limit_w": 100_000,
        "max_building_w": 20_000,
        "circuit": {"limit_a": 200},
        "meter": where(at.meter),
        "chargers": [{"id": name} for name in CHARGERS],
        "ocpp": {"host": "127.0.0.1", "port": ocpp_port, "meter_interval_s": 1},
        "batteries": [{"id": "rack", "kind": "sunspec", **where(at.batteries["rack"]), **CELLS}],
        "fleet": [
            {"vehicle_id": f"van-{name}", "id_tags": [f"TAG-{name}"], "in_hours": 2}
            | {"required_soc_pct": 80, "capacity_wh": 60_000}
            for name in CHARGERS
        ],
        "island": {"critical_evses": ["gate"]},
        "outage": {"down_after_s": 1, "stable_for_s": 3},
        "restoration": {"share_per_minute": 1, "most_delay_s": 0},
        "telemetry_s": 0.5,
        "link": {"servers": ["tls://127.0.0.1:9"], "credentials": data / "none"},
    }
    return SiteSettings.model_validate(facts)


@asynccontextmanager
async def running(depot: Depot, data: Path, ocpp_port: int) -> AsyncIterator[None]:
    listening, stopping = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(depot.run(lambda _: listening.set()))
        await listening.wait()
        group.create_task(run(settings(data, depot.addresses, ocpp_port), CLOCK, stopping))
        yield
        stopping.set()
        task.cancel()


def notices(database: Path) -> list[tuple[str, bool]]:
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT seq, body FROM outbox ORDER BY seq").fetchall()
    connection.close()
    told = [codec.decode_row(seq, body).row for seq, body in found]
    return [(row.code, row.raised) for row in told if isinstance(row, Notice)]


def drawn_w(depot: Depot, name: str) -> float:
    return depot.chargers[name].power_w


@pytest.mark.row("site:E11")
@pytest.mark.xdist_group("realtime")
async def test_an_island_serves_the_critical_charger_and_ends_with_the_outage(
    tmp_path: Path,
) -> None:
    ocpp_port = steady_ports(1)[0]
    data = tmp_path / "site"
    data.mkdir()
    depot = hardware(ocpp_port)
    rack = depot.batteries["rack"]
    assert isinstance(rack, SunSpecBattery)
    async with running(depot, data, ocpp_port):
        await until(lambda: all(drawn_w(depot, name) > 3_000 for name in CHARGERS))

        depot.fail("grid", FaultKind.OUTAGE, None)
        await until(lambda: ("island", True) in notices(data / DATABASE))
        assert rack.battery.power_w < -BUILDING_W, "it carries building and vehicles"
        await until(lambda: drawn_w(depot, "gate") > 3_000)

        rack.battery = replace(rack.battery, soc_pct=50.0)
        await until(lambda: drawn_w(depot, "yard") == 0.0)
        assert drawn_w(depot, "gate") > 3_000, "critical"

        rack.battery = replace(rack.battery, soc_pct=20.0)
        await until(lambda: drawn_w(depot, "gate") == 0.0)
        assert rack.battery.power_w == pytest.approx(-BUILDING_W, abs=500), "kept for the building"

        depot.fail("grid", FaultKind.OUTAGE, 0)
        await until(lambda: ("grid-returning", False) in notices(data / DATABASE))
        assert rack.battery.power_w >= 0.0, "the grid carries the site again"
    told = notices(data / DATABASE)
    order = [("grid-outage", True), ("grid-outage", False), ("grid-returning", False)]
    places = [told.index(one) for one in order]
    assert places == sorted(places)
