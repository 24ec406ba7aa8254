"""Registers to numbers and back: pure, and whatever stands in the registers, it never fails."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from math import isfinite
from struct import Struct

from site_agent.devices.modbus.plan import Span, Table
from site_agent.devices.profiles.schema import (
    WORDS,
    BySign,
    Defaults,
    Register,
    Step,
    TableName,
    TypeName,
)

TABLES: Mapping[TableName, Table] = {
    "coil": Table.COILS,
    "discrete": Table.DISCRETE,
    "holding": Table.HOLDING,
    "input": Table.INPUT,
}
_FLOATS = {"float32": ">f", "float64": ">d"}
_FORMS: Mapping[TypeName, str] = {
    "bool": ">H",
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}
_MOST = {"float32": 3.4e38, "float64": 1.7e308}
_BEYOND = 1e20
"""More than any integer type holds, and finite."""


def span(register: Register, defaults: Defaults) -> Span:
    """Where it stands."""
    table = TABLES[register.table or defaults.table]
    return Span(table, register.address, WORDS[register.type])


class Decoder:
    """Turns the words of one register into its number, again and again."""

    def __init__(self, register: Register, defaults: Defaults) -> None:
        self._register = register
        self._reverse = (register.word_order or defaults.word_order) == "little"
        self._pack = Struct(f">{WORDS[register.type]}H").pack
        self._unpack = Struct(_FORMS[register.type]).unpack
        self._invalid = _invalid(register)
        self._plain = register.bits is None and register.map is None
        self._scale, self._offset = register.scale, register.offset

    def read(self, words: Sequence[int]) -> float | None:
        """The number in `words` (as many as the type has); None: the device says it has none."""
        (raw,) = self._unpack(self._pack(*(words[::-1] if self._reverse else words)))
        if raw in self._invalid:
            return None
        number = raw if self._plain else self._meant(raw)
        if number is None:
            return self._register.otherwise
        scaled = number * self._scale + self._offset
        return float(scaled) if isfinite(scaled) else None

    def _meant(self, raw: int) -> float | None:
        register = self._register
        if register.bits is not None:
            lowest, count = register.bits
            raw = raw >> lowest & (1 << count) - 1
        return raw if register.map is None else register.map.get(raw)


def decode(register: Register, words: Sequence[int], defaults: Defaults) -> float | None:
    """As `Decoder`, once."""
    return Decoder(register, defaults).read(words)


def encode(step: Step, number: float, defaults: Defaults) -> tuple[int, ...]:
    """The words that say `number`, cut to the step's range and to what its type can hold."""
    if step.range is not None:
        number = min(max(number, step.range[0]), step.range[1])
    unscaled = (number - step.offset) / step.scale
    if step.type == "bool":
        return (int(bool(unscaled)),)
    if step.type in _FLOATS:
        most = _MOST[step.type]
        data = struct.pack(_FLOATS[step.type], min(max(unscaled, -most), most))
    else:
        signed, width = step.type.startswith("int"), WORDS[step.type] * 2
        lowest, highest = _limits(signed, width * 8)
        whole = round(min(max(unscaled, -_BEYOND), _BEYOND))
        data = min(max(whole, lowest), highest).to_bytes(width, "big", signed=signed)
    words = struct.unpack(f">{len(data) // 2}H", data)
    return words if (step.word_order or defaults.word_order) == "big" else words[::-1]


def as_register(step: Step) -> Register:
    """Where and how a step's number is read back; every value counts."""
    return Register(
        address=step.address,
        type=step.type,
        table=step.table,
        word_order=step.word_order,
        unit_id=step.unit_id,
        invalid=None if step.type.startswith("float") else (),
        scale=step.scale,
        offset=step.offset,
    )


def by_sign(numbers: BySign, value: float) -> float:
    """The number for a setpoint of this sign."""
    if value == 0:
        return numbers.zero
    return numbers.positive if value > 0 else numbers.negative


def _invalid(register: Register) -> frozenset[int]:
    if register.type in _FLOATS:
        return frozenset()
    signed, size = register.type.startswith("int"), WORDS[register.type] * 16
    lowest, highest = _limits(signed, size)
    named = {
        "max": highest if signed else (1 << size - 1) - 1,
        "min": lowest if signed else 1 << size - 1,
        "ones": -1 if signed else highest,
    }
    if register.invalid is not None:
        listed = register.invalid
        return frozenset(named[one] if isinstance(one, str) else one for one in listed)
    if register.type == "bool":
        return frozenset()
    return frozenset({named["max"], named["min"]} if signed else {named["ones"]})


def _limits(signed: bool, size: int) -> tuple[int, int]:
    return (-(1 << size - 1), (1 << size - 1) - 1) if signed else (0, (1 << size) - 1)
