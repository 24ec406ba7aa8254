"""One M-Bus meter: hears frames of the bus and answers those that are meant for it."""

from __future__ import annotations

from collections.abc import Callable

from depot_sim.faults import FaultKind, Faults
from depot_sim.mbus import telegram
from depot_sim.mbus.telegram import Measured

ACK = b"\xe5"
FAULTS = frozenset(
    {
        FaultKind.OFFLINE,
        FaultKind.FREEZE,
        FaultKind.LATE,
        FaultKind.GARBLED,
        FaultKind.NONSENSE,
        FaultKind.WRONG_UNIT,
    }
)
_SELECTED, _ANY = 0xFD, 0xFE
_NKE, _REQ_UD2, _SND_UD = 0x40, 0x5B, 0x53
_FCB, _SELECT = 0x20, 0x52
_SELECT_BYTES = 8
_NONSENSE = b"\x04" + b"\xfd" + b"\xff" * 40 + b"\x7f" + bytes(4)
"""A record whose value information has 41 extensions; ten are allowed."""


class MBusMeter:
    """Two telegrams: totals first, phases second.

    Knows the faults offline (silence), freeze, late, garbled (a wrong checksum), nonsense (a
    hostile chain of extensions) and wrong-unit (the answer names another meter).
    """

    def __init__(
        self,
        *,
        id: str,
        primary: int,
        identification: str,
        measure: Callable[[], Measured],
        elapsed: Callable[[], float],
    ) -> None:
        self.id = id
        self.primary = primary
        self.identification = identification
        self._measure = measure
        self._shown = measure()
        self._faults = Faults(FAULTS, elapsed)
        self._selected = False
        self._place = 0
        self._count_bit: bool | None = None
        self._access = 0

    @property
    def late_s(self) -> float:
        """How long its answers take at present."""
        return self._faults.amount(FaultKind.LATE)

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin, for some seconds or for good (None).

        Raises:
            ValueError: not a fault of this device.
        """
        self._faults.begin(kind, for_s, amount)

    def hear(self, frame: bytes) -> bytes:
        """Its answer to a whole frame on the bus, empty when it has none."""
        answer = self._answer(frame)
        return b"" if self._faults.active(FaultKind.OFFLINE) else answer

    def _answer(self, frame: bytes) -> bytes:
        if frame[0] == 0x68:  # noqa: PLR2004 - a long frame
            return self._select(frame[4:-2])
        control, address = frame[1], frame[2]
        if not (address in (self.primary, _ANY) or (address == _SELECTED and self._selected)):
            return b""
        if control == _NKE:
            self._restart()
            return ACK
        return self._tell(bool(control & _FCB)) if control & ~_FCB == _REQ_UD2 else b""

    def _select(self, body: bytes) -> bytes:
        if body[:1] not in (bytes([_SND_UD]), bytes([_SND_UD | _FCB])) or body[2] != _SELECT:
            return b""
        own = telegram.header(self.identification, 0)[1 : 1 + _SELECT_BYTES]
        number, rest = body[3:7], body[7:11]
        wanted = number[::-1].hex()
        self._selected = all(
            w in ("f", o) for w, o in zip(wanted, self.identification, strict=True)
        ) and all(w in (0xFF, o) for w, o in zip(rest, own[4:], strict=True))
        self._restart()
        return ACK if self._selected else b""

    def _restart(self) -> None:
        self._place, self._count_bit = 0, None

    def _tell(self, count_bit: bool) -> bytes:
        """The next telegram when the frame count bit has changed, else the last one again."""
        if self._count_bit is not None and count_bit is not self._count_bit:
            self._place = (self._place + 1) % 2
        self._count_bit = count_bit
        self._access += 1
        if not self._faults.active(FaultKind.FREEZE):
            self._shown = self._measure()
        return self._framed(self._data())

    def _data(self) -> bytes:
        number = self.identification
        if self._faults.active(FaultKind.WRONG_UNIT):
            number = f"{(int(number) + 1) % 10**8:08d}"
        head = telegram.header(number, self._access)
        if self._faults.active(FaultKind.NONSENSE):
            return head + _NONSENSE
        if self._place:
            return head + telegram.phases(self._shown)
        return head + telegram.totals(self._shown) + telegram.MORE_FOLLOWS

    def _framed(self, data: bytes) -> bytes:
        wrong = self._faults.active(FaultKind.WRONG_UNIT)
        body = bytes([0x08, (self.primary + 1) % 251 if wrong else self.primary]) + data
        checksum = sum(body) + (1 if self._faults.active(FaultKind.GARBLED) else 0)
        return bytes([0x68, len(body), len(body), 0x68, *body, checksum % 256, 0x16])
