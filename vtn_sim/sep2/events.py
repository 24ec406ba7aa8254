"""Events and their status as the server keeps it (IEEE 2030.5-2018, 10.2.3, annex B EventStatus).

Everything here is worked out from what was asked and when, so that no timer can be late: a status
is a function of the event, of the others of its program, and of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Generic, TypeVar

from contracts.errors import PermanentError
from contracts.sep2.codes import EventState
from contracts.sep2.hexes import canonical_mrid
from contracts.time import Interval
from vtn_sim.sep2.refusal import UnknownNameError
from vtn_sim.sep2.spec import ControlSpec, EventSpec

_OVER = timedelta(days=1)
"""So long an event that is over is known here, for the judge; devices do not see it any more."""

SpecT = TypeVar("SpecT", bound=EventSpec)


class UnknownEventError(UnknownNameError):
    """No event of this name or mRID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """When an event was cancelled, and how."""

    at: datetime
    randomized: bool = False
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)  # without slots: what follows is worked out once
class Booked(Generic[SpecT]):
    """An event as the server keeps it."""

    name: str
    mrid: str
    number: int
    """In order of creation, and its place in addresses."""
    spec: SpecT
    created_at: datetime
    start: datetime
    cancelled: Cancellation | None = None

    @cached_property
    def end(self) -> datetime:
        """As scheduled."""
        return self.start + timedelta(seconds=self.spec.duration_s)

    @cached_property
    def window(self) -> Interval:
        """As scheduled."""
        return Interval(start=self.start, end=self.end)

    @cached_property
    def earliest_start(self) -> datetime:
        """When the first device may start."""
        return self.start + timedelta(seconds=min(0, self.spec.randomize_start_s))

    @cached_property
    def latest_start(self) -> datetime:
        """When the last device may start."""
        return self.start + timedelta(seconds=max(0, self.spec.randomize_start_s))

    @cached_property
    def earliest_end(self) -> datetime:
        """When the first device may be through."""
        return self.end + timedelta(seconds=min(0, self._randomness_s[0]))

    @cached_property
    def latest_end(self) -> datetime:
        """When the last device is through: the end of the effective scheduled period."""
        return self.end + timedelta(seconds=max(0, self._randomness_s[1]))

    @property
    def _randomness_s(self) -> tuple[int, int]:
        parts = (self.spec.randomize_start_s, self.spec.randomize_duration_s)
        return sum(min(0, one) for one in parts), sum(max(0, one) for one in parts)

    @cached_property
    def target(self) -> tuple[frozenset[str], int | None]:
        """What is controlled, of which categories of devices."""
        if isinstance(self.spec, ControlSpec):
            return frozenset(self.spec.modes), self.spec.device_category
        return frozenset({"load"}), getattr(self.spec, "device_category", None)

    @property
    def cancelled_at(self) -> datetime | None:
        """None unless it was cancelled."""
        return None if self.cancelled is None else self.cancelled.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What EventStatus says."""

    state: EventState
    since: datetime
    potentially_superseded_at: datetime | None = None


def status(
    event: Booked[SpecT],
    others: Iterable[Booked[SpecT]],
    now: datetime,
    *,
    at_creation: bool = False,
) -> Status:
    """The status at `now`; `others` are the events of the same program.

    `at_creation` marks superseded events early (`Habits.supersede_at_creation`).
    """
    newer = [o for o in others if o.number > event.number and _overlap(o, event)]
    superseded = _superseded_at(event, newer, at_creation=at_creation)
    potentially = min((o.created_at for o in newer if _partly(o, event)), default=None)
    cancelled = event.cancelled
    if cancelled is not None and not (superseded and superseded <= cancelled.at):
        state = (
            EventState.CANCELLED_WITH_RANDOMIZATION
            if cancelled.randomized
            else EventState.CANCELLED
        )
        return Status(state=state, since=cancelled.at, potentially_superseded_at=potentially)
    if superseded is not None and superseded <= now:
        return Status(
            state=EventState.SUPERSEDED, since=superseded, potentially_superseded_at=potentially
        )
    begun = max(event.earliest_start, event.created_at)
    state, since = (
        (EventState.ACTIVE, begun) if begun <= now else (EventState.SCHEDULED, event.created_at)
    )
    return Status(state=state, since=since, potentially_superseded_at=potentially)


def _superseded_at(
    event: Booked[SpecT], newer: Sequence[Booked[SpecT]], *, at_creation: bool
) -> datetime | None:
    """When the first of the newer events that control exactly the same takes over."""
    moments = []
    for other in newer:
        moment = other.created_at if at_creation else max(other.earliest_start, other.created_at)
        withdrawn = other.cancelled_at is not None and other.cancelled_at <= moment
        if other.target == event.target and not withdrawn:
            moments.append(moment)
    return min(moments, default=None)


def _overlap(a: Booked[SpecT], b: Booked[SpecT]) -> bool:
    return a.start < b.end and b.start < a.end


def _partly(a: Booked[SpecT], b: Booked[SpecT]) -> bool:
    """Whether two events control some things in common, but not exactly the same."""
    return a.target != b.target and bool(a.target[0] & b.target[0])


@dataclass(slots=True)
class EventBook(Generic[SpecT]):
    """The events of all programs of one function set; `keep` are listed so long after the end."""

    keep: timedelta = timedelta(0)
    _events: dict[str, Booked[SpecT]] = field(default_factory=dict)
    _by_program: dict[str, dict[str, Booked[SpecT]]] = field(default_factory=dict)
    _number: int = 0

    def add(self, spec: SpecT, mrid: str, start: datetime, now: datetime) -> Booked[SpecT]:
        """A new event, which may start in the past.

        Raises:
            PermanentError: its name or mRID is taken.
        """
        self._forget(now)
        self._number += 1
        name = spec.name or f"event-{self._number}"
        taken = {canonical_mrid(e.mrid) for e in self._events.values()}
        if name in self._events or canonical_mrid(mrid) in taken:
            raise PermanentError(f"event {name!r} or its mRID exists already")
        event = Booked(
            name=name, mrid=mrid, number=self._number, spec=spec, created_at=now, start=start
        )
        return self._put(event)

    def _put(self, event: Booked[SpecT]) -> Booked[SpecT]:
        self._events[event.name] = event
        self._by_program.setdefault(event.spec.program, {})[event.name] = event
        return event

    def cancel(self, name: str, cancellation: Cancellation) -> Booked[SpecT]:
        """The event cancelled; it stays listed for its original duration.

        Raises:
            UnknownEventError: there is none.
            PermanentError: it is over or cancelled already.
        """
        event = self.get(name)
        if event.cancelled is not None or event.latest_end <= cancellation.at:
            raise PermanentError(f"event {name!r} is over or cancelled already")
        return self._put(replace(event, cancelled=cancellation))

    def get(self, name: str) -> Booked[SpecT]:
        """An event by its name.

        Raises:
            UnknownEventError: there is none.
        """
        if name not in self._events:
            raise UnknownEventError(f"no event {name!r}")
        return self._events[name]

    def by_mrid(self, mrid: str) -> Booked[SpecT] | None:
        """An event by the identifier that devices know."""
        wanted = canonical_mrid(mrid)
        return next((e for e in self._events.values() if canonical_mrid(e.mrid) == wanted), None)

    def all(self) -> Sequence[Booked[SpecT]]:
        """Every event still known, in order of creation."""
        return tuple(self._events.values())

    def of(self, program: str) -> Sequence[Booked[SpecT]]:
        """The events of one program, in order of creation."""
        return tuple(self._by_program.get(program, {}).values())

    def listed(self, program: str, now: datetime) -> Sequence[Booked[SpecT]]:
        """What devices see: start rising, then creation falling, then mRID falling."""
        seen = [e for e in self.of(program) if now < self._listed_until(e)]
        seen.sort(key=lambda e: canonical_mrid(e.mrid), reverse=True)
        seen.sort(key=lambda e: (e.start, -e.created_at.timestamp()))
        return seen

    def next_change(self, now: datetime) -> datetime | None:
        """The next instant after `now` at which some status or list changes by itself."""
        return min((m for e in self.all() for m in self.moments(e) if m > now), default=None)

    def moments(self, event: Booked[SpecT]) -> tuple[datetime, datetime]:
        """When an event changes by itself: it begins, and leaves the list."""
        return event.earliest_start, self._listed_until(event)

    def _listed_until(self, event: Booked[SpecT]) -> datetime:
        return max(event.latest_end, event.created_at) + self.keep

    def _forget(self, now: datetime) -> None:
        for name in [n for n, e in self._events.items() if e.latest_end + _OVER <= now]:
            event = self._events.pop(name)
            del self._by_program[event.spec.program][name]
