"""Numbers out of the registers of one SunSpec model, and back into them.

pysunspec2 supplies the model definitions; scale factors are resolved here, because
pysunspec2 returns the raw number when a device does not implement one. Without its scale factor a
point does not exist: None when read, refused when written.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contracts.errors import PermanentError
from site_agent.devices.modbus.replies import MAX_WRITE
from site_agent.devices.sunspec.layout import Point, lay_out

Values = Mapping[str, float | None]
"""Numbers of one model by point name, in the unit of its definition; None: not implemented."""


class CapabilityMissingError(PermanentError):
    """The device does not implement a point that is needed."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive registers to be written: offset from the model's header, and words."""

    offset: int
    words: tuple[int, ...]


class ModelCodec:
    """The points of interest of one model; `span` registers from the header hold them all."""

    def __init__(
        self,
        model_id: int,
        names: Iterable[str] | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """`names` None: every point. `counts`: how often groups repeat, by the point that says so.

        Points of groups are named by their path: `PFWInj.PF`, `Crv.2.Pt.1.V`.
        """
        self.model_id = model_id
        found = lay_out(model_id, counts).points
        self._points = found if names is None else {name: found[name] for name in names}
        scales = [p.scale for p in self._points.values() if isinstance(p.scale, Point)]
        self.span = max(point.offset + point.size for point in (*self._points.values(), *scales))

    def decode(self, registers: Sequence[int]) -> dict[str, float | None]:
        """The points' numbers; points beyond the end of `registers` are not implemented."""
        data = struct.pack(f">{len(registers)}H", *registers)
        return {name: point.number(data) for name, point in self._points.items()}

    def encode(self, changes: Mapping[str, float], registers: Sequence[int]) -> Block:
        """One block from the first to the last changed point, over the model as it was just read.

        Numbers are cut towards zero to the device's resolution: never more than was asked.

        Raises:
            CapabilityMissingError: a point or its scale factor is not implemented, or the number
                does not fit.
        """
        data = bytearray(struct.pack(f">{len(registers)}H", *registers))
        points = [self._points[name] for name in changes]
        for point, number in zip(points, changes.values(), strict=True):
            data[point.place] = self._bytes(point, number, bytes(data))
        return _block(sorted(points, key=lambda point: point.offset), bytes(data))

    def runs(self, changes: Mapping[str, float], registers: Sequence[int]) -> list[Block]:
        """As `encode`, but only the points named: there may be read-only ones in between.

        Neighbours are written together; what is named first is written first.
        """
        data = bytearray(struct.pack(f">{len(registers)}H", *registers))
        for name, number in changes.items():
            point = self._points[name]
            data[point.place] = self._bytes(point, number, bytes(data))
        turns = {name: turn for turn, name in enumerate(changes)}
        runs = _runs(self._points[name] for name in changes)
        runs.sort(key=lambda run: min(turns[point.name] for point in run))
        return [_block(run, bytes(data)) for run in runs]

    def differs(self, changes: Mapping[str, float], registers: Sequence[int]) -> list[str]:
        """Which of the points do not hold their number yet; raises as `encode`."""
        data = struct.pack(f">{len(registers)}H", *registers)
        points = {name: self._points[name] for name in changes}
        return [
            name
            for name, point in points.items()
            if data[point.place] != self._bytes(point, changes[name], data)
        ]

    def lost(
        self, changes: Mapping[str, float], before: Sequence[int], after: Sequence[int]
    ) -> frozenset[str]:
        """Which of the points do not read `after` as was written over `before`."""
        past, present = (struct.pack(f">{len(words)}H", *words) for words in (before, after))
        points = {name: self._points[name] for name in changes}
        return frozenset(
            name
            for name, point in points.items()
            if present[point.place] != self._bytes(point, changes[name], past)
        )

    def _bytes(self, point: Point, number: float, data: bytes) -> bytes:
        """The registers of `number`, if the device has the point at all."""
        exponent = point.exponent(data)
        if exponent is None or (point.raw(data) is None and not point.repeated):
            raise CapabilityMissingError(f"model {self.model_id}: no {point.name}")
        form = point.form
        if form is None:
            raise CapabilityMissingError(f"model {self.model_id}: {point.name} is no number")
        raw = math.trunc(round(number / 10.0**exponent, 6)) if form.whole else number
        try:
            encoded = form.packing.pack(raw)
        except (struct.error, OverflowError) as error:
            raise CapabilityMissingError(f"{point.name} cannot be {number}") from error
        if raw == form.absent:
            raise CapabilityMissingError(f"{point.name} cannot be {number}")
        return encoded


def _runs(points: Iterable[Point]) -> list[list[Point]]:
    """Points that follow one another without a gap, as many as one write holds."""
    runs: list[list[Point]] = []
    for point in sorted(points, key=lambda one: one.offset):
        last = runs[-1] if runs else [point]
        joins = last[-1].offset + last[-1].size == point.offset
        if joins and point.offset + point.size - last[0].offset <= MAX_WRITE:
            last.append(point)
        else:
            runs.append([point])
    return runs


def _block(run: list[Point], data: bytes) -> Block:
    first, last = run[0].offset, run[-1].offset + run[-1].size
    return Block(first, struct.unpack(f">{last - first}H", data[2 * first : 2 * last]))
