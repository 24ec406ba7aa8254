"""The whole agent on real sockets beside a meter that fails: the feeder's true sum stays in bounds.

Simulated chargers (OCPP) and a SunSpec meter whose faults begin while vehicles charge and come. The
clock leaps, so a slow machine changes nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.site_link import codec
from contracts.site_link.messages import Notice
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from depot_sim.faults import FaultKind
from depot_sim.physics.vehicle import Vehicle
from site_agent.config import SiteSettings
from site_agent.main import run
from site_agent.store.sqlite import DATABASE
from support.leaping_clock import LeapingClock, leaping, leaping_clock
from support.ports import steady_ports

CONTRACT_W, BUILDING_W = 62_000.0, 10_000.0
CHARGERS = ("a", "b", "c")
_STALE, _CAUGHT = "meter-stale", "meter-not-trusted"


def hardware(ocpp_port: int, clock: LeapingClock) -> Depot:
    facts = {
        "site_id": "depot",
        "building": {"base_w": BUILDING_W, "swing_w": 0},
        "chargers": [
            {
                "id": name,
                "version": "1.6",
                "url": f"ws://127.0.0.1:{ocpp_port}",
                "meter_interval_s": 5,
            }
            for name in CHARGERS
        ],
    }
    return Depot(DepotSettings.model_validate(facts), clock)


def settings(data: Path, at: DepotAddresses, ocpp_port: int) -> SiteSettings:
    facts: dict[str, Any] = {
        "site_id": "depot",
        "data": data,
        "contract_limit_w": CONTRACT_W,
        "max_building_w": 25_000,
        "circuit": {"limit_a": 120},
        "meter": {"host": at.meter.host, "port": at.meter.port},
        "chargers": [{"id": name} for name in CHARGERS],
        "ocpp": {"host": "127.0.0.1", "port": ocpp_port},
        "strangers": {"required_wh": 40_000},
        "telemetry_s": 0.5,
    }
    return SiteSettings.model_validate(facts)


def vehicle(name: str) -> Vehicle:
    return Vehicle(id=f"van-{name}", id_tag=name, capacity_wh=100_000, soc_pct=10, max_ac_w=22_080)


def notices(database: Path) -> list[Notice]:
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT seq, body FROM outbox ORDER BY seq").fetchall()
    connection.close()
    told = (codec.decode_row(seq, body).row for seq, body in found)
    return [row for row in told if isinstance(row, Notice)]


class Feeder:
    """What really flows, as nobody but a test can see it."""

    def __init__(self, depot: Depot, clock: LeapingClock) -> None:
        self._depot, self._clock = depot, clock
        self.most_w = 0.0

    async def watch(self) -> None:
        while True:
            self.most_w = max(self.most_w, self._depot.plant.power_w)
            await self._clock.sleep(0.2)


async def story(data: Path, kind: FaultKind, amount: float | None) -> tuple[Feeder, datetime]:
    """Two vehicles charge, the meter fails, a third one comes; returns when it failed."""
    clock = leaping_clock()
    assert clock is not None
    (ocpp_port,) = steady_ports(1)
    depot, listening, stopping = hardware(ocpp_port, clock), asyncio.Event(), asyncio.Event()
    feeder = Feeder(depot, clock)
    async with asyncio.TaskGroup() as group:
        life = group.create_task(depot.run(lambda _: listening.set()))
        await listening.wait()
        agent = group.create_task(run(settings(data, depot.addresses, ocpp_port), clock, stopping))
        eyes = group.create_task(feeder.watch())
        await clock.sleep(20)
        for name in CHARGERS[:2]:
            depot.plug(name, vehicle(name))
        await clock.sleep(60)
        assert depot.plant.power_w > BUILDING_W + 40_000
        depot.fail("pcc", kind, None, amount)
        failed_at = clock.now()
        await clock.sleep(5)
        depot.plug(CHARGERS[2], vehicle(CHARGERS[2]))
        await clock.sleep(45)
        stopping.set()
        await agent
        eyes.cancel()
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life
    return feeder, failed_at


@pytest.mark.row("truth:V1", "truth:V2", "truth:V3")
@pytest.mark.parametrize(
    ("kind", "amount", "code", "check", "within_s"),
    [
        (FaultKind.OFFLINE, None, _STALE, "no fresh reading", 8),
        (FaultKind.FREEZE, None, _CAUGHT, "", 25),
        (FaultKind.SIGN_FLIPPED, 0.0, _CAUGHT, "", 15),
        (FaultKind.SCALED, 10.0, _CAUGHT, "nameplate", 8),
        (FaultKind.SCALED, 0.1, _CAUGHT, "", 15),
    ],
)
@leaping
async def test_the_feeder_never_exceeds_its_contract(
    tmp_path: Path, kind: FaultKind, amount: float | None, code: str, check: str, within_s: float
) -> None:
    feeder, failed_at = await story(tmp_path / "site", kind, amount)
    assert feeder.most_w <= CONTRACT_W
    (caught,) = (n for n in notices(tmp_path / "site" / DATABASE) if n.raised and n.code == code)
    assert check in caught.text
    assert timedelta(0) < caught.at - failed_at <= timedelta(seconds=within_s)
