"""Reads a set of registers in few requests, and gets along with those a device refuses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from contracts.time import Clock
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.modbus.plan import Span, plan
from site_agent.devices.modbus.replies import ModbusRefusedError
from site_agent.devices.profiles.codec import Decoder, span
from site_agent.devices.profiles.schema import Profile, Register

ASK_AGAIN_S = 600.0
"""A refused register is asked for again after this: devices learn new ones by updates."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Wanted:
    key: int
    unit: int
    span: Span
    decoder: Decoder


@dataclass(frozen=True, slots=True)
class _Block:
    unit: int
    span: Span
    parts: Sequence[_Wanted]


class Reader:
    """Registers of one device; planned once, and anew when some are refused."""

    def __init__(
        self,
        profile: Profile,
        link: RegisterLink,
        unit_id: int,
        registers: Iterable[Register],
        clock: Clock,
    ) -> None:
        self._link = link
        self._transport = profile.transport
        self._clock = clock
        self._registers = list(registers)  # kept, so that their ids stay theirs
        self._wanted = [
            _Wanted(
                id(register),
                unit_id if register.unit_id is None else register.unit_id,
                span(register, profile.defaults),
                Decoder(register, profile.defaults),
            )
            for register in self._registers
        ]
        self._refused: dict[tuple[int, Span], float] = {}
        self._caution = 0
        """1: nothing unwanted is read, 2: nor anything together."""
        self._blocks: list[_Block] = []
        self._planned_until_s = -math.inf

    async def read(self, priority: Priority) -> Mapping[int, float | None]:
        """What each says now, by its `id()`; None where it says nothing, or is refused.

        Raises as `RegisterLink`, but for refusals.
        """
        if self._clock.monotonic() >= self._planned_until_s:
            self._plan()
        numbers: dict[int, float | None] = {one.key: None for one in self._wanted}
        for block in self._blocks:
            await self._read(block, priority, numbers)
        return numbers

    def _plan(self) -> None:
        now_s = self._clock.monotonic()
        self._refused = {place: until for place, until in self._refused.items() if until > now_s}
        self._planned_until_s = min(self._refused.values(), default=math.inf)
        wanted = [one for one in self._wanted if (one.unit, one.span) not in self._refused]
        self._blocks = []
        for unit in sorted({one.unit for one in wanted}):
            mine = [one for one in wanted if one.unit == unit]
            for block in self._joined({one.span for one in mine}):
                parts = [one for one in mine if block.covers(one.span)]
                self._blocks.append(_Block(unit, block, parts))

    def _joined(self, spans: Iterable[Span]) -> Iterable[Span]:
        if self._caution > 1:
            return sorted(spans)
        gap = 0 if self._caution else self._transport.gap
        return plan(spans, gap=gap, max_block=self._transport.max_block)

    async def _read(
        self, block: _Block, priority: Priority, numbers: dict[int, float | None]
    ) -> None:
        try:
            words = await self._link.read(block.unit, block.span, priority=priority)
        except ModbusRefusedError as refusal:
            await self._refuse(block, priority, numbers, refusal)
            return
        first = block.span.address
        for one in block.parts:
            begin = one.span.address - first
            numbers[one.key] = one.decoder.read(words[begin : begin + one.span.count])

    async def _refuse(
        self,
        block: _Block,
        priority: Priority,
        numbers: dict[int, float | None],
        refusal: ModbusRefusedError,
    ) -> None:
        """Ask for one after another, to find which is refused; that one is left out for a while.

        If none is, the device does not like them together.
        """
        spans = {one.span for one in block.parts}
        if spans == {block.span}:
            self._refused[block.unit, block.span] = self._clock.monotonic() + ASK_AGAIN_S
            self._planned_until_s = -math.inf
            _log.warning("registers refused", unit=block.unit, why=str(refusal))
            return
        before = len(self._refused)
        for single in sorted(spans):
            parts = [one for one in block.parts if one.span == single]
            await self._read(_Block(block.unit, single, parts), priority, numbers)
        if len(self._refused) == before:
            self._caution += 1
        self._planned_until_s = -math.inf
