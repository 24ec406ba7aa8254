"""A plan on real sockets: vehicles wait for cheap power, and a restart goes on with the plan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import site_agent.assembly.deciding
from contracts.clock import SystemClock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from site_agent.config import SiteSettings
from site_agent.flows.control.control_loop import ControlLoop, Cycle
from site_agent.main import run
from support.ports import steady_ports
from support.waiting import until

CLOCK = SystemClock()
CHARGERS = ("gate", "yard")


def hardware(ocpp_port: int) -> Depot:
    vehicle = {"capacity_wh": 60_000, "soc_pct": 40, "max_ac_w": 11_040}
    facts = {
        "site_id": "depot-1",
        "building": {"base_w": 6_000, "swing_w": 0},
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
    }
    return Depot(DepotSettings.model_validate(facts), CLOCK)


def dear_now() -> dict[str, Any]:
    """A tariff with dear power from two hours ago until in four hours, whatever the time is.

    Waiting is worth it on the last day of a month as well, when a peak is of use for a day only.
    """
    now = CLOCK.now()
    begins, ends = ((now + timedelta(hours=hours)).hour for hours in (-2, 4))
    edges = {0: 0.5 if begins > ends > 0 else 0.1, begins: 0.5, ends: 0.1}
    prices = [{"at": f"{hour:02d}:00", "per_kwh": price} for hour, price in sorted(edges.items())]
    return {
        "name": "dear now",
        "currency": "EUR",
        "time_zone": "UTC",
        "energy": [{"name": "all", "prices": prices}],
        "demand": [{"name": "month", "per_kw": 1}],
    }


def settings(data: Path, at: DepotAddresses, ocpp_port: int, **more: Any) -> SiteSettings:
    facts = {
        "site_id": "depot-1",
        "data": data,
        "contract_limit_w": 100_000,
        "max_building_w": 20_000,
        "circuit": {"limit_a": 200},
        "meter": {"host": at.meter.host, "port": at.meter.port},
        "chargers": [{"id": name} for name in CHARGERS],
        "ocpp": {"host": "127.0.0.1", "port": ocpp_port, "meter_interval_s": 1},
        "fleet": [
            {"vehicle_id": f"van-{name}", "id_tags": [f"TAG-{name}"], "in_hours": 12}
            | {"required_soc_pct": 80, "capacity_wh": 60_000}
            for name in CHARGERS
        ],
        "tariff": dear_now(),
        **more,
    }
    return SiteSettings.model_validate(facts)


class Seen(ControlLoop):
    """The control loop of the agent under test, and its cycles."""

    newest: Seen | None = None
    cycles: list[Cycle]

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.cycles = []
        Seen.newest = self

    async def cycle(self) -> None:
        await super().cycle()
        if self.latest is not None:
            self.cycles.append(self.latest)


@pytest.fixture(autouse=True)
def _seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_agent.assembly.deciding, "ControlLoop", Seen)
    Seen.newest = None


@asynccontextmanager
async def agent(of: SiteSettings) -> AsyncIterator[Seen]:
    """The agent, until the block ends."""
    Seen.newest = None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run(of, CLOCK, asyncio.Event()))
        await until(lambda: Seen.newest is not None or task.done())
        assert Seen.newest is not None
        yield Seen.newest
        task.cancel()


@asynccontextmanager
async def depot(ocpp_port: int) -> AsyncIterator[DepotAddresses]:
    field, listening = hardware(ocpp_port), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(field.run(lambda _: listening.set()))
        await listening.wait()
        yield field.addresses
        task.cancel()


def waiting(cycle: Cycle) -> list[str]:
    """Those that are told to wait for cheaper power."""
    return [
        one.evse_id
        for one in cycle.decision.chargers
        if one.limit_a == 0.0 and "power is cheaper from" in one.cause
    ]


@pytest.mark.row("site:E6")
async def test_vehicles_wait_for_cheap_power_and_a_restart_keeps_the_plan(tmp_path: Path) -> None:
    port = steady_ports(1)[0]
    async with depot(port) as at:
        of = settings(tmp_path / "site", at, port)
        async with agent(of) as loop:
            await until(lambda: bool(loop.cycles) and len(waiting(loop.cycles[-1])) == 2)
        async with agent(of) as loop:
            await until(lambda: any(cycle.guidance.vehicles_w for cycle in loop.cycles))
            guided = next(cycle for cycle in loop.cycles if cycle.guidance.source)
        assert guided is loop.cycles[0], "no plan can be made before a cycle has seen the site"
        assert guided.guidance.source.startswith("the plan of ")


async def test_with_another_strategy_nobody_waits(tmp_path: Path) -> None:
    port = steady_ports(1)[0]
    async with depot(port) as at:
        of = settings(tmp_path / "site", at, port, planning={"strategy": "soonest"})
        async with agent(of) as loop:
            await until(
                lambda: (
                    bool(loop.cycles)
                    and all(one.limit_a >= 6.0 for one in loop.cycles[-1].decision.chargers)
                    and all(one.transaction_id for one in loop.cycles[-1].snapshot.chargers)
                )
            )
            assert loop.cycles[-1].guidance.source == ""
