"""What the calendar does to statements: makes them when a period ends, again when inputs change.

Derived from stored rows at every look; a version is added only where something is another, so a
doubled look or a restart makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.errors import GridyardError
from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program
from gateway.domain.settle.account import PeriodStatement
from gateway.domain.settle.determinant import Determinant
from gateway.domain.settle.due import (
    FOLLOWED,
    first_due,
    outdated,
    periods_ended,
    takes_part,
)
from gateway.domain.settle.period import StatementPeriod
from gateway.flows.statement.grounds import counted
from gateway.flows.statement.statements import Statements
from gateway.ports import JournalEntry, Ledger, StoredEvent

_log = structlog.get_logger(__name__)
_EVERY = timedelta(minutes=1)


Capture = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """All that says which statements are due; by program."""

    versions: Mapping[str, int]
    told: Mapping[str, Sequence[Determinant]]
    ended: Mapping[str, Sequence[StatementPeriod]]


class StatementCalendar:
    """`tick` as often as one likes; what fails is logged and tried again, and holds up nothing."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        statements: Statements,
        clock: Clock,
        captured: Capture | None = None,
    ) -> None:
        """`captured`: keeps prices before their source forgets them; None: there are none."""
        self._portfolio = portfolio
        self._ledger = ledger
        self._statements = statements
        self._clock = clock
        self._captured = captured
        self._seen: object = None
        """What the last look found that was followed to its end: spares the next one."""

    async def run(self) -> None:
        """Look once a minute until cancelled."""
        while True:
            try:
                await self.tick()
            except GridyardError as error:
                _log.warning("statements_not_looked_at", why=str(error))
            await self._clock.sleep(_EVERY.total_seconds())

    async def tick(self) -> Sequence[PeriodStatement]:
        """Make every statement that is due; the versions that were added.

        Raises:
            TransientError: something cannot be read now.
        """
        now = self._clock.now()
        if self._captured is not None:
            await self._captured()
        programs = {one.program_id: one for one in self._portfolio.programs}
        look = await self._look(programs.values(), now)
        if look == self._seen:
            return ()
        events = await self._ledger.events(ending_after=now - FOLLOWED)
        made: list[PeriodStatement] = []
        whole = True
        for name, program in programs.items():
            for period in look.ended[name]:
                try:
                    made += await self._of_period(program, period, look, events, now)
                except GridyardError as error:
                    whole = False
                    _log.warning(
                        "statement_postponed", program=name, period=period.name, why=str(error)
                    )
        self._seen = look if whole else None
        return tuple(made)

    async def _look(self, programs: Iterable[Program], now: datetime) -> _Look:
        every = list(programs)
        return _Look(
            versions=await self._ledger.report_versions(),
            told={one.program_id: await self._statements.told(one.program_id) for one in every},
            ended={one.program_id: tuple(periods_ended(one, now)) for one in every},
        )

    async def _of_period(
        self,
        program: Program,
        period: StatementPeriod,
        look: _Look,
        events: Sequence[StoredEvent],
        now: datetime,
    ) -> Sequence[PeriodStatement]:
        """The version that was added, if one was due."""
        newest = await self._statements.of_program(program.program_id, period.name)
        mine = [one.event.key for one in counted(program, period, events)]
        if newest is None:
            due = first_due(program, period, now) and (self._takes_part(program, period) or mine)
        else:
            told = look.told[program.program_id]
            inputs = self._statements.inputs_told(program, period, mine, told)
            due = outdated(newest, look.versions, mine, inputs)
        if not due:
            return ()
        made = await self._statements.settle(program.program_id, period.name)
        if newest is not None and made.version == newest.version:
            return ()
        await self._journal(made)
        return (made,)

    def _takes_part(self, program: Program, period: StatementPeriod) -> bool:
        every = self._portfolio.enrolments
        mine = [one for one in every if one.program_id == program.program_id]
        return takes_part(mine, period)

    async def _journal(self, made: PeriodStatement) -> None:
        status = "FINAL" if made.final else "PRELIMINARY"
        waits = f", waits for {'; '.join(made.waits_for)}" if made.waits_for else ""
        await self._ledger.log(
            JournalEntry(
                at=self._clock.now(),
                subject=made.subject,
                action="statement made",
                cause=f"{made.period}, version {made.version}, {status}{waits}",
            )
        )
        _log.info("statement_made", program=made.subject, period=made.period, version=made.version)
