"""A register link that cannot write, and that remembers what it has read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from contracts.errors import PermanentError
from contracts.time import Clock
from site_agent.devices.commissioning.capture import Function, Recorder
from site_agent.devices.modbus.link import LinkSettings, Priority, RegisterLink
from site_agent.devices.modbus.replies import ModbusRefusedError

W = TypeVar("W", int, bool)


class ReadOnlyLink(RegisterLink):
    """Whatever is built on it cannot change a device: every write raises PermanentError.

    `recorder`, where given, takes down every register that comes and every refusal.
    """

    def __init__(
        self, settings: LinkSettings, clock: Clock, recorder: Recorder | None = None
    ) -> None:
        super().__init__(settings, clock)
        self._recorder = recorder

    async def read_holding(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[int, ...]:
        """As its parent, and taken down."""
        reading = super().read_holding(unit, address, count, priority=priority)
        return await self._noted(unit, 3, address, count, reading)

    async def read_input(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[int, ...]:
        """As its parent, and taken down."""
        reading = super().read_input(unit, address, count, priority=priority)
        return await self._noted(unit, 4, address, count, reading)

    async def read_coils(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[bool, ...]:
        """As its parent, and taken down."""
        reading = super().read_coils(unit, address, count, priority=priority)
        return await self._noted(unit, 1, address, count, reading)

    async def read_discrete(
        self, unit: int, address: int, count: int, *, priority: Priority = Priority.SLOW
    ) -> tuple[bool, ...]:
        """As its parent, and taken down."""
        reading = super().read_discrete(unit, address, count, priority=priority)
        return await self._noted(unit, 2, address, count, reading)

    async def write_registers(
        self,
        unit: int,
        address: int,
        values: Sequence[int],
        *,
        priority: Priority = Priority.CONTROL,
    ) -> None:
        """Never."""
        raise _never()

    async def write_register(
        self, unit: int, address: int, value: int, *, priority: Priority = Priority.CONTROL
    ) -> None:
        """Never."""
        raise _never()

    async def write_coil(
        self, unit: int, address: int, on: bool, *, priority: Priority = Priority.CONTROL
    ) -> None:
        """Never."""
        raise _never()

    async def _noted(
        self,
        unit: int,
        function: Function,
        address: int,
        count: int,
        reading: Awaitable[tuple[W, ...]],
    ) -> tuple[W, ...]:
        try:
            words = await reading
        except ModbusRefusedError as refusal:
            if self._recorder is not None:
                self._recorder.refused(unit, function, address, count, refusal.code)
            raise
        if self._recorder is not None:
            self._recorder.read(unit, function, address, words)
        return words


@asynccontextmanager
async def running(link: RegisterLink) -> AsyncIterator[None]:
    """Let a link talk until the context ends."""
    async with asyncio.TaskGroup() as tasks:
        talking = tasks.create_task(link.run())
        try:
            yield
        finally:
            talking.cancel()


def _never() -> PermanentError:
    return PermanentError("this link only reads")
