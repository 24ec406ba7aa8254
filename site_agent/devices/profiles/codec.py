"""Registers to numbers and back: pure, and whatever stands in the registers, it never fails."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence

from site_agent.devices.modbus.plan import Span, Table
from site_agent.devices.profiles.schema import (
    WORDS,
    BySign,
    Defaults,
    Register,
    Step,
    TableName,
)

TABLES: Mapping[TableName, Table] = {
    "coil": Table.COILS,
    "discrete": Table.DISCRETE,
    "holding": Table.HOLDING,
    "input": Table.INPUT,
}
_FLOATS = {"float32": ">f", "float64": ">d"}
_MOST = {"float32": 3.4e38, "float64": 1.7e308}
_BEYOND = 1e20
"""More than any integer type holds, and finite."""


def span(register: Register, defaults: Defaults) -> Span:
    """Where it stands."""
    table = TABLES[register.table or defaults.table]
    return Span(table, register.address, WORDS[register.type])


def decode(register: Register, words: Sequence[int], defaults: Defaults) -> float | None:
    """The number in `words` (as many as the type has); None when the device says it has none."""
    data = _bytes(words, register.word_order or defaults.word_order)
    if register.type in _FLOATS:
        (number,) = struct.unpack(_FLOATS[register.type], data)
    else:
        raw = _raw(register, data)
        if raw is None:
            return None
        number = float(raw)
        if register.map is not None:
            if raw not in register.map:
                return register.otherwise
            number = register.map[raw]
    scaled = number * register.scale + register.offset
    return scaled if math.isfinite(scaled) else None


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


def _raw(register: Register, data: bytes) -> int | None:
    signed, size = register.type.startswith("int"), len(data) * 8
    raw = int.from_bytes(data, "big", signed=signed)
    if raw in _invalid(register, signed, size):
        return None
    if register.bits is not None:
        lowest, count = register.bits
        raw = int.from_bytes(data, "big") >> lowest & (1 << count) - 1
    return raw


def _invalid(register: Register, signed: bool, size: int) -> set[int]:
    lowest, highest = _limits(signed, size)
    named = {
        "max": highest if signed else (1 << size - 1) - 1,
        "min": lowest if signed else 1 << size - 1,
        "ones": -1 if signed else highest,
    }
    if register.invalid is not None:
        return {named[one] if isinstance(one, str) else one for one in register.invalid}
    if register.type == "bool":
        return set()
    return {named["max"], named["min"]} if signed else {named["ones"]}


def _limits(signed: bool, size: int) -> tuple[int, int]:
    return (-(1 << size - 1), (1 << size - 1) - 1) if signed else (0, (1 << size) - 1)


def _bytes(words: Sequence[int], order: str) -> bytes:
    ordered = words if order == "big" else words[::-1]
    return struct.pack(f">{len(ordered)}H", *ordered)
