"""Requests of the Modbus Application Protocol V1.1b3, answered by a unit: pure, no sockets.

Functions 1 to 6, 15, 16 and 23. Whatever a client sends, the outcome is an answer or an exception
answer; nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
BUSY = 6
GATEWAY_TARGET_SILENT = 0x0B
_MOST_READ, _MOST_BITS = 125, 2000
_MOST_WRITTEN, _MOST_BITS_WRITTEN, _MOST_WRITTEN_WITH_READ = 123, 1968, 121
_EXCEPTION = 0x80
_ON, _OFF = 0xFF00, 0x0000
_ADDRESSES = 0x10000


class Table(StrEnum):
    """The four tables of a unit, clause 4.3."""

    COILS = "coils"
    DISCRETE_INPUTS = "discrete inputs"
    HOLDING = "holding registers"
    INPUT = "input registers"


class RefusedError(Exception):
    """A unit says no; `code` is the exception code, clause 7."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code}")
        self.code = code


class Unit(Protocol):
    """What answers behind a unit number. Extents are within 0..65535 and within one request."""

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        """Registers (0..65535) or bits (0, 1).

        Raises:
            RefusedError: not here.
        """
        ...

    def write(self, table: Table, address: int, values: Sequence[int]) -> None:
        """Take registers or bits; `table` is COILS or HOLDING.

        Raises:
            RefusedError: not here, or not these values.
        """
        ...


def answer(unit: Unit, request: bytes) -> bytes:
    """The PDU that answers this one (at least one byte)."""
    function = request[0]
    handle = _FUNCTIONS.get(function)
    if handle is None:
        return refuse(function, ILLEGAL_FUNCTION)
    try:
        return bytes([function]) + handle(unit, request[1:])
    except RefusedError as refusal:
        return refuse(function, refusal.code)


def refuse(function: int, code: int) -> bytes:
    """An exception answer, clause 7."""
    return bytes([function | _EXCEPTION, code])


def _read_registers(table: Table) -> Callable[[Unit, bytes], bytes]:
    def handle(unit: Unit, body: bytes) -> bytes:
        address, count = _extent(body, 4, _MOST_READ)
        return _with_length(_packed(unit.read(table, address, count)))

    return handle


def _read_bits(table: Table) -> Callable[[Unit, bytes], bytes]:
    def handle(unit: Unit, body: bytes) -> bytes:
        address, count = _extent(body, 4, _MOST_BITS)
        packed = sum(
            bool(bit) << place for place, bit in enumerate(unit.read(table, address, count))
        )
        return _with_length(packed.to_bytes((count + 7) // 8, "little"))

    return handle


def _write_coil(unit: Unit, body: bytes) -> bytes:
    address, value = _two(body, 4)
    if value not in {_ON, _OFF}:
        raise RefusedError(ILLEGAL_VALUE)
    unit.write(Table.COILS, address, [int(value == _ON)])
    return body


def _write_register(unit: Unit, body: bytes) -> bytes:
    address, value = _two(body, 4)
    unit.write(Table.HOLDING, address, [value])
    return body


def _write_coils(unit: Unit, body: bytes) -> bytes:
    address, count = _extent(body, None, _MOST_BITS_WRITTEN)
    data = _data(body[4:], (count + 7) // 8)
    bits = int.from_bytes(data, "little")
    unit.write(Table.COILS, address, [bits >> place & 1 for place in range(count)])
    return body[:4]


def _write_registers(unit: Unit, body: bytes) -> bytes:
    address, count = _extent(body, None, _MOST_WRITTEN)
    unit.write(Table.HOLDING, address, _words(_data(body[4:], 2 * count)))
    return body[:4]


def _read_and_write(unit: Unit, body: bytes) -> bytes:
    address, count = _extent(body, None, _MOST_READ)
    to, written = _extent(body[4:], None, _MOST_WRITTEN_WITH_READ)
    unit.write(Table.HOLDING, to, _words(_data(body[8:], 2 * written)))
    return _with_length(_packed(unit.read(Table.HOLDING, address, count)))


_FUNCTIONS: Mapping[int, Callable[[Unit, bytes], bytes]] = {
    1: _read_bits(Table.COILS),
    2: _read_bits(Table.DISCRETE_INPUTS),
    3: _read_registers(Table.HOLDING),
    4: _read_registers(Table.INPUT),
    5: _write_coil,
    6: _write_register,
    15: _write_coils,
    16: _write_registers,
    23: _read_and_write,
}


def _two(body: bytes, length: int | None) -> tuple[int, int]:
    """The first two words of a body of this length (None: of any)."""
    if len(body) < 4 or (length is not None and len(body) != length):  # noqa: PLR2004 - two words
        raise RefusedError(ILLEGAL_VALUE)
    return int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")


def _extent(body: bytes, length: int | None, most: int) -> tuple[int, int]:
    address, count = _two(body, length)
    if not 1 <= count <= most:
        raise RefusedError(ILLEGAL_VALUE)
    if address + count > _ADDRESSES:
        raise RefusedError(ILLEGAL_ADDRESS)
    return address, count


def _data(rest: bytes, size: int) -> bytes:
    """What follows a byte count, which must be right."""
    if len(rest) != size + 1 or rest[0] != size:
        raise RefusedError(ILLEGAL_VALUE)
    return rest[1:]


def _with_length(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _packed(words: Sequence[int]) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in words)


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
