"""The whole agent against simulated hardware on real sockets: OCPP, SunSpec and MQTT."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.inverter import Curve, CurveKind, Point
from contracts.site_link import codec
from contracts.site_link.messages import (
    Instruction,
    InstructionStatus,
    InstructionStep,
    Measurement,
    Notice,
    Row,
)
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from depot_sim.sunspec.inverter700 import SunSpecInverter700
from site_agent.config import SiteSettings
from site_agent.main import SiteAddresses, run
from site_agent.store.sqlite import DATABASE, open_store
from support.ports import steady_ports
from support.site import instruction

CLOCK = SystemClock()
CHARGERS = (("old", "1.6"), ("new", "2.0.1"))
LIMIT_W = 15_000.0
BUILDING_W = 12_000.0


def hardware(
    ocpp_port: int,
    mqtt_port: int,
    *,
    building_w: float = BUILDING_W,
    pv_w: float = 5_000,
    clearness: float = 0.2,
    functions: bool = False,
) -> Depot:
    vehicle = {"capacity_wh": 60_000, "soc_pct": 40, "max_ac_w": 11_040}
    cells = {"capacity_wh": 50_000, "max_charge_w": 8_000, "max_discharge_w": 8_000}
    broker = {"port": mqtt_port, "username": "tank", "password": "only-for-tests"}
    facts = {
        "site_id": "depot-1",
        "building": {"base_w": building_w, "swing_w": 0},
        "chargers": [
            {
                "id": name,
                "version": version,
                "url": f"ws://127.0.0.1:{ocpp_port}",
                "meter_interval_s": 1,
                "vehicle": {**vehicle, "id": f"van-{name}", "id_tag": f"TAG-{name}"},
            }
            for name, version in CHARGERS
        ],
        "batteries": [
            {"id": "rack", "kind": "sunspec", **cells},
            {"id": "tank", "kind": "mqtt", **cells, "broker": broker, "state_interval_s": 0.5},
        ],
        "pv": [
            {"id": "roof", "rated_w": pv_w, "clearness": clearness, "swing": 0}
            | {"functions": functions}
        ],
    }
    return Depot(DepotSettings.model_validate(facts), CLOCK)


def settings(
    data: Path,
    at: DepotAddresses,
    ocpp_port: int,
    mqtt_port: int,
    *,
    pv_w: float = 5_000,
    in_hours: float = 2,
) -> SiteSettings:
    cells = {"capacity_wh": 50_000, "max_charge_w": 8_000, "max_discharge_w": 8_000}

    def where(address: Any) -> dict[str, object]:
        return {"host": address.host, "port": address.port}

    facts = {
        "site_id": "depot-1",
        "data": data,
        "contract_limit_w": 100_000,
        "max_building_w": 20_000,
        "circuit": {"limit_a": 200},
        "meter": where(at.meter),
        "chargers": [{"id": name} for name, _ in CHARGERS],
        "ocpp": {"host": "127.0.0.1", "port": ocpp_port, "meter_interval_s": 1},
        "batteries": [
            {"id": "rack", "kind": "sunspec", **where(at.batteries["rack"]), **cells},
            {"id": "tank", "kind": "mqtt", "password": "only-for-tests", **cells},
        ],
        "mqtt": {"port": mqtt_port},
        "pv": [{"id": "roof", **where(at.pv["roof"]), "rated_w": pv_w}],
        "fleet": [
            {"vehicle_id": f"van-{name}", "id_tags": [f"TAG-{name}"], "in_hours": in_hours}
            | {"required_soc_pct": 80, "capacity_wh": 60_000}
            for name, _ in CHARGERS
        ],
        "telemetry_s": 0.5,
        "link": {"servers": ["tls://127.0.0.1:9"], "credentials": data / "none"},
    }
    return SiteSettings.model_validate(facts)


@asynccontextmanager
async def running_hardware(depot: Depot) -> AsyncIterator[DepotAddresses]:
    listening = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(depot.run(lambda _: listening.set()))
        await listening.wait()
        yield depot.addresses
        task.cancel()


def rows(database: Path) -> list[Row]:
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT seq, body FROM outbox ORDER BY seq").fetchall()
    connection.close()
    return [codec.decode_row(seq, body).row for seq, body in found]


async def until_charging(depot: Depot) -> None:
    while depot.plant.power_w < BUILDING_W + 6_000:
        await CLOCK.sleep(0.1)


@pytest.mark.row("site:E16")
async def test_an_event_moves_real_protocols(tmp_path: Path) -> None:
    ocpp_port, mqtt_port = steady_ports(2)
    depot = hardware(ocpp_port, mqtt_port)
    data = tmp_path / "site"
    data.mkdir()
    begins = CLOCK.now() + timedelta(seconds=3.5)
    ends = begins + timedelta(seconds=5)
    event = instruction(LIMIT_W, site_id="depot-1", start=begins, step=ends - begins)
    store = open_store(data / DATABASE, CLOCK.now())
    await store.instructions.put(event)
    store.close()
    ready: list[SiteAddresses] = []
    stopping = asyncio.Event()
    async with running_hardware(depot) as at, asyncio.TaskGroup() as group:
        made = settings(data, at, ocpp_port, mqtt_port)
        group.create_task(run(made, CLOCK, stopping, ready.append))
        async with asyncio.timeout(60):
            await until_charging(depot)
            await CLOCK.sleep((begins - CLOCK.now()).total_seconds() + 2.5)
            held_w = [depot.plant.power_w]
            while CLOCK.now() < ends:
                await CLOCK.sleep(0.1)
                held_w.append(depot.plant.power_w)
            await CLOCK.sleep(0.5)
        stopping.set()
    assert ready == [SiteAddresses(ocpp_port=ocpp_port, mqtt_port=mqtt_port)]
    assert max(held_w[:-1]) <= LIMIT_W, "the last may be of a moment after its end"
    assert max(held_w[:-1]) > 0.9 * LIMIT_W
    told = rows(data / DATABASE)
    states = [row for row in told if isinstance(row, InstructionStatus)]
    assert [row.state for row in states] == ["started", "applied", "completed"]
    assert states[1].at - begins < timedelta(seconds=2)
    online = [r.value for r in told if isinstance(r, Measurement) and r.point == "chargers_online"]
    assert online[-1] == len(CHARGERS)


@dataclass
class Seen:
    """The extremes of some time, W."""

    load_w: float = 0.0
    generation_w: float = 0.0
    import_w: float = -inf
    export_w: float = inf

    def take(self, depot: Depot) -> None:
        stored = [sum(battery.phases_w) for battery in depot.batteries.values()]
        load = sum(charger.power_w for charger in depot.chargers.values())
        load += sum(max(0.0, power) for power in stored)
        made = sum(sum(inverter.phases_w) for inverter in depot.pv.values())
        self.load_w = max(self.load_w, load)
        self.generation_w = min(self.generation_w, made + sum(min(0.0, p) for p in stored))
        self.import_w = max(self.import_w, depot.plant.power_w)
        self.export_w = min(self.export_w, depot.plant.power_w)


async def seen(depot: Depot, since: datetime, until: datetime) -> Seen:
    await CLOCK.sleep((since - CLOCK.now()).total_seconds())
    extremes = Seen()
    while CLOCK.now() < until:
        extremes.take(depot)
        await CLOCK.sleep(0.1)
    return extremes


STEP = timedelta(seconds=7)
FOLLOWED = timedelta(seconds=5.5)
BOUNDS: tuple[dict[str, Any], ...] = (
    {"load_limit_w": 13_000.0, "generation_limit_w": -6_000.0, "storage_power_w": 3_000.0},
    {"load_limit_w": 9_000.0, "generation_limit_w": -20_000.0, "storage_power_w": 0.0},
    {"energize": False},
)
"""Beside no export at all, one after the other."""


def envelope(begins: datetime) -> Instruction:
    one = instruction(site_id="depot-1", start=begins)
    steps = tuple(
        InstructionStep(
            start=begins + n * STEP, end=begins + (n + 1) * STEP, export_limit_w=0.0, **bounds
        )
        for n, bounds in enumerate(BOUNDS)
    )
    return replace(one, steps=steps, expires_at=steps[-1].end)


@pytest.mark.xdist_group("realtime")
async def test_bounds_on_load_generation_and_storage_reach_every_device(tmp_path: Path) -> None:
    (ocpp_port, mqtt_port), building_w, pv_w = steady_ports(2), 2_000.0, 30_000.0
    depot = hardware(ocpp_port, mqtt_port, building_w=building_w, pv_w=pv_w, clearness=0.9)
    data = tmp_path / "site"
    data.mkdir()
    begins = CLOCK.now() + timedelta(seconds=8)
    store = open_store(data / DATABASE, CLOCK.now())
    await store.instructions.put(envelope(begins))
    store.close()
    stopping = asyncio.Event()
    async with running_hardware(depot) as at, asyncio.TaskGroup() as group:
        made = settings(data, at, ocpp_port, mqtt_port, pv_w=pv_w, in_hours=12)
        group.create_task(run(made, CLOCK, stopping))
        async with asyncio.timeout(60):
            starts = [begins + n * STEP for n in range(len(BOUNDS))]
            before = await seen(depot, begins - STEP / 4, begins)
            both, no_export, stopped = [
                await seen(depot, start + FOLLOWED, start + STEP) for start in starts
            ]
        stopping.set()
    assert before.generation_w == -27_000
    assert before.load_w > 12_000  # a meter that has yet to show a step gives no more at once
    assert 11_000 < both.load_w <= 13_000  # of which 3 kW are the batteries'
    assert both.generation_w == pytest.approx(-6_000, abs=50)
    assert no_export.load_w <= 9_000
    used_w = building_w + no_export.load_w
    assert -used_w - 100 <= no_export.generation_w < 0  # it rises when it has been seen
    assert no_export.export_w >= -100
    assert (stopped.load_w, stopped.generation_w) == (0.0, 0.0)
    assert (stopped.import_w, stopped.export_w) == pytest.approx((building_w, building_w))
    told = rows(data / DATABASE)
    states = [row for row in told if isinstance(row, InstructionStatus)]
    assert [row.state for row in states][:2] == ["started", "applied"]
    assert states[1].reason == "accepted by every device"


VOLT_VAR = Curve(
    kind=CurveKind.VOLT_VAR, points=(Point(x=90, y=40), Point(x=100, y=0), Point(x=110, y=-40))
)


@pytest.mark.xdist_group("realtime")
async def test_a_volt_var_curve_reaches_the_inverter_and_goes_away_at_its_end(
    tmp_path: Path,
) -> None:
    ocpp_port, mqtt_port = steady_ports(2)
    depot = hardware(ocpp_port, mqtt_port, functions=True)
    roof = depot.pv["roof"]
    assert isinstance(roof, SunSpecInverter700)
    own = roof.functions.curve(705)
    data = tmp_path / "site"
    data.mkdir()
    begins = CLOCK.now() + timedelta(seconds=3)
    one = instruction(site_id="depot-1", start=begins)
    step = InstructionStep(
        start=begins, end=begins + timedelta(seconds=12), inverter_functions=(VOLT_VAR,)
    )
    store = open_store(data / DATABASE, CLOCK.now())
    await store.instructions.put(replace(one, steps=(step,), expires_at=step.end))
    store.close()
    stopping = asyncio.Event()
    async with running_hardware(depot) as at, asyncio.TaskGroup() as group:
        group.create_task(run(settings(data, at, ocpp_port, mqtt_port), CLOCK, stopping))
        async with asyncio.timeout(60):
            while "volt_var" not in roof.functions.enabled:
                await CLOCK.sleep(0.1)
            held = roof.functions.curve(705)
            while "volt_var" in roof.functions.enabled or roof.functions.curve(705) != own:
                await CLOCK.sleep(0.1)
            while not any(s.state == "completed" for s in statuses(data / DATABASE)):
                await CLOCK.sleep(0.1)
        stopping.set()
    assert held == [(90, 40), (100, 0), (110, -40)]
    told = rows(data / DATABASE)
    assert [s.state for s in statuses(data / DATABASE)] == ["started", "applied", "completed"]
    refused = {
        n.subject
        for n in told
        if isinstance(n, Notice) and n.code == "inverter-function-refused" and n.raised
    }
    assert refused == {"rack/volt_var", "tank/volt_var"}, "they have no curves"


def statuses(database: Path) -> list[InstructionStatus]:
    return [row for row in rows(database) if isinstance(row, InstructionStatus)]


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        facts = {
            "site_id": "depot-1",
            "data": tmp_path,
            "contract_limit_w": 1_000,
            "max_building_w": 0,
            "circuit": {"limit_a": 16},
            "meter": {"host": "127.0.0.1", "port": 9},
            "ocpp": {"host": "127.0.0.1", "port": port},
        }
        with pytest.raises(BaseExceptionGroup) as raised:
            await run(SiteSettings.model_validate(facts), CLOCK, asyncio.Event())
    assert raised.group_contains(ConfigError, match=f"ocpp: cannot listen on 127.0.0.1:{port}")
