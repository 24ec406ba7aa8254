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
    UNRESPONSIVE = "unresponsive"
    """Connected and talking, but deaf to every request."""
    FREEZE = "freeze"
    """Answers, but its values stand still."""
    OFFLINE = "offline"
    """Accepts connections, reads requests and never answers."""


class Faults:
    """The faults of one device. `monotonic` is its clock, in s."""

    def __init__(self, known: frozenset[FaultKind], monotonic: Callable[[], float]) -> None:
        self._known = known
        self._monotonic = monotonic
        self._until: dict[FaultKind, float] = {}

    def begin(self, kind: FaultKind, for_s: float | None) -> None:
        """Let the fault last `for_s` seconds from now (None: for good); 0 ends it.

        Raises:
            ValueError: this device knows no such fault.
        """
        if kind not in self._known:
            raise ValueError(f"no fault {kind} here; known: {', '.join(sorted(self._known))}")
        self._until[kind] = math.inf if for_s is None else self._monotonic() + for_s

    def active(self, kind: FaultKind) -> bool:
        """Whether the fault is on now."""
        return self._monotonic() < self._until.get(kind, -math.inf)

    def remaining_s(self, *kinds: FaultKind) -> float:
        """Seconds until the last of these faults is over; 0 when none is on, inf when never."""
        now_s = self._monotonic()
        return max([0.0, *(self._until.get(kind, -math.inf) - now_s for kind in kinds)])
