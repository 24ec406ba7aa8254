"""One SunSpec device on a register link: finds its models, reads them, changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from contracts.errors import LinkDownError, ProtocolError, TransientError
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.modbus.replies import MAX_READ, ModbusRefusedError
from site_agent.devices.sunspec.codec import Block, CapabilityMissingError, ModelCodec, Values
from site_agent.devices.sunspec.discovery import BASES, Place, discover, find, more_follow

_log = structlog.get_logger(__name__)

_READS_A_LOOK = 100
"""After so many reads the end of the list is looked at again."""

Codecs = Mapping[int, ModelCodec]
"""Models that serve one purpose, by id, the preferred one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One model as it was read."""

    model_id: int
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A model after a change: what it says now, and which of the changes it did not keep."""

    values: Values
    refused: frozenset[str]


def require_kept(lost: frozenset[str]) -> None:
    """Take a setpoint as set only if nothing of it was lost.

    Raises:
        TransientError: the device confirmed the write and shows another number.
    """
    if lost:
        raise TransientError(f"the device did not keep {', '.join(sorted(lost))}")


class SunSpecUnit:
    """The models of one unit behind a link.

    Reads always begin at a model's header, so a model that moved or changed its length is seen
    before its registers are believed; the device is then searched anew.
    """

    def __init__(self, link: RegisterLink, unit: int) -> None:
        self._link = link
        self._unit = unit
        self._places: tuple[Place, ...] | None = None
        self._bases = BASES
        self._piecewise: set[int] = set()
        self._reads = 0

    async def models(self) -> tuple[Place, ...]:
        """Every model of the device in its order, known to us or not.

        Raises:
            ProtocolError: not a SunSpec device, or a list that makes no sense.
            TransientError: no answer.
        """
        if self._places is None:
            self._places = await self._search()
            models = [place.model_id for place in self._places]
            _log.info("sunspec device found", unit=self._unit, models=models)
        return self._places

    async def has(self, codecs: Codecs) -> bool:
        """Whether the device has any of the models; raises as `read`."""
        return find(await self.models(), codecs) is not None

    async def implements(self, codecs: Codecs, names: Sequence[str]) -> bool:
        """Whether the device has one of the models with all of these points; raises as `read`."""
        if not await self.has(codecs):
            return False
        values = (await self.read(codecs, Priority.CONTROL)).values
        return all(values[name] is not None for name in names)

    async def read(self, codecs: Codecs, priority: Priority) -> Read:
        """The first of the models that the device has.

        Raises:
            CapabilityMissingError: it has none of them.
            ProtocolError: not a SunSpec device, or not laid out as it was a moment ago.
            TransientError: no answer.
        """
        self._reads += 1
        if self._reads % _READS_A_LOOK == 0:
            await self._look_behind_the_last()
        place, codec = await self._locate(codecs)
        registers = await self.registers(place, codec.span, priority)
        return Read(model_id=place.model_id, values=codec.decode(registers))

    async def change(
        self,
        codecs: Codecs,
        changes: Callable[[Read], Mapping[str, float]],
        priority: Priority = Priority.CONTROL,
    ) -> Written:
        """Read the model, write what `changes` makes of it in one FC16, and read it back.

        Registers in between are written as they were read. A device that refuses them (they may be
        read-only, or "not implemented") gets the named points alone, in their order.

        Raises:
            CapabilityMissingError: a point to be written is not implemented; nothing is written.
            ModbusRefusedError: the device refuses the write.
            TransientError, ProtocolError: as `read`; what the device holds is then unknown.
        """
        place, codec = await self._locate(codecs)
        before = await self.registers(place, codec.span, priority)
        wanted = changes(Read(model_id=place.model_id, values=codec.decode(before)))
        await self._write_whole(place, codec, wanted, before, priority)
        after = await self.registers(place, codec.span, priority)
        return Written(values=codec.decode(after), refused=codec.lost(wanted, before, after))

    async def poke(
        self, codecs: Codecs, changes: Callable[[Read], Mapping[str, float]], priority: Priority
    ) -> Read:
        """As `change`, but not read back: for counters, which the next look shows anyway.

        Returns what was there before; raises as `change`.
        """
        place, codec = await self._locate(codecs)
        registers = await self.registers(place, codec.span, priority)
        before = Read(model_id=place.model_id, values=codec.decode(registers))
        await self._write(place, codec.runs(changes(before), registers), priority)
        return before

    async def length(self, codecs: Codecs) -> int:
        """Registers of the first of the models, its header included; raises as `read`."""
        return (await self._locate(codecs))[0].length + 2

    async def differs(
        self, codecs: Codecs, numbers: Mapping[str, float], priority: Priority
    ) -> list[str]:
        """Which points do not hold these numbers, in its resolution; raises as `change`."""
        place, codec = await self._locate(codecs)
        return codec.differs(numbers, await self.registers(place, codec.span, priority))

    async def put(
        self, codecs: Codecs, numbers: Mapping[str, float], priority: Priority
    ) -> frozenset[str]:
        """Write these points alone, in few runs of registers; returns those it did not keep.

        Raises: as `change`; some runs may then be written.
        """
        place, codec = await self._locate(codecs)
        before = await self.registers(place, codec.span, priority)
        await self._write(place, codec.runs(numbers, before), priority)
        after = await self.registers(place, codec.span, priority)
        return codec.lost(numbers, before, after)

    async def _write_whole(
        self,
        place: Place,
        codec: ModelCodec,
        numbers: Mapping[str, float],
        before: Sequence[int],
        priority: Priority,
    ) -> None:
        block, runs = codec.encode(numbers, before), codec.runs(numbers, before)
        if place.model_id in self._piecewise:
            await self._write(place, runs, priority)
            return
        try:
            await self._write(place, [block], priority)
        except ModbusRefusedError:
            if len(runs) == 1:
                raise
            await self._write(place, runs, priority)
            self._piecewise.add(place.model_id)
            _log.info("sunspec model written in pieces", unit=self._unit, model=place.model_id)

    async def _write(self, place: Place, blocks: Iterable[Block], priority: Priority) -> None:
        for block in blocks:
            address = place.address + block.offset
            await self._link.write_registers(self._unit, address, block.words, priority=priority)

    async def _locate(self, codecs: Codecs) -> tuple[Place, ModelCodec]:
        place = find(await self.models(), codecs)
        if place is None:
            self._places = None  # perhaps it was still starting up
            raise CapabilityMissingError(f"none of the models {', '.join(map(str, codecs))}")
        return place, codecs[place.model_id]

    async def registers(self, place: Place, count: int, priority: Priority) -> tuple[int, ...]:
        """The first `count` registers of a model from its header, as far as it goes.

        Raises:
            ProtocolError: it is not where it was; the device is searched anew at the next chance.
            TransientError: no answer.
        """
        count = min(count, place.length + 2)
        registers: tuple[int, ...] = ()
        try:
            while len(registers) < count:
                part = min(count - len(registers), MAX_READ)
                address = place.address + len(registers)
                registers += await self._link.read_holding(
                    self._unit, address, part, priority=priority
                )
        except ModbusRefusedError as error:
            self._places = None
            raise ProtocolError(f"model {place.model_id} has gone: {error}") from error
        if registers[:2] != (place.model_id, place.length):
            self._places = None
            raise ProtocolError(f"model {place.model_id} is not where it was")
        return registers

    async def _look_behind_the_last(self) -> None:
        """A device that was still starting up may have more models by now."""
        if self._places and await more_follow(self._read_slowly, self._places[-1]):
            self._places = None

    async def _search(self) -> tuple[Place, ...]:
        """Some devices are silent where they have no registers: search elsewhere next time."""
        try:
            return await discover(self._read_slowly, self._bases)
        except LinkDownError:
            raise
        except TransientError:
            self._bases = (*self._bases[1:], self._bases[0])
            raise

    async def _read_slowly(self, address: int, count: int) -> tuple[int, ...]:
        return await self._link.read_holding(self._unit, address, count, priority=Priority.SLOW)
