"""`kill -9` of a real `gridyard site` while batteries, inverters and chargers hold setpoints.

Every device that can let go is at its safe value within the time that `gridyard leases` has told,
by the simulator's own timers; the others are those it has named. Once the agent is dead, the
simulator's time runs fast.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import SystemClock
from contracts.site_link.messages import Instruction
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from depot_sim.faults import FaultKind
from gridyard.leases import asked, lines
from site_agent.config import SiteSettings
from site_agent.store.sqlite import DATABASE, open_store
from support.ports import steady_ports
from support.processes import Program
from support.shifting_clock import ShiftingClock
from support.site import instruction
from support.system_layout import write
from support.waiting import until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.row("truth:L2"),
    pytest.mark.timeout(120),
    pytest.mark.xdist_group("realtime-chaos"),
]
LEASE_S, CHARGER_LEASE_S, STEP_S = 30.0, 60.0, 2.0
"""... and the simulator's own step and clock."""
MADE_W, ALLOWED_W = 18_000.0, 6_000.0
SHARE_W = 6 * 690.0
CELLS = {"capacity_wh": 50_000, "max_charge_w": 6_000, "max_discharge_w": 6_000}
KEEPER = "stuck"
ROOFS = ("roof", "wall")
"""By model 123, by model 704."""


def depot_settings(ports: dict[str, int]) -> DepotSettings:
    van = {"id": "van", "id_tag": "VAN", "capacity_wh": 90_000, "soc_pct": 10}
    return DepotSettings.model_validate(
        {
            "site_id": "depot",
            "meter": {"port": ports["meter"]},
            "building": {"base_w": 5_000, "swing_w": 0},
            "chargers": [
                {
                    "id": "CP1",
                    "version": "1.6",
                    "url": f"ws://127.0.0.1:{ports['ocpp']}",
                    "meter_interval_s": 1,
                    "vehicle": van,
                }
            ],
            "batteries": [
                {"id": "rack", "kind": "sunspec", "port": ports["rack"], **CELLS},
                {"id": KEEPER, "kind": "sunspec", "port": ports[KEEPER], **CELLS},
                {"id": "tank", "kind": "mqtt", "state_interval_s": 0.5, **CELLS}
                | {"broker": {"port": ports["mqtt"], "username": "tank", "password": "for-tests"}},
            ],
            "pv": [
                {"id": name, "port": ports[name], "rated_w": 20_000, "clearness": 0.9, "swing": 0}
                | {"functions": name == "wall"}
                for name in ROOFS
            ],
        }
    )


def site_settings(folder: Path, ports: dict[str, int]) -> SiteSettings:
    def where(name: str) -> dict[str, Any]:
        return {"id": name, "kind": "sunspec", "host": "127.0.0.1", "port": ports[name]}

    return SiteSettings.model_validate(
        {
            "site_id": "depot",
            "data": folder / "data",
            "contract_limit_w": 60_000,
            "max_building_w": 10_000,
            "circuit": {"limit_a": 100},
            "meter": {"host": "127.0.0.1", "port": ports["meter"]},
            "chargers": [{"id": "CP1"}],
            "ocpp": {"host": "127.0.0.1", "port": ports["ocpp"], "meter_interval_s": 1}
            | {"lease_s": CHARGER_LEASE_S},
            "batteries": [
                {**where("rack"), **CELLS, "lease_s": LEASE_S},
                {**where(KEEPER), **CELLS, "lease_s": LEASE_S, "lapse": "none"},
                {"id": "tank", "kind": "mqtt", "password": "for-tests", **CELLS}
                | {"lease_s": LEASE_S},
            ],
            "mqtt": {"port": ports["mqtt"]},
            "pv": [{**where(n), "rated_w": 20_000, "lease_s": LEASE_S} for n in ROOFS],
            "strangers": {"required_wh": 20_000},
        }
    )


def event() -> Instruction:
    """Charge the batteries, hold PV down: every device has something to hold."""
    return instruction(
        None,
        start=SystemClock().now(),
        step=timedelta(hours=1),
        generation_w=-ALLOWED_W,
        storage_w=18_000.0,
    )


def stored_w(depot: Depot, name: str) -> float:
    return sum(depot.batteries[name].phases_w)


def made_w(depot: Depot, name: str) -> float:
    return -sum(depot.pv[name].phases_w)


def everything_holds(depot: Depot) -> bool:
    charging = all(stored_w(depot, name) > 1_000 for name in depot.batteries)
    curtailed = all(made_w(depot, name) <= ALLOWED_W for name in ROOFS)
    return charging and curtailed and depot.chargers["CP1"].power_w > 2 * SHARE_W


async def test_what_lets_go_does_so_in_the_time_that_was_told(tmp_path: Path) -> None:
    names = ("ocpp", "meter", "mqtt", "rack", KEEPER, *ROOFS)
    ports = dict(zip(names, steady_ports(len(names)), strict=True))
    settings = site_settings(tmp_path, ports)
    settings.data.mkdir(parents=True)
    store = open_store(settings.data / DATABASE, SystemClock().now())
    await store.instructions.put(event())
    store.close()
    write(tmp_path / "site.yaml", settings)
    agent, clock = Program("agent", "site", tmp_path / "site.yaml"), ShiftingClock()
    depot = Depot(depot_settings(ports), clock)
    depot.fail(KEEPER, FaultKind.NO_REVERSION, None)
    agent.start()
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(depot.run())
        try:
            await until(lambda: everything_holds(depot))
            told = await asyncio.to_thread(asked, None, settings.data)
            kept_w = stored_w(depot, KEEPER)
            agent.kill()
            died_s = clock.monotonic()
            clock.run_at(20.0)
            await until(lambda: clock.monotonic() > died_s + LEASE_S + STEP_S)
            after_a_lease = {
                **{name: stored_w(depot, name) for name in depot.batteries},
                **{name: made_w(depot, name) for name in ROOFS},
            }
            await until(lambda: clock.monotonic() > died_s + CHARGER_LEASE_S + STEP_S)
            charger_w = depot.chargers["CP1"].power_w
        finally:
            agent.end()
            life.cancel()
    within = {item["device"]: item["within_s"] for item in told}
    assert within == {
        "CP1": CHARGER_LEASE_S, "rack": LEASE_S, "tank": LEASE_S, KEEPER: None,
        "roof": LEASE_S, "wall": LEASE_S,
    }  # fmt: skip
    (named,) = (line for line in lines(told) if "DOES NOT LET GO" in line)
    assert named.startswith(KEEPER)
    assert after_a_lease["rack"] == after_a_lease["tank"] == pytest.approx(0.0, abs=1.0)
    assert after_a_lease["roof"] == after_a_lease["wall"] == pytest.approx(MADE_W, abs=10.0)
    assert after_a_lease[KEEPER] == pytest.approx(kept_w, rel=0.2), "or it lets go after all"
    assert charger_w <= SHARE_W * 1.05
