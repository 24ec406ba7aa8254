"""`kill -9` of a real `gridyard site` while vehicles charge: the chargers themselves keep the site.

The simulator's own timers decide, at the default lease: once the agent is dead, its time runs fast.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import SystemClock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from site_agent.config import SiteSettings
from site_agent.devices.ocpp.limits.knowledge import Models
from site_agent.devices.ocpp.versions.words import Nameplate
from site_agent.domain.device import Lapse
from site_agent.store.sqlite import open_store
from support.ports import steady_ports
from support.processes import Program
from support.shifting_clock import ShiftingClock
from support.system_layout import write
from support.waiting import until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.row("safety:S1", "safety:S2", "pitfall:P15"),
    pytest.mark.xdist_group("realtime-chaos"),
]
FUSE_A, BUILDING_A, SHARE_A = 40.0, 10.0, 6.0
W_PER_A = 690.0
LAPSING = {"CP1": "1.6", "CP2": "2.0.1", "CP3": "2.1"}
KEEPER, KEEPER_MODEL = "CP4", "Never lets go"
TIMING_A = 0.3
"""Rounding of a meter."""


def site_settings(folder: Path, ocpp_port: int, meter_port: int) -> SiteSettings:
    return SiteSettings.model_validate(
        {
            "site_id": "depot",
            "data": folder / "data",
            "contract_limit_w": FUSE_A * W_PER_A,
            "max_building_w": BUILDING_A * W_PER_A,
            "circuit": {"limit_a": FUSE_A},
            "meter": {"host": "127.0.0.1", "port": meter_port},
            "chargers": [{"id": name} for name in (*LAPSING, KEEPER)],
            "ocpp": {"host": "127.0.0.1", "port": ocpp_port, "meter_interval_s": 1},
            "strangers": {"required_wh": 20_000},
        }
    )


def depot_settings(ocpp_port: int, meter_port: int) -> DepotSettings:
    """Nobody is at home in the building while the agent lives, so the chargers may have it all."""
    keeper = {"model": KEEPER_MODEL, "personality": [{"keeps-expired-profile": {"periods": 1}}]}
    return DepotSettings.model_validate(
        {
            "site_id": "depot",
            "meter": {"port": meter_port},
            "building": {"base_w": 0, "swing_w": 0},
            "chargers": [
                *(charger(name, version, ocpp_port, 4_500) for name, version in LAPSING.items()),
                charger(KEEPER, "1.6", ocpp_port, 22_080) | keeper,
            ],
        }
    )


def charger(name: str, version: str, ocpp_port: int, max_ac_w: float) -> dict[str, Any]:
    return {
        "id": name,
        "version": version,
        "url": f"ws://127.0.0.1:{ocpp_port}",
        "meter_interval_s": 1,
        "vehicle": {
            "id": f"van-{name}", "id_tag": name, "capacity_wh": 90_000, "soc_pct": 10,
            "max_ac_w": max_ac_w,
        },
    }  # fmt: skip


def drawn_a(depot: Depot, name: str) -> float:
    return depot.chargers[name].power_w / W_PER_A


def total_a(depot: Depot) -> float:
    return sum(drawn_a(depot, name) for name in depot.chargers)


async def knows_the_keeper(settings: SiteSettings) -> None:
    """As a check-in of an earlier day has left it."""
    settings.data.mkdir(parents=True)
    store = open_store(settings.data / "site.db", SystemClock().now())
    plate = Nameplate(vendor="Gridyard", model=KEEPER_MODEL, firmware="1.0")
    model = await Models(store.key_values).of(KEEPER, plate)
    await model.learn(lapse=Lapse.NONE)
    store.close()


async def test_what_remains_when_the_agent_is_killed(tmp_path: Path) -> None:
    ocpp_port, meter_port = steady_ports(2)
    settings = site_settings(tmp_path, ocpp_port, meter_port)
    await knows_the_keeper(settings)
    write(tmp_path / "site.yaml", settings)
    agent = Program("agent", "site", tmp_path / "site.yaml")
    clock = ShiftingClock()
    depot = Depot(depot_settings(ocpp_port, meter_port), clock)
    agent.start()
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(depot.run())
        try:
            await until(lambda: total_a(depot) > SHARE_A * 4 + 4)
            held_a = drawn_a(depot, KEEPER)
            agent.kill()
            died_s = clock.monotonic()
            clock.run_at(60.0)
            await until(lambda: clock.monotonic() > died_s + settings.ocpp.lease_s + 5)
        finally:
            agent.end()
            life.cancel()
    for name in LAPSING:
        assert drawn_a(depot, name) <= SHARE_A + TIMING_A, name
    assert drawn_a(depot, KEEPER) >= held_a - TIMING_A, "or it lets go after all"
    assert total_a(depot) + BUILDING_A <= FUSE_A + TIMING_A
