"""A setpoint that lapses by itself when its owner falls silent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """`value` until `expires_s` (None: for ever), `fallback` from then on.

    Times are seconds of the simulation; a value of None means "no setpoint in force".
    """

    value: float | None = None
    expires_s: float | None = None
    fallback: float | None = None
    late_s: float = 0.0
    """A faulty timer runs so much longer than it says."""

    def lapsed(self, now_s: float) -> bool:
        """Whether the owner has let it run out."""
        return self.expires_s is not None and now_s >= self.expires_s + self.late_s

    def at(self, now_s: float) -> float | None:
        """What is in force at `now_s`."""
        return self.fallback if self.lapsed(now_s) else self.value

    def remaining_s(self, now_s: float) -> float:
        """Seconds until it lapses; 0 when it has lapsed or never will."""
        return 0.0 if self.expires_s is None else max(0.0, self.expires_s - now_s)
