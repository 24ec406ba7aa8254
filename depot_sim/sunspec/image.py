"""The register image of a SunSpec device: models laid end to end from address 40000."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sunspec2.device import Group, Model, Point

BASE_ADDRESS = 40_000
_MARKER = (0x5375, 0x6E53)
_END = (0xFFFF, 0)
_COUNTS = ("NPt", "NCrv", "NCrvSet", "NCtl", "NPrt", "N")
_COARSEST = 10
_COUNTDOWN = "Rem"
"""How points that count a timer down end: they are no measurements."""
_FOLDING, _PORTS, _PORT_COUNT = 714, "Prt.", "NPrt"
"""The model that loses its repeating part at night, as some inverters' does."""
_RANGES = {"int16": (-32_767, 32_767), "uint16": (0, 65_534)}
"""What 16 bits can say besides "not implemented": a meter beyond its range shows its end."""
Value = int | float | str


def scale_for(full_scale: float, most: int = 32_767) -> int:
    """The finest scale factor (-3 at least) in which `full_scale` fits into `most` counts."""
    return next(sf for sf in range(-3, 8) if full_scale <= most * 10.0**sf)


@dataclass(frozen=True, slots=True)
class _Place:
    address: int
    point: Point


class Image:
    """Registers and points of one device.

    `models` maps a model id to the points that stay as they are: first of all its scale factors,
    since values given to `put` are in real units. A point never put is "not implemented". Points of
    groups are named by their path (`PFWInj.PF`, `Crv.2.Pt.1.V`); groups repeat as often as the
    counts among the constants say.
    """

    def __init__(self, models: Mapping[int, Mapping[str, Value]]) -> None:
        self.registers = list(_MARKER)
        self._places: dict[tuple[int, str], _Place] = {}
        self._writable: set[int] = set()
        self._unimplemented: list[int] = list(_MARKER)
        self._values: dict[tuple[int, str], Value] = {}
        self._coarser = 0
        self._folded = range(0)
        for model_id, constants in models.items():
            counts = {name: constants[name] for name in _COUNTS if name in constants}
            self._append(model_id, counts)
            for name in sorted(constants, key=lambda name: not name.endswith("_SF")):
                self.put(model_id, name, constants[name])
        self.registers.extend(_END)
        self._constants = frozenset(self._values)

    def put(self, model_id: int, name: str, value: Value) -> None:
        """Set a point in its real unit, rounded to its resolution, bounded by its range."""
        self._values[model_id, name] = value
        self._set(model_id, name, value)

    def _set(self, model_id: int, name: str, value: Value) -> None:
        point = self._places[model_id, name].point
        if point.sf:
            point.sf_value = None  # pysunspec2 keeps the first one of points that never change
        as_it_is = isinstance(value, str) or point.sf_required or _is_float(point)
        point.cvalue = value if as_it_is else round(float(value))
        if point.pdef["type"] in _RANGES:
            least, most = _RANGES[point.pdef["type"]]
            point.value = max(least, min(most, point.value))
        self._pack(self._places[model_id, name])

    def get(self, model_id: int, name: str) -> float:
        """A numeric point in its real unit; not implemented reads as 0."""
        return float(self._places[model_id, name].point.cvalue or 0)

    def address_of(self, model_id: int, name: str) -> int:
        """The register at which a point begins."""
        return self._places[model_id, name].address

    def names(self, model_id: int, prefix: str = "") -> list[str]:
        """The points of a model whose path begins so; none when it is not here."""
        return [name for of, name in self._places if of == model_id and name.startswith(prefix)]

    def implemented(self, model_id: int, name: str) -> bool:
        """Whether a point says anything."""
        return self._places[model_id, name].point.value is not None

    def lock(self, model_id: int, prefix: str) -> None:
        """Make points whose path begins so read-only."""
        for name in self.names(model_id, prefix):
            place = self._places[model_id, name]
            self._writable.difference_update(range(place.address, place.address + place.point.len))

    def writable(self, address: int, count: int) -> bool:
        """Whether all these registers may be written."""
        return self._writable.issuperset(range(address, address + count))

    def view(self, address: int, count: int, *, blank: bool = False) -> list[int] | None:
        """Registers as a client sees them, None where there are none.

        With `blank`, what has been measured says "not implemented".
        """
        start = address - BASE_ADDRESS
        seen = self.registers.copy() if blank or self._folded else self.registers
        if blank:
            for at in self._measured_registers():
                seen[at] = self._unimplemented[at]
        if self._folded:
            head = self.address_of(_FOLDING, "L") - BASE_ADDRESS
            seen[head] = self._folded.start - head - 1
            seen[self.address_of(_FOLDING, _PORT_COUNT) - BASE_ADDRESS] = 0
            del seen[self._folded.start : self._folded.stop]
        return seen[start : start + count] if 0 <= start <= len(seen) - count else None

    def fold(self, *, folded: bool) -> None:
        """Leave out the repeating part of model 714, or show it again; models behind it move."""
        self._folded = range(0)
        if not folded:
            return
        ports = [self._places[of] for of in self._places if of[0] == _FOLDING and _PORTS in of[1]]
        if ports:
            first = min(place.address for place in ports)
            last = max(place.address + place.point.len for place in ports)
            self._folded = range(first - BASE_ADDRESS, last - BASE_ADDRESS)

    def unfolded(self, address: int) -> int:
        """The register behind one that a client names."""
        behind = self._folded and address - BASE_ADDRESS >= self._folded.start
        return address + len(self._folded) if behind else address

    def coarsen(self, steps: int) -> None:
        """Let all scale factors be so many powers of ten above those at the start."""
        if steps == self._coarser:
            return
        self._coarser = steps
        for (model_id, name), value in self._values.items():
            if name.endswith("_SF") and not isinstance(value, str):
                coarser = max(-_COARSEST, min(_COARSEST, int(value) + steps))
                self._set(model_id, name, coarser)
        for (model_id, name), value in self._values.items():
            if not name.endswith("_SF"):
                self._set(model_id, name, value)

    def _measured_registers(self) -> Iterator[int]:
        for key in self._values.keys() - self._constants:
            place = self._places[key]
            registers = range(place.address, place.address + place.point.len)
            if self._writable.isdisjoint(registers) and not key[1].endswith(_COUNTDOWN):
                yield from (register - BASE_ADDRESS for register in registers)

    def write(self, address: int, values: list[int]) -> None:
        """Take in registers written by a client."""
        offset = address - BASE_ADDRESS
        self.registers[offset : offset + len(values)] = values
        for key, place in self._places.items():
            if place.address < address + len(values) and address < place.address + place.point.len:
                self._unpack(place)
                self._values.pop(key, None)
                if place.point.value is not None:
                    self._values[key] = place.point.cvalue

    def _append(self, model_id: int, counts: Mapping[str, Value]) -> None:
        data: dict[str, object] = dict(counts)
        if "N" in counts:  # model 160 is older than counted groups
            data["module"] = [{}] * int(counts["N"])
        # pysunspec2 has no annotations, here and below.
        model = Model(model_id, data=data)  # type: ignore[no-untyped-call]
        start = BASE_ADDRESS + len(self.registers)
        for name, point in _walk(model):
            place = _Place(start + point.offset, point)
            self._places[model_id, name] = place
            if point.pdef.get("access") == "RW":
                self._writable.update(range(place.address, place.address + point.len))
        words = _words(model.get_mb())  # type: ignore[no-untyped-call]
        self.registers.extend(words)
        self._unimplemented.extend(words)

    def _pack(self, place: _Place) -> None:
        words = _words(place.point.get_mb())  # type: ignore[no-untyped-call]
        offset = place.address - BASE_ADDRESS
        self.registers[offset : offset + len(words)] = words

    def _unpack(self, place: _Place) -> None:
        offset = place.address - BASE_ADDRESS
        words = self.registers[offset : offset + place.point.len]
        data = b"".join(word.to_bytes(2, "big") for word in words)
        place.point.set_mb(data)  # type: ignore[no-untyped-call]


def _is_float(point: Point) -> bool:
    return str(point.pdef["type"]).startswith("float")


def _walk(group: Group, path: str = "") -> Iterator[tuple[str, Point]]:
    for name, point in group.points.items():
        yield path + name, point
    for name, groups in group.groups.items():
        if isinstance(groups, list):
            for number, one in enumerate(groups, start=1):
                yield from _walk(one, f"{path}{name}.{number}.")
        else:
            yield from _walk(groups, f"{path}{name}.")


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
