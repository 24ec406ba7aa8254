"""A DLMS/COSEM meter that answers by hand-made bytes (IEC 62056-5-3, as the Green Book shows them).

It lets a client in (AARE), with a password where it has one, and answers GET of registers by value
and by scaler and unit. Nothing else is known to it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from depot_sim.faults import FaultKind, Faults

FAULTS = frozenset(
    {
        FaultKind.OFFLINE,
        FaultKind.FREEZE,
        FaultKind.LATE,
        FaultKind.GARBLED,
        FaultKind.NONSENSE,
        FaultKind.CUT,
    }
)
_AARQ, _GET, _RLRQ = 0x60, 0xC0, 0x62
_AARE = (
    "61 29 A1 09 06 07 60 85 74 05 08 01 01 A2 03 02 01 {result} A3 05 A1 03 02 01 {reason} "
    "BE 10 04 0E 08 00 06 5F 1F 04 00 00 50 1F 04 00 00 07"
)
_ACCEPTED, _REFUSED = ("00", "00"), ("01", "0D")
"""Result and reason; 0D: authentication failure."""
_RLRE = bytes.fromhex("63 03 80 01 00")
_STATE_ERROR = bytes.fromhex("D8 01 02")
_UNDEFINED = b"\x01\x04"
_CLASS_REGISTER, _VALUE, _SCALER_UNIT = 3, 2, 3
_GET_REQUEST = struct.Struct(">BBBH6sBB")
_HOSTILE = b"\x00\x01\x88" + b"\xff" * 8
"""An array of 2^64 - 1 elements, none of which follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What a register shows: a whole number of 10^scaler units (unit codes of IEC 62056-6-2)."""

    value: float
    unit: int
    scaler: int = 0

    @property
    def number(self) -> bytes:
        """Its value as a 64-bit integer."""
        return b"\x14" + round(self.value / 10.0**self.scaler).to_bytes(8, "big", signed=True)

    @property
    def scaler_unit(self) -> bytes:
        """A structure of both."""
        return b"\x02\x02\x0f" + struct.pack("b", self.scaler) + b"\x16" + bytes([self.unit])


class DlmsMeter:
    """The application of a meter: APDU in, APDU out.

    `measure` gives the registers by OBIS code in six bytes. Knows the faults offline, freeze, late,
    garbled (a damaged frame), nonsense (a hostile count of elements) and cut.
    """

    def __init__(
        self,
        *,
        id: str,
        measure: Callable[[], Mapping[bytes, Register]],
        elapsed: Callable[[], float],
        password: str | None = None,
    ) -> None:
        self.id = id
        self._measure = measure
        self._shown = measure()
        self._faults = Faults(FAULTS, elapsed)
        self._password = password
        self.asked: list[bytes] = []
        """OBIS codes clients have asked for, the newest last; the newest thousand."""

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin, for some seconds or for good (None).

        Raises:
            ValueError: not a fault of this device.
        """
        self._faults.begin(kind, for_s, amount)

    def suffers(self, kind: FaultKind) -> bool:
        """Whether a fault is on."""
        return self._faults.active(kind)

    @property
    def late_s(self) -> float:
        """How long its answers take at present."""
        return self._faults.amount(FaultKind.LATE)

    def association(self) -> Association:
        """A client has come."""
        return Association(self)

    def lets_in(self, request: bytes) -> bool:
        """Whether a request to associate has the password, if one is needed."""
        if self._password is None:
            return True
        secret = self._password.encode()
        shown = bytes([0xAC, len(secret) + 2, 0x80, len(secret)]) + secret
        return shown in request

    def get(self, request: bytes) -> bytes:
        """The answer to a GET of one attribute."""
        if len(request) != _GET_REQUEST.size:
            return _STATE_ERROR
        _, kind, invoke, group, obis, attribute, _ = _GET_REQUEST.unpack(request)
        self.asked = [*self.asked[-999:], obis]
        return bytes([0xC4, kind, invoke]) + self._result(group, obis, attribute)

    def _result(self, group: int, obis: bytes, attribute: int) -> bytes:
        if self.suffers(FaultKind.NONSENSE):
            return _HOSTILE
        if not self.suffers(FaultKind.FREEZE):
            self._shown = self._measure()
        register = self._shown.get(obis)
        if register is None or group != _CLASS_REGISTER or attribute not in (_VALUE, _SCALER_UNIT):
            return _UNDEFINED
        return b"\x00" + (register.number if attribute == _VALUE else register.scaler_unit)


class Association:
    """One client's conversation."""

    def __init__(self, meter: DlmsMeter) -> None:
        self._meter = meter
        self._open = False

    def answer(self, request: bytes) -> bytes:
        """What the meter answers to an APDU."""
        kind = request[0] if request else 0
        if kind == _AARQ:
            self._open = self._meter.lets_in(request)
            result, reason = _ACCEPTED if self._open else _REFUSED
            return bytes.fromhex(_AARE.format(result=result, reason=reason))
        if kind == _RLRQ:
            self._open = False
            return _RLRE
        return self._meter.get(request) if kind == _GET and self._open else _STATE_ERROR
