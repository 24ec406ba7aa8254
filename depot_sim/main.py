"""Run one depot as a program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from contracts.tasks import first_of
from contracts.time import Clock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot, DepotAddresses


async def run(
    config: DepotSettings,
    clock: Clock,
    ready: Callable[[DepotAddresses], None] | None,
    stopping: asyncio.Event,
) -> None:
    """Run a depot until `stopping` is set; `ready` is called once every server listens.

    Raises:
        BaseExceptionGroup: around ConfigError when a port is taken, or any programming error.
    """

    async def stop() -> None:
        await stopping.wait()

    await first_of(Depot(config, clock).run(ready), stop())
