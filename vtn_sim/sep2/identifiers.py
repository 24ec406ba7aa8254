"""mRIDs: 12 octets of ours, then 4 of the private enterprise number (IEEE 2030.5-2018, 10.1)."""

from __future__ import annotations

import hashlib
import secrets

_PEN_DIGITS = 8


class Mrids:
    """Makes mRIDs of one server."""

    def __init__(self, pen: int, *, lower_case: bool = False) -> None:
        self._pen = f"{pen:0{_PEN_DIGITS}X}"
        self._lower_case = lower_case

    def stable(self, kind: str, name: str) -> str:
        """The same for the same thing after every start."""
        return self._of(hashlib.sha256(f"{kind} {name}".encode()).hexdigest()[:24])

    def fresh(self) -> str:
        """One that was never used: devices remember the mRIDs of events."""
        return self._of(secrets.token_hex(12))

    def _of(self, digits: str) -> str:
        mrid = digits.upper() + self._pen
        return mrid.lower() if self._lower_case else mrid


def without_pen(mrid: str) -> str:
    """As servers send it that forget the PEN (`Habits.notify_without_pen`)."""
    return mrid[:-_PEN_DIGITS] + "0" * _PEN_DIGITS
