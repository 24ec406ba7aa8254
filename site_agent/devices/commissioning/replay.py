"""A capture as a device: looked up, or served on a real Modbus socket. Nothing can be written.

The server answers what was read, refuses what the device refused, refuses with exception 2 what was
never read, and is silent for units that were never asked, as devices are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast, get_args

from contracts.errors import TransientError
from site_agent.devices.commissioning.capture import Capture, Function
from site_agent.devices.modbus.replies import MAX_READ, ModbusRefusedError

_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 1, 2, 3
_READS = get_args(Function)
_BITS = (1, 2)
_HEAD, _LONGEST = 7, 260
"""Bytes of an MBAP header, and of a whole frame (Modbus Messaging on TCP/IP 1.0b, 3.1.3)."""


class Lookup:
    """The registers of a capture."""

    def __init__(self, capture: Capture) -> None:
        self._words: dict[tuple[int, int, int], int] = {
            (unit.unit, block.function, address): word
            for unit in capture.units
            for block in unit.blocks
            for address, word in enumerate(block.registers, block.address)
        }
        self._refused = {unit.unit: unit.refused for unit in capture.units}

    def read(self, unit: int, function: int, address: int, count: int) -> tuple[int, ...]:
        """What the device read there.

        Raises:
            TransientError: the unit was never asked: no answer.
            ModbusRefusedError: the device refused that, or it was never read (`code` 2).
        """
        if unit not in self._refused:
            raise TransientError(f"unit {unit}: no answer")
        wanted = [(unit, function, address + n) for n in range(count)]
        if all(place in self._words for place in wanted):
            return tuple(self._words[place] for place in wanted)
        what = f"unit {unit}, function {function} at {address}"
        raise ModbusRefusedError(self._code(unit, function, address, count), what)

    def _code(self, unit: int, function: int, address: int, count: int) -> int:
        for refusal in self._refused[unit]:
            overlaps = (
                address < refusal.address + refusal.count and refusal.address < address + count
            )
            if refusal.function == function and overlaps:
                return refusal.exception
        return _ILLEGAL_ADDRESS


@asynccontextmanager
async def serving(
    capture: Capture,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    any_unit: int | None = None,
    asked: Callable[[int, int, int, int], None] | None = None,
) -> AsyncIterator[tuple[str, int]]:
    """Serve a capture over Modbus TCP; yields host and port.

    `any_unit`: answer every unit id as this one, as devices do that do not look at it. `asked`
    hears of every request: unit, function, address, count.
    """
    lookup, guests = Lookup(capture), dict[asyncio.Task[None], asyncio.StreamWriter]()

    async def guest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast(asyncio.Task[None], asyncio.current_task())
        guests[task] = writer
        try:
            await _converse(lookup, reader, writer, any_unit, asked)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it has hung up
        finally:
            del guests[task]
            writer.close()

    server = await asyncio.start_server(guest, host, port)
    try:
        where = server.sockets[0].getsockname()
        yield where[0], where[1]
    finally:
        server.close()
        for writer in guests.values():
            writer.close()
        if guests:
            await asyncio.wait(tuple(guests))


async def _converse(
    lookup: Lookup,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    any_unit: int | None,
    asked: Callable[[int, int, int, int], None] | None,
) -> None:
    while True:
        head = await reader.readexactly(_HEAD)
        length = int.from_bytes(head[4:6], "big")
        if head[2:4] != b"\0\0" or not 2 <= length <= _LONGEST - _HEAD + 1:  # noqa: PLR2004 - unit and function
            return  # not Modbus: a device hangs up
        pdu = await reader.readexactly(length - 1)
        unit = head[6] if any_unit is None else any_unit
        if asked is not None:
            asked(head[6], pdu[0], *_extent(pdu))
        with suppress(TransientError):
            answer = answer_to(lookup, unit, pdu)
            writer.write(head[:4] + (len(answer) + 1).to_bytes(2, "big") + head[6:7] + answer)
            await writer.drain()


def answer_to(lookup: Lookup, unit: int, pdu: bytes) -> bytes:
    """The answer to a request, both without header; TransientError where there would be none."""
    function = pdu[0]
    address, count = _extent(pdu)
    try:
        words = lookup.read(unit, function, address, count) if _legal(pdu) else None
    except ModbusRefusedError as refusal:
        return bytes([function | 0x80, refusal.code])
    if words is None:
        code = _ILLEGAL_VALUE if function in _READS else _ILLEGAL_FUNCTION
        return bytes([function | 0x80, code])
    return bytes([function, len(body := _body(function, words))]) + body


def _legal(pdu: bytes) -> bool:
    return pdu[0] in _READS and len(pdu) == 5 and 1 <= _extent(pdu)[1] <= MAX_READ  # noqa: PLR2004 - function, address, count


def _extent(pdu: bytes) -> tuple[int, int]:
    return int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")


def _body(function: int, words: tuple[int, ...]) -> bytes:
    if function not in _BITS:
        return b"".join(word.to_bytes(2, "big") for word in words)
    bits = sum(bit << n for n, bit in enumerate(words))
    return bits.to_bytes((len(words) + 7) // 8, "little")
