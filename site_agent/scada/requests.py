"""What one request gets for an answer, after the Modbus Application Protocol V1.1b3.

Function codes 3, 4 (the same registers), 6 and 16; everything else is refused with an exception.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from site_agent.scada.limits import OutsideError, ValueRefusedError
from site_agent.scada.registers import SiteRegisters

_READS, _WRITE_ONE, _WRITE_MANY = (3, 4), 6, 16
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 1, 2, 3
_NO_ANSWER = 0x0B
"""Gateway target device failed to respond: there is no such unit behind us."""
_MOST_READ, _MOST_WRITTEN = 125, 123
_FIXED = 5
"""Bytes of a request with two numbers."""


class _RefusedError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def no_such_unit(pdu: bytes) -> bytes:
    """The answer to a request for somebody else."""
    return _exception(pdu, _NO_ANSWER)


def answer(pdu: bytes, registers: SiteRegisters, *, may_write: bool) -> bytes:
    """The answer to any request of at least one byte; a refusal is an answer too."""
    try:
        if pdu[0] in _READS:
            return _read(pdu, registers)
        if pdu[0] in (_WRITE_ONE, _WRITE_MANY) and may_write and registers.writable:
            return _write(pdu, registers)
    except _RefusedError as refused:
        return _exception(pdu, refused.code)
    except OutsideError:
        return _exception(pdu, _ILLEGAL_ADDRESS)
    except ValueRefusedError:
        return _exception(pdu, _ILLEGAL_VALUE)
    return _exception(pdu, _ILLEGAL_FUNCTION)


def _read(pdu: bytes, registers: SiteRegisters) -> bytes:
    address, count = _two_numbers(pdu)
    if not 1 <= count <= _MOST_READ:
        raise _RefusedError(_ILLEGAL_VALUE)
    words = registers.read(address, count)
    return struct.pack(f">BB{count}H", pdu[0], 2 * count, *words)


def _write(pdu: bytes, registers: SiteRegisters) -> bytes:
    if pdu[0] == _WRITE_ONE:
        address, word = _two_numbers(pdu)
        registers.write(address, [word])
    else:
        address, words = _many(pdu)
        registers.write(address, words)
    return pdu[:_FIXED]


def _many(pdu: bytes) -> tuple[int, Sequence[int]]:
    address, count = _two_numbers(pdu[:_FIXED])
    data = pdu[_FIXED + 1 :]
    sound = 1 <= count <= _MOST_WRITTEN and len(data) == 2 * count and pdu[_FIXED] == 2 * count
    if not sound:
        raise _RefusedError(_ILLEGAL_VALUE)
    return address, struct.unpack(f">{count}H", data)


def _two_numbers(pdu: bytes) -> tuple[int, int]:
    if len(pdu) != _FIXED:
        raise _RefusedError(_ILLEGAL_VALUE)
    first, second = struct.unpack(">HH", pdu[1:])
    return first, second


def _exception(pdu: bytes, code: int) -> bytes:
    return bytes([pdu[0] | 0x80, code])
