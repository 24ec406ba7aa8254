"""Frames on a byte stream: MBAP (Modbus on TCP/IP V1.0b, clause 3) and RTU (serial line V1.02).

A decoder is fed bytes as they come and gives whole requests; it never holds more than one frame's
worth of bytes. RTU requests end where their function says; in a stream without silences a frame
with a wrong checksum or an unknown function leaves nothing to hold on to, so all is thrown away.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

from contracts.errors import ProtocolError

MAX_PDU = 253
_HEAD = 7
_SHORTEST = 2
"""MBAP's length of a unit and a function, nothing more."""
_MAX_RTU = 256
_FIXED = 8
_UNIT_AND_FUNCTION = 2
_SMALLEST = 4
_EXTENDED = {15: 6, 16: 6, 23: 10}
"""Where, in an RTU request, functions of variable length have their byte count."""
_FIXED_FUNCTIONS = range(1, 7)


class Framing(StrEnum):
    """How frames look on a line."""

    TCP = "tcp"
    RTU = "rtu"


class Frame(NamedTuple):
    """One request: `number` is MBAP's transaction identifier, 0 in RTU."""

    unit: int
    pdu: bytes
    number: int = 0


class Decoder(Protocol):
    """Makes requests of bytes, and bytes of answers."""

    def feed(self, data: bytes) -> list[Frame]:
        """The requests that are complete now.

        Raises:
            ProtocolError: this is not Modbus; the connection is of no more use.
        """
        ...

    def wrap(self, frame: Frame) -> bytes:
        """An answer as it goes onto the line."""
        ...


def decoder(framing: Framing) -> Decoder:
    """A new decoder, one for each connection."""
    return _Mbap() if framing is Framing.TCP else _Rtu()


def crc16(data: bytes) -> bytes:
    """The checksum of serial line V1.02, clause 6.2.2, in the order of the line."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


class _Mbap:
    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Frame]:
        self._held += data
        frames = []
        while len(self._held) >= _HEAD:
            number, protocol, length = (
                int.from_bytes(self._held[at : at + 2], "big") for at in (0, 2, 4)
            )
            if protocol or not _SHORTEST <= length <= MAX_PDU + 1:
                raise ProtocolError(f"no Modbus: protocol {protocol}, length {length}")
            end = _HEAD - 1 + length
            if len(self._held) < end:
                break
            frames.append(Frame(self._held[6], self._held[_HEAD:end], number))
            self._held = self._held[end:]
        return frames

    def wrap(self, frame: Frame) -> bytes:
        head = frame.number.to_bytes(2, "big") + b"\0\0" + (len(frame.pdu) + 1).to_bytes(2, "big")
        return head + bytes([frame.unit]) + frame.pdu


class _Rtu:
    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Frame]:
        self._held += data
        frames = []
        while 0 < (size := self._size()) <= len(self._held):
            whole, self._held = self._held[:size], self._held[size:]
            if crc16(whole[:-2]) == whole[-2:]:
                frames.append(Frame(whole[0], whole[1:-2]))
            else:
                self._held = b""
        return frames

    def wrap(self, frame: Frame) -> bytes:
        body = bytes([frame.unit]) + frame.pdu
        return body + crc16(body)

    def _size(self) -> int:
        """Bytes of the request that begins the held ones; 0 while that cannot be told."""
        if len(self._held) < _UNIT_AND_FUNCTION:
            return 0
        function = self._held[1]
        if function in _FIXED_FUNCTIONS:
            return _FIXED
        place = _EXTENDED.get(function)
        if place is None:
            return self._all_of_it()
        if len(self._held) <= place:
            return 0
        size = place + 1 + self._held[place] + 2
        if size > _MAX_RTU:
            self._held = b""
            return 0
        return size

    def _all_of_it(self) -> int:
        """A request of a function that is not known here, if all that has come is just that."""
        if len(self._held) >= _SMALLEST and crc16(self._held[:-2]) == self._held[-2:]:
            return len(self._held)
        self._held = b""
        return 0
