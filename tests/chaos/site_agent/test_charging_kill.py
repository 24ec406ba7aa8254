"""`kill -9` of a real `gridyard site` in mid-session: what chargers were answered is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from depot_sim.chargers.personality import Entry
from site_agent.config import SiteSettings
from site_agent.store.sqlite import open_store
from support.fast_clock import FastClock
from support.ocpp_restarts import Bench, Plug
from support.ports import steady_ports
from support.processes import Program, listening
from support.system_layout import write
from support.waiting import until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.row("safety:S4"),
    pytest.mark.xdist_group("realtime-chaos"),
]
CHARGERS: list[tuple[str, Sequence[Entry]]] = [
    ("1.6", ["good"]),
    ("1.6", ["no-boot-on-reconnect"]),
    ("2.0.1", ["good"]),
    ("2.0.1", ["no-boot-on-reconnect"]),
]
A_LITTLE_WH = 3.0


def settings(folder: Path, ocpp_port: int, no_meter: int) -> SiteSettings:
    return SiteSettings.model_validate(
        {
            "site_id": "depot",
            "data": folder / "data",
            "contract_limit_w": 1_000_000,
            "max_building_w": 0,
            "circuit": {"limit_a": 1_500},
            "meter": {"host": "127.0.0.1", "port": no_meter},
            "chargers": [
                {"id": f"evse-{n}", "charge_point_id": f"CP{n}", "fail_safe_current_a": 32}
                for n in range(1, len(CHARGERS) + 1)
            ],
            "ocpp": {"host": "127.0.0.1", "port": ocpp_port, "meter_interval_s": 1},
        }
    )


async def test_no_session_is_lost_and_no_energy_counted_twice(tmp_path: Path) -> None:
    port, no_meter = steady_ports(2)
    made = settings(tmp_path, port, no_meter)
    write(tmp_path / "site.yaml", made)
    agent = Program("agent", "site", tmp_path / "site.yaml")
    clock = FastClock(1.0)
    url = f"ws://127.0.0.1:{port}/ocpp"
    plugs = [Plug(n, *one, url, clock) for n, one in enumerate(CHARGERS, start=1)]
    site = Bench(made.data / "site.db", clock, port, plugs)
    await begin(agent, port)
    async with asyncio.TaskGroup() as tasks:
        lives = [tasks.create_task(plug.live()) for plug in plugs]
        try:
            await killed_again_and_again(agent, port, plugs)
        finally:
            agent.end()
            for life in lives:
                life.cancel()
    site.store = open_store(site.path, SystemClock().now())
    try:
        await site.agrees()
        for plug in plugs:
            assert await site.store.sessions.running(plug.evse_id) is None
            assert len(plug.truth.transactions) >= 1
    finally:
        site.store.close()


async def killed_again_and_again(agent: Program, port: int, plugs: Sequence[Plug]) -> None:
    for plug in plugs:
        plug.plug()
    await everybody_charges(plugs)
    agent.kill()
    for plug in plugs[::2]:  # whose end is told to the agent's next life
        plug.unplug()
    await everybody_charges(plugs[1::2])
    await begin(agent, port)
    for plug in plugs[::2]:
        plug.plug()
    await everybody_charges(plugs)
    for plug in plugs:
        plug.unplug()
    agent.kill()  # in the midst of being told
    await begin(agent, port)
    await until(lambda: all(plug.settled for plug in plugs))
    agent.kill()


async def everybody_charges(plugs: Sequence[Plug]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for plug in plugs:
            tasks.create_task(plug.charges(A_LITTLE_WH))


async def begin(agent: Program, port: int) -> None:
    agent.start()
    await until(lambda: bool(listening([port])))
