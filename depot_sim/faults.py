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
    LATE = "late"
    """Each answer comes `amount` seconds late; requests are answered in their order."""
    CUT = "cut"
    """Each answer breaks off in the middle, and the connection, if there is one, with it."""
    WRONG_UNIT = "wrong-unit"
    """Answers carry the number of another unit."""
    GARBLED = "garbled"
    """Each answer arrives damaged."""
    NONSENSE = "nonsense"
    """Each answer is well framed and says what no device may say."""
    DERATED = "derated"
    """A battery allows `amount` of the power it usually does."""
    ALARM = "alarm"
    """A battery tells an alarm; it goes on as before."""
    BUSY = "busy"
    """Every request is answered with "busy" (Modbus exception 6)."""
    ONE_CLIENT = "one-client"
    """One connection only: another is refused (`amount` 0) or takes its place (1)."""
    SIGN_FLIPPED = "sign-flipped"
    """Power and energy count in the other direction: on phase `amount`, or (0) on all."""
    SCALED = "scaled"
    """Power, energy and current are `amount` times what they should be."""
    SENTINEL = "sentinel"
    """Measured values say "not implemented"."""
    SCALE_CHANGE = "scale-change"
    """Scale factors are `amount` powers of ten greater than at the start; values stay right."""
    LENGTH_CHANGE = "length-change"
    """A model is shorter than at the start, as at night, and those behind it stand elsewhere."""
    IGNORES_WRITES = "ignores-writes"
    """Writes are confirmed and change nothing: but for their registers (`amount` 0) or not even
    these (1)."""
    REFUSES = "refuses"
    """Every command is refused."""
    FLOOD = "flood"
    """What it says is said `amount` times a second more."""
    LATE_TIMER = "late-timer"
    """A timer started now runs longer than set, by this share of it."""
    NO_REVERSION = "no-reversion"
    """A timer started now never runs out."""
    OUTAGE = "outage"
    """Of the grid: no voltage; devices come back one after the other."""
    FREQUENCY = "frequency"
    """Of the grid: `amount` Hz beside the nominal frequency."""
    VOLTAGE = "voltage"
    """Of the grid: `amount` V beside the nominal voltage."""


USUAL_AMOUNT = {
    FaultKind.LAG: 5.0,
    FaultKind.WRONG_CLOCK: 3600.0,
    FaultKind.LATE: 2.0,
    FaultKind.ONE_CLIENT: 0.0,
    FaultKind.SIGN_FLIPPED: 0.0,
    FaultKind.SCALED: 0.1,
    FaultKind.SCALE_CHANGE: 1.0,
    FaultKind.IGNORES_WRITES: 0.0,
    FaultKind.FLOOD: 1000.0,
    FaultKind.LATE_TIMER: 1 / 3,
    FaultKind.DERATED: 0.5,
    FaultKind.FREQUENCY: -0.3,
    FaultKind.VOLTAGE: -25.0,
}
"""Of the kinds that have an amount, where none is given."""


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
