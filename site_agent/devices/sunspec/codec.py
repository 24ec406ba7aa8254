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
        data = _packed(registers)
        return {name: point.number(data) for name, point in self._points.items()}

    def encode(self, changes: Mapping[str, float], registers: Sequence[int]) -> Block:
        """One block from the first to the last changed point, over the model as it was just read.

        Numbers are cut towards zero to the device's resolution: never more than was asked.

        Raises:
            CapabilityMissingError: a point or its scale factor is not implemented, or the number
                does not fit.
        """
        run = sorted((self._point(name) for name in changes), key=lambda point: point.offset)
        return _block(run, self._changed(changes, registers))

    def runs(self, changes: Mapping[str, float], registers: Sequence[int]) -> list[Block]:
        """As `encode`, but only the points named: there may be read-only ones in between.

        Neighbours are written together; what is named first is written first.
        """
        data = self._changed(changes, registers)
        turns = {name: turn for turn, name in enumerate(changes)}
        runs = _runs(self._point(name) for name in changes)
        runs.sort(key=lambda run: min(turns[point.name] for point in run))
        return [_block(run, data) for run in runs]

    def differs(self, changes: Mapping[str, float], registers: Sequence[int]) -> list[str]:
        """Which of the points do not hold their number yet; raises as `encode`."""
        lost = self.lost(changes, registers, registers)
        return [name for name in changes if name in lost]

    def lost(
        self, changes: Mapping[str, float], before: Sequence[int], after: Sequence[int]
    ) -> frozenset[str]:
        """Which of the points do not read `after` as was written over `before`."""
        written, present = self._changed(changes, before), _packed(after)
        places = {name: self._point(name).place for name in changes}
        return frozenset(n for n, place in places.items() if present[place] != written[place])

    def _changed(self, changes: Mapping[str, float], registers: Sequence[int]) -> bytes:
        """The model with these numbers in it."""
        data = bytearray(_packed(registers))
        for name, number in changes.items():
            point = self._point(name)
            data[point.place] = self._bytes(point, number, bytes(data))
        return bytes(data)

    def _point(self, name: str) -> Point:
        """A point to be written; a device may have had more curves when its name was noted."""
        point = self._points.get(name)
        if point is None:
            raise CapabilityMissingError(f"model {self.model_id}: no {name}")
        return point

    def _bytes(self, point: Point, number: float, data: bytes) -> bytes:
        """The registers of `number`, if the device has the point at all."""
        exponent = point.exponent(data)
        absent = point.raw(data) is None and not point.repeated
        if exponent is None or absent or len(data) < point.place.stop:
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


def _packed(registers: Sequence[int]) -> bytes:
    return struct.pack(f">{len(registers)}H", *registers)


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
