"""Past events and days measured again, beside how they are settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from contracts.errors import PermanentError
from contracts.series import StepSeries
from contracts.time import Clock, Interval
from gateway.domain.event import EventSource, GridEvent, Opt, OptDecision, Signal, SignalKind
from gateway.domain.measure.difference import Change, difference
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program
from gateway.flows.replay.otherwise import Otherwise, event_of, rules_of
from gateway.flows.report.build import participation_report
from gateway.flows.report.settlement import Settlement
from gateway.ports import Ledger, StoredEvent

LONGEST_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The event by its own rules, by others, and what differs.

    Both are made now from what is stored: telemetry that came late is in both.
    """

    before: ParticipationReport
    after: ParticipationReport
    changes: tuple[Change, ...]


class ReplayDesk:
    """Reads; nothing of it is stored."""

    def __init__(
        self, portfolio: Portfolio, ledger: Ledger, settlement: Settlement, clock: Clock
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._settlement = settlement
        self._clock = clock

    async def event(self, event_key: str, new: Otherwise) -> Replay:
        """A past event again.

        Raises:
            PermanentError: there is no such event, it is not over, or what is to be otherwise
                does not exist.
            TransientError: something cannot be read now.
        """
        stored = await self._ledger.event(event_key)
        program = self._portfolio.program_of(stored.event) if stored else None
        if stored is None or program is None:
            raise PermanentError(f"event {event_key!r} is not known, or its program is not")
        return await self._replay(stored, program, new)

    async def day(self, program_id: str, window: Interval, new: Otherwise) -> Replay:
        """Hours without an event, as if there had been one that asked for nothing.

        What is "delivered" then is how far the baseline was off: the error of a method.

        Raises:
            PermanentError: no such program then, or no such hours; see `event`.
            TransientError: something cannot be read now.
        """
        program = self._portfolio.program(program_id, window.start)
        if program is None:
            raise PermanentError(f"no program {program_id!r} was in force at {window.start}")
        if window.duration is None or window.duration > LONGEST_DAY:
            raise PermanentError("hours of a day: at most 24 h, with an end")
        return await self._replay(_pretended(program, window), program, new)

    async def _replay(self, stored: StoredEvent, program: Program, new: Otherwise) -> Replay:
        end = stored.event.window.end
        if end is None or end + program.observe_after > self._clock.now():
            raise PermanentError("it is not over yet: only what is past can be measured again")
        other = replace(stored, event=event_of(stored.event, self._portfolio, new))
        before = await self._report(stored, program)
        rules = rules_of(program, stored.event, self._portfolio, new)
        after = await self._report(other, rules, new.known_at)
        return Replay(before=before, after=after, changes=difference(before, after))

    async def _report(
        self, stored: StoredEvent, program: Program, known_at: datetime | None = None
    ) -> ParticipationReport:
        evidence = await self._settlement.evidence(stored, program, known_at)
        return participation_report(evidence, created_at=self._clock.now(), final=False)


def _pretended(program: Program, window: Interval) -> StoredEvent:
    """An event that nobody was told of."""
    asks = Signal(kind=SignalKind.DELTA_W, series=StepSeries.of([(window, 0.0)]))
    event = GridEvent(
        utility_id=program.utility_id,
        event_id=f"replay-{uuid4()}",
        modification=0,
        program_id=program.program_id,
        created_at=window.start,
        window=window,
        signals=(asks,),
        test=True,
        source=EventSource.API,
    )
    decision = OptDecision(event_key=event.key, modification=0, opt=Opt.IN, cause="a replay")
    return StoredEvent(
        event=event,
        decision=decision,
        received_at=window.start,
        notified_at=window.start,
        announced=window,
    )
