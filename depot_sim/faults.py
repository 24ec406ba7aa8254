"""Faults that befall a device at run time, for a while or for good."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum


class FaultKind(StrEnum):
    """What can go wrong; each device says in its documentation which kinds it knows."""

    DROP = "drop"
    """The connection is cut and the device stays away; everything behind it goes on."""
    KILL = "kill"
    """The device loses power: no connection, no energy, a fresh start afterwards."""
    REBOOT = "reboot"
    """The controller starts afresh, taking so long; sessions end, the connection is cut."""
    UNRESPONSIVE = "unresponsive"
    """Connected and talking, but deaf to every request."""
    FREEZE = "freeze"
    """Answers, but its values stand still: a meter that is stuck."""
    OFFLINE = "offline"
    """Accepts connections, reads requests and never answers."""
    LAG = "lag"
    """Every message takes `amount` seconds more, each way."""
    WRONG_CLOCK = "wrong-clock"
    """The device's clock is `amount` seconds fast (negative: slow)."""


USUAL_AMOUNT = {FaultKind.LAG: 5.0, FaultKind.WRONG_CLOCK: 3600.0}
"""In s, where none is given."""


class Faults:
    """The faults of one device. `monotonic` is its clock, in s."""

    def __init__(self, known: frozenset[FaultKind], monotonic: Callable[[], float]) -> None:
        self._known = known
        self._monotonic = monotonic
        self._until: dict[FaultKind, float] = {}
        self._amounts: dict[FaultKind, float] = {}

    def begin(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let the fault last `for_s` seconds from now (None: for good); 0 ends it.

        `amount` is how much of it, for the kinds that say so.

        Raises:
            ValueError: this device knows no such fault.
        """
        if kind not in self._known:
            raise ValueError(f"no fault {kind} here; known: {', '.join(sorted(self._known))}")
        self._until[kind] = math.inf if for_s is None else self._monotonic() + for_s
        self._amounts[kind] = USUAL_AMOUNT.get(kind, 0.0) if amount is None else amount

    def active(self, kind: FaultKind) -> bool:
        """Whether the fault is on now."""
        until_s = self._until.get(kind)
        return until_s is not None and self._monotonic() < until_s

    def amount(self, kind: FaultKind) -> float:
        """How much of the fault there is now; 0 while it is not on."""
        return self._amounts[kind] if self.active(kind) else 0.0

    def remaining_s(self, *kinds: FaultKind) -> float:
        """Seconds until the last of these faults is over; 0 when none is on, inf when never."""
        begun = [self._until[kind] for kind in kinds if kind in self._until]
        return max(0.0, max(begun) - self._monotonic()) if begun else 0.0
