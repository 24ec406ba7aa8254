"""A depot whose meters speak M-Bus and DLMS and whose battery is managed on CAN, and an agent."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from contracts.clock import SystemClock
from contracts.config import loads
from contracts.errors import ConfigError
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses
from depot_sim.faults import FaultKind
from site_agent.config.buses import CanSettings, DlmsSettings, MBusSettings
from site_agent.devices.buses import BusSources
from site_agent.devices.points.source import Source
from support.waiting import until

CLOCK = SystemClock()
DEPOT = """
site_id: depot-1
building: {base_w: 12000, swing_w: 0, power_factor: 1}
batteries:
  - {id: bess, kind: sunspec, capacity_wh: 20000, max_charge_w: 4000, max_discharge_w: 3000}
wires:
  - {id: slow, kind: mbus, identification: "12345678"}
  - {id: hall, kind: mbus, of: building, address: 9}
  - {id: tariff, kind: dlms, framing: hdlc, password: "12345678"}
  - {id: cells, kind: can, of: bess, every_s: 0.2}
"""


def nothing() -> None:
    """Nobody is woken."""


@pytest.fixture
def sockets_collected() -> Iterator[None]:
    """pyserial leaves the socket of a lost connection to the garbage collector."""
    yield
    gc.collect()


@asynccontextmanager
async def running(depot: Depot) -> AsyncIterator[DepotAddresses]:
    ready: asyncio.Future[DepotAddresses] = asyncio.Future()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(depot.run(ready.set_result))
        yield await ready
        task.cancel()


def sources(at: DepotAddresses) -> dict[str, Source]:
    bus = BusSources(CLOCK, nothing)
    slow, hall, tariff, cells = (at.wires[name] for name in ("slow", "hall", "tariff", "cells"))

    def mbus(place: tuple[str, int], **address: object) -> MBusSettings:
        where = {"kind": "mbus", "host": place[0], "port": place[1], "period_s": 0.5}
        return MBusSettings.model_validate(where | address)

    return {
        "slow": bus.source("slow", mbus(slow, secondary="12345678")),
        "hall": bus.source("hall", mbus(hall, address=9)),
        "tariff": bus.source(
            "tariff",
            DlmsSettings(
                kind="dlms",
                host=tariff.host,
                port=tariff.port,
                framing="hdlc",
                password="12345678",
                period_s=0.5,
            ),
        ),
        "cells": bus.source(
            "cells",
            CanSettings(
                interface="slcan",
                channel=f"socket://{cells.host}:{cells.port}",
                options={"sleep_after_open": 0.0},
            ),
        ),
    }


@pytest.mark.usefixtures("sockets_collected")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_every_wire_tells_what_the_plant_does() -> None:
    depot = Depot(loads(DEPOT, DepotSettings, name="depot"), CLOCK)
    async with running(depot) as addresses:
        told = sources(addresses)

        def shows(name: str, point: str, value: float) -> bool:
            seen = told[name].board.fresh(point, CLOCK.now())
            return seen is not None and seen == pytest.approx(value, rel=0.01)

        async with asyncio.TaskGroup() as tasks:
            runs = [tasks.create_task(source.run()) for source in told.values()]
            for name in ("slow", "hall", "tariff"):
                await until(lambda name=name: shows(name, "active_power", 12_000))  # type: ignore[misc]
                await until(lambda name=name: shows(name, "current_l1", 18.78))  # type: ignore[misc]
            await until(lambda: shows("cells", "max_charge_power", 4000))
            await until(lambda: shows("cells", "soc", 50))

            depot.fail("cells", FaultKind.DERATED, None, 0.5)
            await until(lambda: shows("cells", "max_charge_power", 2000))
            depot.fail("slow", FaultKind.GARBLED, None)
            await until(lambda: not told["slow"].answers)
            assert told["hall"].answers
            for run in runs:
                run.cancel()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("of: bess", "of: nobody"), "nothing called 'nobody'"),
        (("of: building", "of: nobody"), "nothing called 'nobody'"),
        (("id: slow", "id: bess"), "used twice"),
        (("wires:", "faults: [{at_s: 1, device: cells, kind: kill}]\nwires:"), "not kill"),
    ],
)
def test_a_depot_that_cannot_be(change: tuple[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        loads(DEPOT.replace(*change), DepotSettings, name="depot")
