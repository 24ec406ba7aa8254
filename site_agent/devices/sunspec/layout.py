"""How the points of a model lie in its registers, by the definitions that pysunspec2 carries.

Groups repeat as often as a count point of the model says, or (count 0) until the model ends. What a
device claims is bounded by the room there is: a count of 65535 lays out no more than fits.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

Definition = Mapping[str, Any]
"""A piece of a model definition."""
MAX_SCALE = 10
"""Scale factors go from -10 to 10 (SunSpec Device Information Model Specification, sunssf)."""
_EVERYTHING = 0x10000
_SCALE_TYPE, _PADDING = "sunssf", "pad"


@dataclass(frozen=True, slots=True)
class Form:
    """How a number is packed, and the number that means "not implemented"."""

    packing: struct.Struct
    absent: float | None

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return self.packing.format[-1] not in "fd"


def _forms(letters: Mapping[str, tuple[str, float | None]]) -> Mapping[str, Form]:
    return {
        kind: Form(struct.Struct(f">{letter}"), absent)
        for kind, (letter, absent) in letters.items()
    }


FORMS = _forms({
    "int16": ("h", -(1 << 15)), "sunssf": ("h", -(1 << 15)), "pad": ("H", None),
    "uint16": ("H", 0xFFFF), "count": ("H", 0xFFFF), "acc16": ("H", 0),
    "enum16": ("H", 0xFFFF), "bitfield16": ("H", 0xFFFF),
    "int32": ("i", -(1 << 31)), "uint32": ("I", 0xFFFF_FFFF), "acc32": ("I", 0),
    "enum32": ("I", 0xFFFF_FFFF), "bitfield32": ("I", 0xFFFF_FFFF), "ipaddr": ("I", 0),
    "int64": ("q", -(1 << 63)), "uint64": ("Q", (1 << 64) - 1), "acc64": ("Q", 0),
    "float32": ("f", None), "float64": ("d", None),
})  # fmt: skip
"""Types that are numbers (SunSpec Device Information Model Specification); a NaN is absent too."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where a point lies in its model, its definition, and what scales it (0: nothing)."""

    name: str
    offset: int
    size: int
    definition: Definition
    form: Form | None
    """None: text."""
    scale: Point | int = 0

    @property
    def type(self) -> str:
        """Its SunSpec type, such as `uint16`."""
        return str(self.definition["type"])

    @property
    def repeated(self) -> bool:
        """Whether it belongs to a repeating group."""
        return any(part.isdigit() for part in self.name.split("."))

    @property
    def place(self) -> slice:
        """Its bytes within the model."""
        return slice(2 * self.offset, 2 * (self.offset + self.size))

    def raw(self, data: bytes) -> float | None:
        """The unscaled number, None for the type's "not implemented" and beyond the end."""
        if self.form is None or len(data) < 2 * (self.offset + self.size):
            return None
        number: float = self.form.packing.unpack_from(data, 2 * self.offset)[0]
        return None if number == self.form.absent or math.isnan(number) else number

    def text(self, data: bytes) -> str:
        """A string without its padding, and without what a terminal might obey."""
        text = data[self.place].decode("utf-8", "replace").rstrip("\0 ")
        return "".join(one if one.isprintable() else "?" for one in text)

    def exponent(self, data: bytes) -> int | None:
        """The scale factor in force, None when the device lacks it or names one beyond reason."""
        exponent = self.scale if isinstance(self.scale, int) else self.scale.raw(data)
        return None if exponent is None or abs(exponent) > MAX_SCALE else int(exponent)

    def number(self, data: bytes) -> float | None:
        """The number in the unit of the definition."""
        raw, exponent = self.raw(data), self.exponent(data)
        if raw is None or exponent is None or not math.isfinite(raw):
            return None
        return round(raw * 10.0**exponent, max(0, -exponent)) if exponent else float(raw)


@cache
def definition(model_id: int) -> Definition | None:
    """The definition of a model, None for one that nobody has published."""
    path = files("sunspec2") / "models" / "json" / f"model_{int(model_id)}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


@dataclass(slots=True)
class Layout:
    """The points of a model that end within its room, by path."""

    points: dict[str, Point] = field(default_factory=dict)
    cut: bool = False
    """Whether points other than padding lie beyond the room."""


def lay_out(
    model_id: int, counts: Mapping[str, int] | None = None, room: int | None = None
) -> Layout:
    """Lay the points of a model out in `room` registers from its header.

    Points of groups are named like `PFWInj.PF` or `Crv.2.Pt.1.V`. `counts`: how often groups
    repeat, by the point that says so. Without `room` there are no groups up to the model's end.

    Raises:
        KeyError: there is no such definition.
    """
    defined = definition(model_id)
    if defined is None:
        raise KeyError(model_id)
    walk = _Walk(counts or {}, _EVERYTHING if room is None else room, fill=room is not None)
    walk.group(defined["group"], "", 0, {})
    return walk.layout


def fit(model_id: int, data: bytes) -> Layout:
    """Lay a model out as its own counts and its own length say; raises as `lay_out`."""
    heads = lay_out(model_id).points
    numbers = {name: point.raw(data) for name, point in heads.items()}
    counts = {k: int(v) for k, v in numbers.items() if v is not None and math.isfinite(v)}
    return lay_out(model_id, counts, len(data) // 2)


@dataclass(slots=True)
class _Walk:
    counts: Mapping[str, int]
    room: int
    fill: bool
    layout: Layout = field(default_factory=Layout)

    def group(self, group: Definition, path: str, offset: int, scales: Mapping[str, Point]) -> int:
        """Lay out one group; returns where it ends."""
        places = []
        for one in group["points"]:
            places.append((one, offset))
            offset += int(one["size"])
        known = dict(scales)
        for one, at in places:
            if one["type"] == _SCALE_TYPE:
                known[one["name"]] = Point(path + one["name"], at, 1, one, FORMS[_SCALE_TYPE])
        for one, at in places:
            form, scale = FORMS.get(one["type"]), _scale(one, known)
            point = Point(path + one["name"], at, int(one["size"]), one, form, scale)
            if at + point.size <= self.room:
                self.layout.points[point.name] = point
            elif point.type != _PADDING:
                self.layout.cut = True
        for inner in group.get("groups", ()):
            offset = self._inner(inner, path + inner["name"], offset, known)
        return offset

    def _inner(self, group: Definition, path: str, offset: int, scales: Mapping[str, Point]) -> int:
        if group.get("count") is None:
            return self.group(group, f"{path}.", offset, scales)
        for number in range(1, self._times(group["count"]) + 1):
            if offset >= self.room:
                self.layout.cut = self.layout.cut or group["count"] != 0
                break
            offset = self.group(group, f"{path}.{number}.", offset, scales)
        return offset

    def _times(self, count: str | int) -> int:
        if isinstance(count, str):
            return self.counts.get(count, 0)
        return count or (self.room if self.fill else 0)


def _scale(point: Definition, scales: Mapping[str, Point]) -> Point | int:
    factor = point.get("sf")
    if factor is None or isinstance(factor, int):
        return factor or 0
    return scales[factor]
