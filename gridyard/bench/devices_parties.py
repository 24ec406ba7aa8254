"""Parties of the devices bench: field hardware, and a whole agent that notes how late it wakes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from pymodbus.client import AsyncModbusTcpClient

from contracts.clock import SystemClock
from contracts.tasks import first_of
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from gridyard.bench.ocpp_site import charger_id
from gridyard.bench.processes import order, quietly
from site_agent import main as agent
from site_agent.config import SiteSettings
from site_agent.devices.modbus.link import LinkSettings, RegisterLink

BATTERIES, INVERTERS = ("bess-1", "bess-2"), ("pv-1", "pv-2", "pv-3", "pv-4")
COUNT = 100
"""Registers of one read."""
_ADDRESS, _HOST = 40_000, "127.0.0.1"
Ports = Mapping[str, int]
"""Where each device listens on this machine, by id; the grid's meter is `meter`."""


def field(pipe: Connection) -> None:
    """A depot of SunSpec devices: one meter, two batteries, four PV inverters."""
    quietly(_field(pipe))


async def _field(pipe: Connection) -> None:
    cells = {"capacity_wh": 200_000, "max_charge_w": 100_000, "max_discharge_w": 100_000}
    settings = DepotSettings.model_validate(
        {
            "site_id": "bench",
            "batteries": [{"id": name, "kind": "sunspec", **cells} for name in BATTERIES],
            "pv": [{"id": name, "rated_w": 50_000} for name in INVERTERS],
        }
    )

    def ready(at: DepotAddresses) -> None:
        others = {**at.batteries, **at.pv}
        pipe.send({"meter": at.meter.port, **{name: one.port for name, one in others.items()}})

    async def told() -> None:
        await order(pipe)

    await first_of(Depot(settings, SystemClock()).run(ready), told())


def readers(port: int, rounds: int, reads: int, pipe: Connection) -> None:
    """Says how long a read took, us: pairs of our link and plain pymodbus, taking turns."""
    quietly(_readers(port, rounds, reads, pipe))


async def _readers(port: int, rounds: int, reads: int, pipe: Connection) -> None:
    link = RegisterLink(LinkSettings(host=_HOST, port=port), SystemClock())
    client = AsyncModbusTcpClient(_HOST, port=port)

    async def ours() -> None:
        await link.read_holding(1, _ADDRESS, COUNT)

    async def plain() -> None:
        await client.read_holding_registers(_ADDRESS, count=COUNT, device_id=1)

    async def measure() -> None:
        turns = [(await _each_us(ours, reads), await _each_us(plain, reads)) for _ in range(rounds)]
        pipe.send(turns)

    await client.connect()
    try:
        await first_of(link.run(), measure())
    finally:
        client.close()


async def _each_us(read: Callable[[], Awaitable[None]], reads: int) -> float:
    begun_s = time.perf_counter()
    for _ in range(reads):
        await read()
    return (time.perf_counter() - begun_s) / reads * 1e6


class NotingClock(SystemClock):
    """Notes by how much every pause of up to two seconds ended late, s."""

    def __init__(self) -> None:
        self.late_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Wait, and note."""
        due_s = self.monotonic() + seconds
        await super().sleep(seconds)
        if 0 < seconds <= 2:  # noqa: PLR2004 - longer ones are no deadline of control
            self.late_s.append(self.monotonic() - due_s)


def punctual_agent(ports: Ports, chargers: int, pipe: Connection) -> None:
    """The whole agent on these devices: says where chargers connect, then answers two orders.

    `"begin"`: forget what was noted; `"late"`: what was noted since.
    """
    quietly(_punctual_agent(ports, chargers, pipe))


async def _punctual_agent(ports: Ports, chargers: int, pipe: Connection) -> None:
    stopping, clock = asyncio.Event(), NotingClock()

    async def orders() -> None:
        while (what := await order(pipe)) is not None:
            if what == "begin":
                clock.late_s.clear()
            pipe.send(list(clock.late_s))
        stopping.set()

    def ready(where: agent.SiteAddresses) -> None:
        pipe.send(f"ws://127.0.0.1:{where.ocpp_port}")
        tasks.create_task(orders())

    with tempfile.TemporaryDirectory() as folder:
        async with asyncio.TaskGroup() as tasks:
            await agent.run(_site(Path(folder), ports, chargers), clock, stopping, ready)


def _site(folder: Path, ports: Ports, chargers: int) -> SiteSettings:
    host = _HOST
    cells = {"capacity_wh": 200_000, "max_charge_w": 100_000, "max_discharge_w": 100_000}
    return SiteSettings.model_validate(
        {
            "site_id": "bench",
            "data": folder,
            "contract_limit_w": 800_000.0,
            "max_building_w": 50_000.0,
            "circuit": {"limit_a": 1200.0},
            "meter": {"kind": "sunspec", "host": host, "port": ports["meter"], "period_s": 0.25},
            "batteries": [
                {"id": name, "kind": "sunspec", "host": host, "port": ports[name], **cells}
                for name in BATTERIES
            ],
            "pv": [
                {"id": name, "host": host, "port": ports[name], "rated_w": 50_000}
                for name in INVERTERS
            ],
            "ocpp": {"host": host, "port": 0, "meter_interval_s": None},
            "chargers": [{"id": charger_id(n), "versions": ["ocpp1.6"]} for n in range(chargers)],
        }
    )
