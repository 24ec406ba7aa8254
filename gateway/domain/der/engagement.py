"""What one device has made of the controls it was given; everything that must survive a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Generic

from gateway.domain.der.control import DerControl, DerDefault, DerProgram, Value_co
from gateway.domain.der.draw import Draws
from gateway.domain.der.responses import ResponseCode

FOREVER = datetime.max.replace(tzinfo=UTC)
"""Stands for an open end wherever instants are compared."""


class Fate(StrEnum):
    """What became of one mode of a control. All but `OPEN` are final."""

    OPEN = "open"
    """Waits for its time, or is in force, or a better one lies over it."""
    REJECTED = "rejected"
    """The device cannot follow it."""
    DROPPED = "dropped"
    """A better control was known before it began: it never runs."""
    DISPLACED = "displaced"
    """A better control has taken over."""
    CANCELLED = "cancelled"
    DONE = "done"
    """Ran to its end, or would have but for the user's opt-out."""


class Phase(StrEnum):
    """Where a control stands at its device."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one mode of a control stands."""

    fate: Fate = Fate.OPEN
    held_from: datetime | None = None
    """When the mode first came into force."""
    ended_at: datetime | None = None
    by: str | None = None
    """mRID of the control that displaced it."""
    by_program: str | None = None
    code: ResponseCode | None = None
    """Of a rejection: 252 or 253."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement(Generic[Value_co]):
    """One control at one device, from its receipt until it is forgotten."""

    control: DerControl[Value_co]
    """As last listed; kept because it goes on when the server is out of reach."""
    first_seen: datetime
    draws: Draws
    modes: Mapping[str, Standing]
    cancelled_at: datetime | None = None
    """When we learnt that it is cancelled."""
    cancel_tail: timedelta = timedelta(0)
    """How much longer it may run from there."""
    cancel_reason: str = ""
    parts_out: tuple[str, ...] = ()
    """Parts of the device whose users do not take part at present."""
    opted_out: bool = False
    """None of its parts takes part at present: the device as a whole has opted out."""
    opted_in_at: datetime | None = None
    """When the device as a whole last changed back to taking part."""
    complete_at: datetime | None = None
    """When the last part that had opted out changed back to taking part."""
    outcome: ResponseCode | None = None
    """How it ended, in the words of Table 27, whether or not the utility takes that code."""
    ended_at: datetime | None = None
    sent: tuple[ResponseCode, ...] = ()
    """Codes that were due already; none is due twice."""

    @property
    def started(self) -> bool:
        """Whether any of its modes was ever in force."""
        return any(standing.held_from is not None for standing in self.modes.values())

    @property
    def phase(self) -> Phase:
        """Waiting, running or ended."""
        if self.outcome is not None:
            return Phase.ENDED
        return Phase.RUNNING if self.started else Phase.WAITING

    def open_modes(self) -> Iterator[str]:
        """Modes that are in force or may still be."""
        return (mode for mode, standing in self.modes.items() if standing.fate is Fate.OPEN)

    def span(self) -> tuple[datetime, datetime]:
        """Effective start and end (IEEE 2030.5-2018, 10.2.3.3 m and 10.2.4), other controls aside.

        Received late, it starts a random time after receipt and keeps its specified end. The end
        lies before the start when it was cancelled before it began; open ends are `FOREVER`.
        """
        start = shifted(self.control.window.start, self.draws.start)
        if start >= self.first_seen:
            end = max(self._end(self.draws.start + self.draws.duration), start)
        else:
            end = max(self._end(self.draws.duration), self.first_seen)
            start = min(shifted(self.first_seen, abs(self.draws.start)), end)
        if self.cancelled_at is not None:
            tail = self.cancel_tail if start <= self.cancelled_at else timedelta(0)
            end = min(end, shifted(self.cancelled_at, tail))
        if self.opted_in_at is not None:
            start = max(start, self.opted_in_at)
        return start, end

    def _end(self, by: timedelta) -> datetime:
        end = self.control.window.end
        return FOREVER if end is None else shifted(end, by)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState(Generic[Value_co]):
    """All a device's engagements, with what was last known to hold them against.

    Plain data: a pydantic `TypeAdapter(DeviceState[ModeValue])` stores and restores it.
    """

    at: datetime | None = None
    """The instant up to which everything has been worked out."""
    next_change: datetime | None = None
    """When the next control begins, ends or gives way by itself; None: none will."""
    programs: tuple[DerProgram, ...] = ()
    defaults: tuple[DerDefault[Value_co], ...] = ()
    engagements: tuple[Engagement[Value_co], ...] = field(default=())
    """In order of mRID."""


def shifted(instant: datetime, by: timedelta) -> datetime:
    """The instant moved, kept within what a date can say."""
    try:
        return instant + by
    except OverflowError:
        return FOREVER if by > timedelta(0) else datetime.min.replace(tzinfo=UTC)
