"""Reads spans of a device in few requests, and gets along with registers it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from contracts.time import Clock
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.modbus.plan import Span, Table, plan
from site_agent.devices.modbus.replies import ModbusRefusedError
from site_agent.devices.profiles.schema import Transport

ASK_AGAIN_S = 600.0
"""A refused register is asked for again after this: devices learn new ones by updates."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A span of one unit."""

    unit: int
    span: Span


class Blocks:
    """Reads places of one device; what the device refuses is left out for a while."""

    def __init__(self, link: RegisterLink, transport: Transport, clock: Clock) -> None:
        self._link = link
        self._transport = transport
        self._clock = clock
        self._refused: dict[Place, float] = {}

    async def read(
        self, places: Iterable[Place], priority: Priority
    ) -> Mapping[Place, Sequence[int]]:
        """The words of every place that the device does not refuse; raises as `RegisterLink`."""
        now_s = self._clock.monotonic()
        wanted = {one for one in places if now_s >= self._refused.get(one, now_s)}
        found: dict[Place, Sequence[int]] = {}
        for unit in sorted({place.unit for place in wanted}):
            mine = [place for place in wanted if place.unit == unit]
            spans = [place.span for place in mine]
            transport = self._transport
            for block in plan(spans, gap=transport.gap, max_block=transport.max_block):
                parts = [place for place in mine if block.covers(place.span)]
                found.update(await self._block(unit, block, parts, priority))
        return found

    async def _block(
        self, unit: int, block: Span, parts: Sequence[Place], priority: Priority
    ) -> dict[Place, Sequence[int]]:
        try:
            words = await self._words(unit, block, priority)
        except ModbusRefusedError as refusal:
            return await self._singly(unit, parts, priority, refusal)
        return {
            place: words[place.span.address - block.address : place.span.end - block.address]
            for place in parts
        }

    async def _singly(
        self, unit: int, parts: Sequence[Place], priority: Priority, refusal: ModbusRefusedError
    ) -> dict[Place, Sequence[int]]:
        """One place after another, to find which is refused."""
        if len(parts) == 1:
            self._refused[parts[0]] = self._clock.monotonic() + ASK_AGAIN_S
            _log.warning("registers refused", unit=unit, why=str(refusal))
            return {}
        found: dict[Place, Sequence[int]] = {}
        for place in parts:
            found.update(await self._block(unit, place.span, [place], priority))
        return found

    async def _words(self, unit: int, span: Span, priority: Priority) -> Sequence[int]:
        reads = {
            Table.COILS: self._link.read_coils,
            Table.DISCRETE: self._link.read_discrete,
            Table.HOLDING: self._link.read_holding,
            Table.INPUT: self._link.read_input,
        }
        return await reads[span.table](unit, span.address, span.count, priority=priority)
