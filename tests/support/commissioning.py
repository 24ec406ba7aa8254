"""A simulated depot on real sockets in pretended time, and the settings that fit it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.clock import SystemClock
from contracts.config import loads
from contracts.time import Clock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from site_agent.config import SiteSettings
from site_agent.devices.commissioning.check import check
from site_agent.devices.commissioning.verdict import Line
from site_agent.store.memory import MemoryKeyValues, MemorySessions
from support.leaping_clock import leaping_clock

DEPOT = """
site_id: depot
meter: {id: pcc, rated_a: 250}
building: {base_w: 12000, swing_w: 3000}
drift_period_s: 40
batteries:
  - {id: bess, kind: sunspec, capacity_wh: 60000, max_charge_w: 30000, max_discharge_w: 30000}
pv:
  - {id: roof, rated_w: 30000, clearness: 0.7, swing: 0.0}
"""
SITE = """
site_id: site
data: {data}
contract_limit_w: 60000
max_building_w: 15000
circuit: {{limit_a: 100}}
meter: {{host: 127.0.0.1, port: {meter}, {meter_more}}}
batteries:
  - {{id: bess, kind: sunspec, host: 127.0.0.1, port: {bess}, capacity_wh: 60000,
     max_charge_w: 30000, max_discharge_w: 30000, lease_s: 15, {bess_more}}}
pv:
  - {{id: roof, host: 127.0.0.1, port: {roof}, rated_w: 30000, lease_s: 15}}
"""


@dataclass
class Works:
    """A depot, its clock, and the settings of an agent for it."""

    depot: Depot
    clock: Clock
    data: Path
    memory: MemoryKeyValues = field(default_factory=MemoryKeyValues)

    def site(self, meter: str = "timeout_s: 1.0", bess: str = "timeout_s: 1.0") -> SiteSettings:
        return loads(self.text(meter, bess), SiteSettings, name="site")

    def text(self, meter: str = "timeout_s: 1.0", bess: str = "timeout_s: 1.0") -> str:
        where = self.depot.addresses
        return SITE.format(
            data=self.data,
            meter=where.meter.port,
            bess=where.batteries["bess"].port,
            roof=where.pv["roof"].port,
            meter_more=meter,
            bess_more=bess,
        )

    async def lines(
        self, site: SiteSettings, device: str | None = None, *moved: str
    ) -> dict[tuple[str, str], Line]:
        """What a check says, by device and step (the last of each)."""
        found: dict[tuple[str, str], Line] = {}

        def tell(line: Line) -> None:
            found[line.device, line.step] = line

        await check(
            site,
            self.clock,
            MemorySessions(),
            device=device,
            moved=frozenset(moved),
            memory=self.memory,
            tell=tell,
        )
        return found


@asynccontextmanager
async def works(data: Path, text: str = DEPOT) -> AsyncIterator[Works]:
    """The depot lives until the context ends; the test's clock is `leaping`, or the real one."""
    clock = leaping_clock() or SystemClock()
    depot = Depot(loads(text, DepotSettings, name="depot"), clock)
    ready = asyncio.Event()

    def listening(_: Any) -> None:
        ready.set()

    async with asyncio.TaskGroup() as tasks:
        living = tasks.create_task(depot.run(listening))
        await ready.wait()
        try:
            yield Works(depot, clock, data)
        finally:
            living.cancel()
