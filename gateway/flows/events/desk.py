"""Events that are told, changed and cancelled here, and a person's word on any event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from contracts.errors import PermanentError
from contracts.series import StepSeries
from contracts.time import Clock, Interval
from gateway.domain.changes import from_now
from gateway.domain.event import (
    BY_PEOPLE,
    Decider,
    EventStatus,
    GridEvent,
    Opt,
    OptDecision,
    Signal,
    SignalKind,
)
from gateway.domain.portfolio import Portfolio
from gateway.flows.events.intake import OVER, Intake
from gateway.ports import Ledger, StoredEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What an entered event asks for, one value all the time."""

    kind: SignalKind
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An entered event as it should be from now on."""

    revision: int
    """The modification that the change is made to."""
    window: Interval
    ask: Ask | None = None
    """None: as before."""
    targets: tuple[str, ...] = ()
    comment: str = ""


class EventDesk:
    """Over an `Intake`: what is told here goes the way of all events."""

    def __init__(self, portfolio: Portfolio, ledger: Ledger, intake: Intake, clock: Clock) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._intake = intake
        self._clock = clock

    async def enter(self, event: GridEvent) -> OptDecision:
        """Take in an event that a person or a program of ours tells; twice changes nothing.

        Raises:
            PermanentError: its program is not ours, or takes no events this way.
            TransientError: it could not be stored now.
        """
        program = self._portfolio.program_of(event)
        if program is None or program.utility_id != event.utility_id:
            raise PermanentError(f"no program {event.program_id!r} is in force at its start")
        if event.source not in program.rules.signal.sources:
            ways = ", ".join(sorted(program.rules.signal.sources))
            raise PermanentError(f"program {program.name!r} takes events by: {ways}")
        return (await self._intake.receive([event]))[event.key]

    async def change(self, event_key: str, wanted: Change, cause: str) -> None:
        """Change an event that was entered here, at any time before its end; twice changes nothing.

        Raises:
            PermanentError: it is unknown, over, cancelled or a utility's own, was changed by
                somebody else meanwhile, or would end in the past.
            TransientError: it could not be stored now.
        """
        stored = await self._entered(event_key, "change")
        event = _changed(stored.event, wanted, self._clock.now())
        if stored.event.modification == wanted.revision + 1 and _same(stored.event, event):
            return
        if stored.event.modification != wanted.revision:
            raise PermanentError(
                f"event {event_key!r} is at modification {stored.event.modification}, not at "
                f"{wanted.revision}: look at it again"
            )
        if stored.event.status(self._clock.now()) in OVER:
            raise PermanentError(f"event {event_key!r} is over")
        if event.window.end is not None and event.window.end <= self._clock.now():
            raise PermanentError("it would end in the past: cancel it instead")
        if _same(stored.event, event):
            return
        await self._intake.note(event_key, "change asked for", cause)
        await self._intake.receive([event])

    async def cancel_entered(self, event_key: str, cause: str) -> None:
        """Cancel an event that was entered here; one that is cancelled already stays as it is.

        Raises:
            PermanentError: it is unknown, over, or a utility's own.
        """
        stored = await self._entered(event_key, "cancel")
        if stored.event.status(self._clock.now()) is EventStatus.COMPLETED:
            raise PermanentError(f"event {event_key!r} is over")
        await self._intake.withdraw(event_key, cause)

    async def decide(self, event_key: str, opt: Opt, cause: str) -> None:
        """A person's word on an event, whatever rules and policies have said.

        Raises:
            PermanentError: the event is unknown or over.
        """
        stored = await self._known(event_key)
        if stored.event.status(self._clock.now()) in OVER:
            raise PermanentError(f"event {event_key!r} is over")
        before = stored.decision
        if before.opt is not opt or before.by is Decider.NOBODY:
            decision = replace(before, opt=opt, cause=cause, by=Decider.PERSON)
            await self._intake.put(stored.event, decision, "a person has decided")

    async def _entered(self, event_key: str, what: str) -> StoredEvent:
        stored = await self._known(event_key)
        if stored.event.source not in BY_PEOPLE:
            raise PermanentError(f"event {event_key!r} is the utility's: only it can {what} it")
        return stored

    async def _known(self, event_key: str) -> StoredEvent:
        stored = await self._ledger.event(event_key)
        if stored is None:
            raise PermanentError(f"there is no event {event_key!r}")
        return stored


def _changed(event: GridEvent, wanted: Change, now: datetime) -> GridEvent:
    """The next modification: what was asked until now stays."""
    window = wanted.window
    ask = wanted.ask or _last_asked(event)
    series = StepSeries.of([(window, ask.value)])
    signal = from_now(event, Signal(kind=ask.kind, series=series), window, now)
    return replace(
        event,
        modification=wanted.revision + 1,
        window=window,
        signals=(signal,),
        targets=wanted.targets,
        comment=wanted.comment,
    )


def _last_asked(event: GridEvent) -> Ask:
    signal = event.signals[0]
    return Ask(kind=signal.kind, value=signal.series.steps[-1].value)


def _same(one: GridEvent, other: GridEvent) -> bool:
    """Whether two modifications ask the same from now on."""
    mine, theirs = ((e.window, _last_asked(e), e.targets, e.comment) for e in (one, other))
    return mine == theirs
