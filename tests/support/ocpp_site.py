"""A whole agent beside simulated chargers, on a clock of choice, seen through its console."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.time import Clock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from site_agent.config import SiteSettings
from site_agent.console.client import Console
from site_agent.main import SiteAddresses, run
from support.fast_clock import FastClock
from support.leaping_clock import leaping_clock
from support.ports import free_port

PASSWORD = "only-for-tests"


@dataclass(frozen=True)
class OcppSite:
    """The hardware, and the way to ask the agent."""

    depot: Depot
    console: Console
    data: Path
    port: int

    async def ask(self, command: str, **args: object) -> list[dict[str, Any]]:
        return [dict(item) async for item in self.console.ask(f"ocpp.{command}", **args)]

    async def one(self, command: str, **args: object) -> dict[str, Any]:
        (item,) = await self.ask(command, **args)
        return item

    async def station(self, charge_point: str) -> dict[str, Any]:
        found = await self.ask("list")
        return next(one for one in found if one["charge_point"] == charge_point)

    async def until(self, charge_point: str, **facts: object) -> dict[str, Any]:
        """The first EVSE, as soon as it is so."""
        async with asyncio.timeout(60):
            while True:
                station = await self.station(charge_point)
                evse: dict[str, Any] = station["evses"][0]
                if station["ready"] and all(evse[key] == value for key, value in facts.items()):
                    return evse
                await asyncio.sleep(0.05)


@asynccontextmanager
async def ocpp_site(
    data: Path,
    *chargers: Mapping[str, Any],
    clock: Clock | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AsyncIterator[OcppSite]:
    """`chargers` are described as for the simulator, without their `url`.

    `settings`: more of the agent's.
    """
    clock = clock or leaping_clock() or FastClock(20.0)
    port = free_port()
    depot = Depot(_hardware(port, chargers), clock)
    stopping = asyncio.Event()
    up: asyncio.Future[DepotAddresses] = asyncio.Future()
    ready: asyncio.Future[SiteAddresses] = asyncio.Future()
    async with asyncio.TaskGroup() as group:
        hardware = group.create_task(depot.run(up.set_result))
        told = _settings(data, await up, port, chargers) | dict(settings or {})
        made = SiteSettings.model_validate(told)
        agent = group.create_task(run(made, clock, stopping, ready.set_result))
        try:
            await ready
            yield OcppSite(depot, Console(data), data, port)
        finally:
            stopping.set()
            await agent
            hardware.cancel()


def _hardware(port: int, chargers: tuple[Mapping[str, Any], ...]) -> DepotSettings:
    return DepotSettings.model_validate(
        {
            "site_id": "depot-1",
            "building": {"base_w": 5_000, "swing_w": 0},
            "chargers": [
                {"url": f"ws://127.0.0.1:{port}", "password": PASSWORD, **one} for one in chargers
            ],
        }
    )


def _settings(
    data: Path, at: DepotAddresses, port: int, chargers: tuple[Mapping[str, Any], ...]
) -> dict[str, Any]:
    return {
        "site_id": "depot-1",
        "data": data,
        "time_zone": "Europe/Berlin",
        "contract_limit_w": 100_000,
        "max_building_w": 20_000,
        "circuit": {"limit_a": 200},
        "meter": {"host": at.meter.host, "port": at.meter.port, "max_age_s": 60},
        "chargers": [{"id": one["id"], "password": PASSWORD} for one in chargers],
        "ocpp": {"host": "127.0.0.1", "port": port, "meter_interval_s": 2, "lease_s": 60},
    }
