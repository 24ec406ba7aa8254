"""Frames of the M-Bus link layer (EN 13757-2, 5.5 and 5.7), made and checked strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from contracts.errors import ProtocolError

ACK = 0xE5
"""The single character a slave answers with when it has nothing else to say."""
SELECTED = 0xFD
"""Primary address of the slave that was selected by its secondary address."""
ANY = 0xFE
"""Every slave answers to it: only for a bus with one."""
_SHORT, _LONG, _STOP = 0x10, 0x68, 0x16
_NKE, _REQ_UD2, _SND_UD = 0x40, 0x5B, 0x53
_FCB = 0x20
_RSP_UD, _RSP_MASK = 0x08, 0xCF
"""A response; the bits for access demand and flow control are the slave's own affair."""
_SELECT = 0x52
_LEAST_LENGTH = 3
_SECONDARY = re.compile(r"[0-9Ff]{8}([0-9A-Fa-f]{8})?")


class Bytes(Protocol):
    """Where frames are read from."""

    async def read_exactly(self, count: int) -> bytes:
        """The next `count` bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A long frame of a slave, its envelope taken off."""

    address: int
    data: bytes
    """From the CI field on."""


def reset(address: int) -> bytes:
    """SND_NKE: the slave starts afresh with its first telegram; it acknowledges."""
    return _short(_NKE, address)


def request(address: int, *, count_bit: bool) -> bytes:
    """REQ_UD2; the slave goes on to its next telegram when the frame count bit has changed."""
    return _short(_REQ_UD2 | (_FCB if count_bit else 0), address)


def select(secondary: str) -> bytes:
    """SND_UD that selects a slave by its secondary address (EN 13757-3); it acknowledges.

    `secondary` has the 8 digits of the identification, F for any, and may go on with 2 bytes of
    manufacturer, version and medium, as in a telegram's header.

    Raises:
        ValueError: not such an address.
    """
    if not _SECONDARY.fullmatch(secondary):
        raise ValueError(f"{secondary!r}: 8 digits (F: any), or 16")
    identification, rest = bytes.fromhex(secondary[:8]), bytes.fromhex(secondary[8:] or "FF" * 4)
    return long(_SND_UD | _FCB, SELECTED, bytes([_SELECT]) + identification[::-1] + rest)


def long(control: int, address: int, data: bytes) -> bytes:
    """A long frame; `data` begins with the CI field and has 1 to 253 bytes."""
    body = bytes([control, address]) + data
    head = bytes([_LONG, len(body), len(body), _LONG])
    return head + body + bytes([sum(body) % 256, _STOP])


async def read(source: Bytes) -> Response | None:
    """The next frame of a slave; None for an acknowledgement.

    Raises:
        ProtocolError: anything else; more of it may be on its way.
        LinkDownError: the line was closed.
    """
    start = (await source.read_exactly(1))[0]
    if start == ACK:
        return None
    if start != _LONG:
        raise ProtocolError(f"no frame begins with {start:02X}")
    length, again, second = await source.read_exactly(3)
    if length != again or second != _LONG or length < _LEAST_LENGTH:
        raise ProtocolError("the head of the frame is damaged")
    return response(await source.read_exactly(length + 2))


def response(rest: bytes) -> Response:
    """What follows the head of a long frame, checked.

    Raises:
        ProtocolError: wrong checksum, no stop byte, or not a response.
    """
    *body, checksum, stop = rest
    if stop != _STOP or sum(body) % 256 != checksum:
        raise ProtocolError("the checksum or the end of the frame is wrong")
    if body[0] & _RSP_MASK != _RSP_UD:
        raise ProtocolError(f"control field {body[0]:02X} is no response")
    return Response(address=body[1], data=bytes(body[2:]))


def _short(control: int, address: int) -> bytes:
    return bytes([_SHORT, control, address, (control + address) % 256, _STOP])
