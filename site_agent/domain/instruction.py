"""A gateway's schedule for this site: which step is in force, and which state changes are due.

An instruction waits, starts with its first step and ends when nothing of it remains to be held:
at the end of its last step or, when it carries a fallback, at its expiry. Nothing of it is ever
executed at or after `expires_at`. Of several instructions for one event only the one with the
highest `site_seq` counts; one without steps withdraws the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.inverter import InverterFunction, slot
from contracts.time import Interval


class Progress(StrEnum):
    """How far an instruction has got; the values are those of the site link."""

    STORED = "stored"
    STARTED = "started"
    APPLIED = "applied"
    COMPLETED = "completed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


RUNNING = (Progress.STARTED, Progress.APPLIED)
FINISHED = (Progress.COMPLETED, Progress.EXPIRED, Progress.SUPERSEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is asked, W, load convention; None leaves that free (`contracts.site_link.messages`)."""

    import_w: float | None = None
    export_w: float | None = None
    load_w: float | None = None
    generation_w: float | None = None
    storage_w: float | None = None
    energize: bool | None = None
    functions: tuple[InverterFunction, ...] = ()
    """What inverters should do by themselves (`domain.functions`)."""

    @property
    def bind(self) -> bool:
        """Whether anything is asked."""
        return self != _FREE

    @property
    def power_free(self) -> bool:
        """Whether nothing but functions is asked."""
        return replace(self, functions=()) == _FREE


_FREE = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStep:
    """Bounds over `[start, end)`."""

    interval: Interval
    bounds: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteInstruction:
    """One stored instruction and how far it has got. Steps are in time order, without overlap."""

    instruction_id: str
    event_id: str
    site_seq: int
    start: datetime
    expires_at: datetime
    steps: tuple[ScheduleStep, ...]
    fallback: Bounds
    standing: bool = False
    """An operating envelope rather than an event."""
    cause: str = ""
    progress: Progress = Progress.STORED

    @property
    def begins_at(self) -> datetime:
        """When its first step starts."""
        return self.steps[0].interval.start if self.steps else self.start

    @property
    def steps_end(self) -> datetime:
        """When its last step ends, at the latest at expiry."""
        end = self.steps[-1].interval.end if self.steps else None
        return min(end or self.start, self.expires_at)

    @property
    def ends_at(self) -> datetime:
        """From here on nothing of it remains to be held."""
        return self.expires_at if self.steps and self.fallback.bind else self.steps_end


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What one instruction asks for at an instant."""

    instruction: SiteInstruction
    bounds: Bounds
    fallback: bool
    """True between the last step's end and expiry: the gateway has not been heard since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of state that is due."""

    instruction: SiteInstruction
    to: Progress
    reason: str


def current(instructions: Iterable[SiteInstruction]) -> tuple[SiteInstruction, ...]:
    """The newest instruction of each event, in order of `site_seq`."""
    newest: dict[str, SiteInstruction] = {}
    for instruction in sorted(instructions, key=lambda one: one.site_seq):
        newest[instruction.event_id] = instruction
    return tuple(sorted(newest.values(), key=lambda one: one.site_seq))


def in_force(instructions: Iterable[SiteInstruction], now: datetime) -> tuple[InForce, ...]:
    """What every event asks for at `now`; events whose step leaves everything free are absent."""
    asked = (_asked(instruction, now) for instruction in current(instructions))
    return tuple(one for one in asked if one is not None and one.bounds.bind)


def _asked(instruction: SiteInstruction, now: datetime) -> InForce | None:
    if not instruction.start <= now < instruction.expires_at:
        return None
    for step in instruction.steps:
        if now in step.interval:
            return InForce(instruction=instruction, bounds=step.bounds, fallback=False)
    if instruction.steps and now >= instruction.steps_end:
        return InForce(instruction=instruction, bounds=instruction.fallback, fallback=True)
    return None


def transitions(instructions: Sequence[SiteInstruction], now: datetime) -> list[Transition]:
    """Every change of state due at `now`, in the order in which it must be recorded.

    Superseded ones come first, so that a withdrawal never completes before the withdrawn ends.
    """
    newest = {one.event_id: one for one in current(instructions)}
    ordered = sorted(instructions, key=lambda one: one.site_seq)
    due = [one for one in ordered if one.progress not in FINISHED]
    superseded = [
        Transition(
            instruction=one,
            to=Progress.SUPERSEDED,
            reason=f"replaced by {newest[one.event_id].instruction_id}",
        )
        for one in due
        if newest[one.event_id] is not one
    ]
    advanced = [step for one in due if newest[one.event_id] is one for step in _advance(one, now)]
    return superseded + advanced


def _advance(one: SiteInstruction, now: datetime) -> Iterator[Transition]:
    if not one.steps:
        reason = f"event {one.event_id} withdrawn"
        yield Transition(instruction=one, to=Progress.COMPLETED, reason=reason)
    elif now >= one.ends_at:
        yield _ending(one)
    elif one.progress is Progress.STORED and now >= one.begins_at:
        late = " in its fallback" if now >= one.steps_end else ""
        reason = f"in force{late}: {one.cause}" if one.cause else f"in force{late}"
        yield Transition(instruction=one, to=Progress.STARTED, reason=reason)


def _ending(one: SiteInstruction) -> Transition:
    if one.progress is Progress.STORED:
        reason = "its time passed before the site could start it"
        return Transition(instruction=one, to=Progress.EXPIRED, reason=reason)
    reason = "ended" if one.progress is Progress.APPLIED else "ended; not every device had accepted"
    return Transition(instruction=one, to=Progress.COMPLETED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionsHeld:
    """What has become of the inverter functions in force."""

    settled: bool = True
    """Every inverter concerned has answered, or is offline."""
    slots: frozenset[str] = frozenset()
    """`contracts.inverter.slot` of what at least one inverter does."""
    without: str = ""
    """What is not done and by whom, in words for a person."""


NO_FUNCTIONS = FunctionsHeld()


def applied(
    instructions: Iterable[SiteInstruction],
    decided_at: datetime,
    functions: FunctionsHeld = NO_FUNCTIONS,
) -> list[Transition]:
    """Started instructions in force when a decision was made that every device has accepted.

    One with inverter functions waits until they are settled, and one with nothing else is not
    applied at all while no inverter does any of them. The reason says what is not done.
    """
    return [
        Transition(
            instruction=one.instruction,
            to=Progress.APPLIED,
            reason=functions.without if one.bounds.functions else "",
        )
        for one in in_force(instructions, decided_at)
        if one.instruction.progress is Progress.STARTED and _taken(one.bounds, functions)
    ]


def _taken(bounds: Bounds, functions: FunctionsHeld) -> bool:
    if not bounds.functions:
        return True
    any_held = any(slot(one) in functions.slots for one in bounds.functions)
    return functions.settled and (any_held or not bounds.power_free)


def next_change(instructions: Iterable[SiteInstruction], now: datetime) -> datetime | None:
    """The next instant after `now` at which bounds or states change, or None."""
    instants = (
        instant
        for one in current(instructions)
        if one.progress not in FINISHED
        for instant in _instants(one)
    )
    return min((instant for instant in instants if instant > now), default=None)


def _instants(one: SiteInstruction) -> Iterator[datetime]:
    for step in one.steps:
        yield step.interval.start
        if step.interval.end is not None:
            yield step.interval.end
    yield one.expires_at
