"""What a Modbus reply means: whether it can be the answer, and what its exception tells us to do.

Clauses are those of the Modbus Application Protocol Specification V1.1b3.
"""

from __future__ import annotations

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest

from contracts.errors import PermanentError, TransientError

MAX_READ = 125
"""Registers of one FC3, clause 6.3."""
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
    """Raise ValueError unless the registers exist and fit in one request."""
    if not 1 <= count <= most:
        raise ValueError(f"{count} registers: 1 to {most} fit in one request")
    if not 0 <= address <= 0x10000 - count:
        raise ValueError(f"{count} registers at {address}: addresses are 0 to 65535")


def is_answer(request: ModbusPDU, reply: ModbusPDU) -> bool:
    """Whether `reply` can be the answer: same function, and same extent where it says one."""
    if reply.isError():
        return reply.function_code == request.function_code | 0x80
    if reply.function_code != request.function_code:
        return False
    if isinstance(request, ReadHoldingRegistersRequest):
        return len(reply.registers) == request.count
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
