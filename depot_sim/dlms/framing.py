"""The two ways a meter's APDUs travel on TCP: the wrapper, and HDLC (IEC 62056-47 and -46)."""

from __future__ import annotations

import asyncio
import struct
from typing import Protocol

_FLAG = 0x7E
_SNRM, _DISC, _UA = 0x93, 0x53, 0x73
_LLC_REQUEST, _LLC_ANSWER = b"\xe6\xe6\x00", b"\xe6\xe7\x00"
_HEADER = struct.Struct(">HHHH")
_FINAL = 0x10
_ADDRESSES = 2
"""One byte each for the meter and the client."""


class Framing(Protocol):
    """Reads APDUs of a client and frames the answers; made anew for every client."""

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """The next frame of a client, whole."""
        ...

    def opened(self, frame: bytes) -> tuple[bytes, bytes]:
        """A frame's APDU, or what is to be answered without one."""
        ...

    def framed(self, apdu: bytes) -> bytes:
        """An answer to the frame that was opened last."""
        ...


class Wrapper:
    """Eight bytes of version, ports and length before each APDU."""

    def __init__(self) -> None:
        self._from = self._to = 0

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """Header and APDU."""
        head = await reader.readexactly(_HEADER.size)
        return head + await reader.readexactly(_HEADER.unpack(head)[3])

    def opened(self, frame: bytes) -> tuple[bytes, bytes]:
        """As `Framing.opened`."""
        _, self._from, self._to, _ = _HEADER.unpack(frame[: _HEADER.size])
        return frame[_HEADER.size :], b""

    def framed(self, apdu: bytes) -> bytes:
        """As `Framing.framed`."""
        return _HEADER.pack(1, self._to, self._from, len(apdu)) + apdu


class Hdlc:
    """Frames between flags, with two checksums and sequence numbers; one-byte addresses."""

    def __init__(self) -> None:
        self._addresses = b""
        self._control = 0

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """What stands between two flags."""
        first = await reader.readexactly(1)
        while first[0] == _FLAG:
            first = await reader.readexactly(1)
        second = await reader.readexactly(1)
        length = (first[0] & 0x07) << 8 | second[0]
        rest = await reader.readexactly(length - 1)
        return first + second + rest[:-1]

    def opened(self, frame: bytes) -> tuple[bytes, bytes]:
        """As `Framing.opened`; a frame with a wrong checksum is not answered."""
        if checksum(frame[:-2]) != frame[-2:]:
            return b"", b""
        place = 2 + _ADDRESSES
        self._addresses = frame[2:place][::-1]
        control = frame[place]
        if control in (_SNRM, _DISC):
            return b"", self._frame(_UA, b"")
        expected, sent = control >> 5, (control >> 1) & 0x07
        self._control = ((sent + 1) % 8) << 5 | _FINAL | expected << 1
        return frame[place + 3 : -2].removeprefix(_LLC_REQUEST), b""

    def framed(self, apdu: bytes) -> bytes:
        """As `Framing.framed`."""
        return self._frame(self._control, _LLC_ANSWER + apdu)

    def _frame(self, control: int, information: bytes) -> bytes:
        length = 2 + _ADDRESSES + 1 + 2 + (2 + len(information) if information else 0)
        head = struct.pack(">H", 0xA000 | length) + self._addresses + bytes([control])
        body = head + checksum(head) + information if information else head
        return bytes([_FLAG]) + body + checksum(body) + bytes([_FLAG])


def checksum(data: bytes) -> bytes:
    """CRC-16/X.25, lowest byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return (value ^ 0xFFFF).to_bytes(2, "little")
