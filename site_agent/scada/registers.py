"""What the site's registers hold now; every number with its quality and age, or none at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from contracts.reading import Quality
from contracts.time import Clock
from site_agent.domain.policy import ControlPolicy
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.report.telemetry import measurements
from site_agent.scada.limits import LimitRegisters, OutsideError
from site_agent.scada.map import (
    EXPORT_LIMIT_W,
    IDENTITY,
    LIMITS,
    MEASUREMENTS,
    NO_VALUE,
    NO_WORD,
    QUALITIES,
    SPOTS,
    STATE,
    VERSION,
)

_TOO_OLD = timedelta(seconds=10)
"""A control cycle this old says nothing about now."""
_MOST = 0x7FFF_FFFF


class SiteRegisters:
    """The map of `scada.map` over the newest control cycle."""

    def __init__(
        self,
        latest: Callable[[], Cycle | None],
        limits: LimitRegisters | None,
        clock: Clock,
        policy: ControlPolicy,
    ) -> None:
        self._latest = latest
        self._limits = limits
        self._clock = clock
        self._policy = policy
        self._seen: Cycle | None = None
        self._count = 0
        self._values: tuple[tuple[int, Quality], ...] = ()

    @property
    def writable(self) -> bool:
        """Whether there are limits to be written."""
        return self._limits is not None

    def read(self, address: int, count: int) -> tuple[int, ...]:
        """Registers of one block.

        Raises:
            OutsideError: some of them do not exist.
        """
        for start, words in self._blocks():
            if start <= address and address + count <= start + len(words):
                return tuple(words[address - start :][:count])
        raise OutsideError

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write limits; raises as `LimitRegisters.write`."""
        if self._limits is None:
            raise OutsideError
        self._limits.write(address, words)

    def _blocks(self) -> list[tuple[int, Sequence[int]]]:
        now = self._clock.now()
        self._look()
        blocks: list[tuple[int, Sequence[int]]] = [
            (IDENTITY, self._identity(now)),
            (MEASUREMENTS, self._measurements(now)),
        ]
        if self._limits is not None:
            blocks += [(LIMITS, self._limits.words), (STATE, self._limits.state())]
        return blocks

    def _look(self) -> None:
        """Take over a new control cycle."""
        cycle = self._latest()
        if cycle is not None and cycle is not self._seen:
            self._seen, self._count = cycle, (self._count + 1) % 0x10000
            self._values = _values(cycle, self._policy)

    def _identity(self, now: datetime) -> list[int]:
        at = None if self._seen is None else self._seen.snapshot.at
        instant = 0 if at is None else int(at.timestamp())
        return [VERSION, self._count, _age(at, now), int(self.writable), *_two(instant)]

    def _measurements(self, now: datetime) -> list[int]:
        at = None if self._seen is None else self._seen.snapshot.at
        if at is None or now - at > _TOO_OLD:
            return [*_two(NO_VALUE), QUALITIES[Quality.OFFLINE], NO_WORD] * len(SPOTS)
        age = _age(at, now)
        return [
            word
            for number, quality in self._values
            for word in (
                *_two(number),
                QUALITIES[quality],
                NO_WORD if number == NO_VALUE else age,
            )
        ]


def _values(cycle: Cycle, policy: ControlPolicy) -> tuple[tuple[int, Quality], ...]:
    """Number and quality of every spot."""
    known = {row.point: (row.value, row.quality) for row in measurements(cycle, policy)}
    export = cycle.decision.envelope.export_w
    if export is not None:
        known[EXPORT_LIMIT_W] = (export.value, Quality.GOOD)
    return tuple(
        _number(*known.get(spot.point, (None, Quality.OFFLINE)), spot.scale) for spot in SPOTS
    )


def _number(value: float | None, quality: Quality, scale: float) -> tuple[int, Quality]:
    if value is None:
        return NO_VALUE, quality
    number = round(value * scale)
    if abs(number) > _MOST:
        return NO_VALUE, Quality.INVALID
    return number & 0xFFFF_FFFF, quality


def _age(at: datetime | None, now: datetime) -> int:
    if at is None:
        return NO_WORD
    return min(NO_WORD - 1, max(0, int((now - at).total_seconds())))


def _two(number: int) -> tuple[int, int]:
    return number >> 16 & 0xFFFF, number & 0xFFFF
