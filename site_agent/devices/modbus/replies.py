"""What a Modbus reply means: whether it can be the answer, and what its exception tells us to do.

Clauses are those of the Modbus Application Protocol Specification V1.1b3.
"""

from __future__ import annotations

from collections.abc import Sequence

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteSingleRegisterRequest,
)

from contracts.errors import PermanentError, TransientError

MAX_READ = 125
"""Registers of one FC3 or FC4, clauses 6.3 and 6.4."""
MAX_READ_BITS = 2000
"""Bits of one FC1 or FC2, clauses 6.1 and 6.2."""
MAX_WRITE = 123
"""Registers of one FC16, clause 6.12."""
GATEWAY_CODES = (0x0A, 0x0B)
"""A gateway says that the unit behind it cannot be reached or is silent, clause 7."""
_REFUSALS = {1: "illegal function", 2: "illegal data address", 3: "illegal data value"}


class ModbusRefusedError(PermanentError):
    """The unit answered with an exception that asking again will not change; `code` says which."""

    def __init__(self, code: int, what: str) -> None:
        super().__init__(f"{what}: {_REFUSALS.get(code, f'exception {code}')}")
        self.code = code


def check_extent(address: int, count: int, most: int) -> None:
    """Raise ValueError unless the registers or bits exist and fit in one request."""
    if not 1 <= count <= most:
        raise ValueError(f"{count} registers: 1 to {most} fit in one request")
    if not 0 <= address <= 0x10000 - count:
        raise ValueError(f"{count} registers at {address}: addresses are 0 to 65535")


def check_registers(values: Sequence[int]) -> None:
    """Raise ValueError unless each fits in a register."""
    if not all(0 <= value <= 0xFFFF for value in values):  # noqa: PLR2004 - a register's range
        raise ValueError(f"not register values: {values}")


def is_answer(request: ModbusPDU, reply: ModbusPDU) -> bool:
    """Whether `reply` can be the answer: same function, and same extent or value where it says."""
    if reply.isError():
        return reply.function_code == request.function_code | 0x80
    return reply.function_code == request.function_code and _echoes(request, reply)


def _echoes(request: ModbusPDU, reply: ModbusPDU) -> bool:
    match request:
        case ReadHoldingRegistersRequest():
            return len(reply.registers) == request.count
        case ReadCoilsRequest():
            return len(reply.bits) == (request.count + 7) // 8 * 8  # whole bytes, clause 6.1
        case WriteSingleRegisterRequest():
            return (reply.address, reply.registers) == (request.address, request.registers)
        case WriteSingleCoilRequest():
            return (reply.address, reply.bits) == (request.address, request.bits)
        case _:
            return (reply.address, reply.count) == (request.address, request.count)


def raise_refusal(request: ModbusPDU, reply: ModbusPDU) -> None:
    """Turn an exception reply into an error.

    Raises:
        ModbusRefusedError: codes 1, 2 and 3: the request itself is at fault.
        TransientError: every other code (busy, failure, gateway): later may be better.
    """
    if not reply.isError():
        return
    what = f"unit {request.dev_id}, function {request.function_code} at {request.address}"
    if reply.exception_code in _REFUSALS:
        raise ModbusRefusedError(reply.exception_code, what)
    raise TransientError(f"{what}: exception {reply.exception_code}")
