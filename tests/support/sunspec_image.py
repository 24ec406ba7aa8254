"""Register images of SunSpec devices, made from the model definitions."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from sunspec2 import device

MARKER = [0x5375, 0x6E53]
END = [0xFFFF, 0]


def model(model_id: int, **raw: float | str) -> list[int]:
    """One model with its header; values are raw, points not named are "not implemented"."""
    built = device.Model(model_id, data=raw)  # type: ignore[no-untyped-call]  # untyped
    data = built.get_mb()  # type: ignore[no-untyped-call]  # untyped
    return list(struct.unpack(f">{len(data) // 2}H", data))


def common(length: int = 66) -> list[int]:
    """Model 1, with or without its pad register."""
    return [1, length, *model(1, Mn="Acme", Md="One", SN="0001")[2 : 2 + length]]


def vendor(model_id: int = 64999, length: int = 7) -> list[int]:
    """A model nobody has a definition of."""
    return [model_id, length, *range(1, length + 1)]


def image(*models: Sequence[int], base: int = 40000, end: Sequence[int] = END) -> dict[int, int]:
    """A whole device: marker, models, end."""
    words = [*MARKER, *(word for part in models for word in part), *end]
    return dict(enumerate(words, base))


def address_of(registers: Mapping[int, int], model_id: int) -> int:
    """The header of a model in an image whose base is its lowest address."""
    address = min(registers) + 2
    while registers[address] != model_id:
        address += 2 + registers[address + 1]
    return address
