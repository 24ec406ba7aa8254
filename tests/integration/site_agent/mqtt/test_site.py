"""The whole agent of a site on MQTT: meter behind a GX, battery and roof at our own broker."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from contracts.errors import ConfigError
from contracts.site_link import codec
from contracts.site_link.messages import Instruction, InstructionStep, Measurement
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from depot_sim.faults import FaultKind
from site_agent.config import SiteSettings
from site_agent.main import run
from site_agent.store.sqlite import DATABASE, open_store
from support.fast_clock import FastClock
from support.mqtt_hardware import PORTAL, Elsewhere
from support.ports import steady_ports
from support.site import instruction
from support.waiting import until

BUILDING_W = 6_900.0
LEASE_S = 10
CELLS = {"capacity_wh": 50_000, "max_charge_w": 8_000, "max_discharge_w": 8_000}
PASSWORD = "only-for-tests"
AMBIENT = "sensor/weather/ambient_temperature_c"

WEATHER = {
    "map": 1,
    "id": "weather",
    "nature": "sensor",
    "points": {
        "ambient_temperature": {"topic": "roof/{device}/t", "unit": "degF", "required": True}
    },
}


def hardware(clock: FastClock, port: int, gx: Elsewhere) -> Depot:
    """The battery and the roof at the site's broker, the meter behind a GX with one of its own."""
    own = {"kind": "mqtt", "state_interval_s": 0.5}
    there = gx.of_devices
    at_gx = {"port": there.port, "username": there.username, "password": there.password}
    facts = {
        "site_id": "depot-1",
        "building": {"base_w": BUILDING_W, "swing_w": 0},
        "meters": [{"id": "main", **own, "portal": PORTAL, "broker": at_gx}],
        "batteries": [{"id": "tank", **own, **CELLS, "broker": login(port, "tank")}],
        "pv": [
            {"id": "roof", **own, "rated_w": 10_000, "clearness": 0.5, "swing": 0}
            | {"broker": login(port, "roof")}
        ],
    }
    return Depot(DepotSettings.model_validate(facts), clock)


def login(port: int, name: str) -> dict[str, object]:
    return {"port": port, "username": name, "password": PASSWORD}


def settings(data: Path, port: int, gx: Elsewhere, **more: Any) -> SiteSettings:
    there = gx.address
    broker = {"host": "127.0.0.1", "port": there.port} | {
        "username": there.username,
        "password": there.password,
    }
    mine = {"kind": "mqtt", "password": PASSWORD, "lease_s": LEASE_S}
    facts: dict[str, Any] = {
        "site_id": "depot-1",
        "data": data,
        "contract_limit_w": 100_000,
        "max_building_w": 20_000,
        "circuit": {"limit_a": 200},
        "meter": {
            "kind": "mqtt",
            "id": "main",
            "map": "victron.gx-meter",
            "names": {"portal": PORTAL, "instance": "30"},
            "broker": broker,
        },
        "batteries": [{"id": "tank", **mine, **CELLS}],
        "pv": [{"id": "roof", **mine, "rated_w": 10_000}],
        "sensors": [{"id": "weather", "kind": "mqtt", "password": PASSWORD, "map": WEATHER}],
        "mqtt": {"port": port},
        "ocpp": {"host": "127.0.0.1", "port": 0},
        "telemetry_s": 0.5,
        "link": {"servers": ["tls://127.0.0.1:9"], "credentials": data / "none"},
    }
    return SiteSettings.model_validate(facts | more)


@pytest.fixture
async def clock() -> FastClock:
    return FastClock(5.0)


@pytest.fixture
async def gx(tmp_path: Path) -> AsyncIterator[Elsewhere]:
    broker = Elsewhere(tmp_path / "gx")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(broker.server.run())
        async with asyncio.timeout(60):
            await broker.server.ready.wait()
        yield broker
        running.cancel()


@asynccontextmanager
async def running_hardware(depot: Depot) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(depot.run())
        yield
        task.cancel()


async def say_the_weather(port: int, clock: FastClock) -> None:
    """68 degrees Fahrenheit, for ever."""
    async with aiomqtt.Client(
        "127.0.0.1",
        port,
        username="weather",
        password=PASSWORD,
        protocol=aiomqtt.ProtocolVersion.V311,
    ) as station:
        while True:
            await station.publish("roof/weather/t", "68", qos=1)
            await clock.sleep(1.0)


def orders(clock: FastClock, *, storage_w: float, generation_w: float) -> Instruction:
    one = instruction(site_id="depot-1", start=clock.now())
    end = one.start + timedelta(hours=1)
    step = InstructionStep(
        start=one.start, end=end, storage_power_w=storage_w, generation_limit_w=generation_w
    )
    return replace(one, steps=(step,), expires_at=end)


def measured(database: Path, point: str) -> list[float | None]:
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT seq, body FROM outbox ORDER BY seq").fetchall()
    connection.close()
    rows = [codec.decode_row(seq, body).row for seq, body in found]
    values = [row for row in rows if isinstance(row, Measurement) and row.point == point]
    return [None if row.value is None else round(row.value, 3) for row in values]


@pytest.mark.row("trap:Q2")
@pytest.mark.row("trap:Q3")
async def test_meter_battery_and_roof_by_topic_maps(
    tmp_path: Path, clock: FastClock, gx: Elsewhere
) -> None:
    data, port = tmp_path / "site", steady_ports(1)[0]
    data.mkdir()
    store = open_store(data / DATABASE, clock.now())
    await store.instructions.put(orders(clock, storage_w=3_000.0, generation_w=-2_000.0))
    store.close()
    depot = hardware(clock, port, gx)
    stopping = asyncio.Event()
    async with running_hardware(depot):
        async with asyncio.TaskGroup() as group:
            group.create_task(run(settings(data, port, gx), clock, stopping))
            await until(lambda: depot.batteries["tank"].battery.power_w == 3_000.0)
            await until(lambda: depot.pv["roof"].pv.power_w == -2_000.0)
            weather = group.create_task(say_the_weather(port, clock))
            await until(lambda: 20.0 in measured(data / DATABASE, AMBIENT))
            weather.cancel()
            depot.fail("tank", FaultKind.DROP, 10.0)
            await until(lambda: depot.batteries["tank"].battery.power_w == 0.0)
            await until(lambda: depot.batteries["tank"].battery.power_w == 3_000.0)
            stopping.set()
        died_s = clock.monotonic()
        await until(lambda: depot.batteries["tank"].battery.power_w == 0.0)
        await until(lambda: depot.pv["roof"].pv.power_w == -5_000.0)
        assert clock.monotonic() - died_s <= LEASE_S + 15.0
    imported = [value for value in measured(data / DATABASE, "pcc_power_w") if value is not None]
    assert BUILDING_W + 3_000.0 - 2_000.0 in [round(value) for value in imported]


async def test_devices_that_claim_one_topic_do_not_start(
    tmp_path: Path, clock: FastClock, gx: Elsewhere
) -> None:
    names = {"portal": PORTAL, "vebus": "276", "battery": "512"}
    one = {"kind": "mqtt", "map": "victron.gx-battery", "names": names, **CELLS}
    made = settings(
        tmp_path, steady_ports(1)[0], gx, batteries=[{"id": "a", **one}, {"id": "b", **one}]
    )
    with pytest.raises(ConfigError, match="a and b are both told on W/"):
        await run(made, clock, asyncio.Event())
