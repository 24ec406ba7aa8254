"""A depot with two fused rows, its agent and its page, all on real sockets of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.clock import SystemClock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from site_agent.config import SiteSettings
from site_agent.main import SiteAddresses, run
from support.ports import free_port
from support.waiting import PATIENCE_S, until

ZONE = "Europe/Berlin"
ROWS = {"row-1": ("cp-1", "cp-2", "cp-3", "cp-4"), "row-2": ("cp-5", "cp-6", "cp-7")}
FUSES_A = {"row-1": 80.0, "row-2": 25.0}
"""The second row cannot carry all of its vehicles at once."""
EMPTY = ("cp-4",)
"""Chargers nobody stands at."""
_CELLS = {"capacity_wh": 80_000, "max_charge_w": 20_000, "max_discharge_w": 20_000}


@dataclass
class RunningSite:
    """What a test looks at."""

    depot: Depot
    url: str
    data: Path
    settings: SiteSettings


def chargers() -> list[tuple[str, str]]:
    return [(name, node) for node, names in ROWS.items() for name in names]


def hardware(ocpp_port: int) -> Depot:
    return Depot(
        DepotSettings.model_validate(
            {
                "site_id": "depot-1",
                "building": {"base_w": 14_000, "swing_w": 0},
                "chargers": [_simulated(n, name, ocpp_port) for n, (name, _) in _numbered()],
                "batteries": [{"id": "rack", "kind": "sunspec", "soc_pct": 62, **_CELLS}],
                "pv": [{"id": "roof", "rated_w": 30_000, "clearness": 0.5, "swing": 0}],
            }
        ),
        SystemClock(),
    )


def _numbered() -> list[tuple[int, tuple[str, str]]]:
    return list(enumerate(chargers(), start=1))


def _simulated(number: int, name: str, ocpp_port: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": name,
        "version": "2.0.1" if number % 2 else "1.6",
        "url": f"ws://127.0.0.1:{ocpp_port}",
        "meter_interval_s": 1,
    }
    if name in EMPTY:
        return facts
    vehicle = {"id": f"van-{number}", "id_tag": f"TAG-{number}", "soc_pct": 20 + 6 * number}
    return {**facts, "vehicle": {**vehicle, "capacity_wh": 60_000, "max_ac_w": 11_040}}


def agent(data: Path, at: DepotAddresses, ocpp_port: int, **more: object) -> SiteSettings:
    def where(address: Any) -> dict[str, object]:
        return {"host": address.host, "port": address.port}

    fleet = [
        {"vehicle_id": f"van-{n}", "id_tags": [f"TAG-{n}"], "in_hours": 3 + n}
        | {"required_soc_pct": 80, "capacity_wh": 60_000}
        for n, (name, _) in _numbered()
        if name not in EMPTY
    ]
    facts: dict[str, object] = {
        "site_id": "depot-1",
        "data": data,
        "time_zone": ZONE,
        "contract_limit_w": 90_000,
        "max_building_w": 20_000,
        "circuit": {
            "limit_a": 160,
            "nodes": [{"id": node, "limit_a": amps} for node, amps in FUSES_A.items()],
        },
        "meter": where(at.meter),
        "chargers": [{"id": name, "node": node} for name, node in chargers()],
        "ocpp": {"host": "127.0.0.1", "port": ocpp_port, "meter_interval_s": 1},
        "batteries": [{"id": "rack", "kind": "sunspec", **where(at.batteries["rack"]), **_CELLS}],
        "pv": [{"id": "roof", **where(at.pv["roof"]), "rated_w": 30_000}],
        "fleet": fleet,
        "telemetry_s": 0.5,
        "web": {"port": 0},
    }
    return SiteSettings.model_validate({**facts, **more})


@asynccontextmanager
async def running_site(data: Path, **more: object) -> AsyncIterator[RunningSite]:
    """The depot and its agent, charging; `more` replaces settings of the agent."""
    ocpp_port, stopping = free_port(), asyncio.Event()
    depot, ready = hardware(ocpp_port), list[SiteAddresses]()
    listening: asyncio.Future[DepotAddresses] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        field = group.create_task(depot.run(listening.set_result))
        settings = agent(data, await listening, ocpp_port, **more)
        site = group.create_task(run(settings, SystemClock(), stopping, ready.append))
        await until(lambda: bool(ready) or site.done())
        yield RunningSite(depot, f"http://127.0.0.1:{ready[0].web_port}", data, settings)
        stopping.set()
        async with asyncio.timeout(PATIENCE_S):
            await site
        field.cancel()


async def until_charging(site: RunningSite, power_w: float = 40_000.0) -> None:
    """The vehicles draw this much together."""
    await until(lambda: sum(one.power_w for one in site.depot.chargers.values()) >= power_w)
