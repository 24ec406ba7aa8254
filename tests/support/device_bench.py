"""One of our device adapters, running on real sockets in fast time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from contracts.time import Clock
from site_agent.devices.modbus.link import RegisterLink
from site_agent.ports import Device, Wake
from support.fast_clock import FastClock
from support.modbus_link import linked

D = TypeVar("D", bound=Device)


@dataclass
class Wakes:
    """Counts how often the control loop would have been woken."""

    count: int = 0

    def __call__(self) -> None:
        self.count += 1


@dataclass
class Bench:
    """What a device is given, and the life around it."""

    clock: FastClock = field(default_factory=lambda: FastClock(20.0))
    wakes: Wakes = field(default_factory=Wakes)

    @asynccontextmanager
    async def running(
        self, port: int, make: Callable[[RegisterLink, Clock, Wake], D]
    ) -> AsyncIterator[D]:
        """The device on a link to 127.0.0.1, polling until the context ends."""
        async with linked(port, timeout_s=0.3, clock=self.clock) as link:
            device = make(link, self.clock, self.wakes)
            async with asyncio.TaskGroup() as tasks:
                polling = tasks.create_task(device.run())
                try:
                    yield device
                finally:
                    polling.cancel()
