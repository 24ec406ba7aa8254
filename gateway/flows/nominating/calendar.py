"""What the clock brings about: hours are written down, and each gate finds a proposal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from contracts.errors import GridyardError, PermanentError
from contracts.time import Clock
from gateway.domain.nomination.nomination import Status
from gateway.domain.nomination.period import Period
from gateway.domain.words import span
from gateway.flows.nominating.desk import NominationDesk
from gateway.flows.nominating.options import NominatingOptions
from gateway.flows.nominating.recorder import Recorder
from gateway.ports import JournalEntry, Ledger

_log = structlog.get_logger(__name__)
_EVERY = timedelta(minutes=1)
_TRY_AGAIN = timedelta(hours=1)
"""When nothing could be proposed: sites may offer more, and more days be on record."""
RULE = "rule: before the gate"


class NominationCalendar:
    """`tick` as often as one likes; what fails is logged and tried again, and holds up nothing."""

    def __init__(
        self,
        desk: NominationDesk,
        recorder: Recorder,
        ledger: Ledger,
        clock: Clock,
        options: Mapping[str, NominatingOptions],
    ) -> None:
        """`options`: of the programs for which proposals are made by the clock."""
        self._desk = desk
        self._recorder = recorder
        self._ledger = ledger
        self._clock = clock
        self._options = options
        self._next: datetime | None = None
        self._waiting: dict[str, tuple[str, datetime]] = {}

    async def tick(self) -> None:
        """Do what is due."""
        now = self._clock.now()
        if self._next is not None and now < self._next:
            return
        self._next = now + _EVERY
        try:
            await self._recorder.tick()
        except GridyardError as error:
            _log.warning("offers_not_recorded", why=str(error))
        for program_id, options in self._options.items():
            try:
                await self._of_program(program_id, options, now)
            except GridyardError as error:
                _log.warning("nomination_postponed", program=program_id, why=str(error))

    async def _of_program(self, program_id: str, options: NominatingOptions, now: datetime) -> None:
        """A proposal for the next open period, once its time has come and unless there is one."""
        try:
            _, _, period = self._desk.period(program_id, None, now)
        except PermanentError:  # a contract's dates are named by people
            return
        label, due = self._waiting.get(program_id, ("", now))
        if label != period.label:
            due = period.gate - options.ahead
            self._waiting[program_id] = (period.label, due)
        if now < due:
            return
        known = await self._desk.nominations(program_id, now)
        if any(one.label == period.label for one in known):
            self._waiting[program_id] = (period.label, period.gate)
            return
        try:
            cause = f"{span(period.gate - now)} before the gate"
            made, _ = await self._desk.propose(program_id, None, RULE, cause)
        except PermanentError as error:
            await self._none(program_id, period, str(error), now)
            self._waiting[program_id] = (period.label, now + _TRY_AGAIN)
            return
        if options.auto:
            await self._desk.decide(
                made.nomination_id, Status.ACCEPTED, "rule: auto", "the settings say so"
            )

    async def _none(self, program_id: str, period: Period, why: str, now: datetime) -> None:
        """That there is no proposal is journaled once for each period."""
        _log.warning("nothing_to_nominate", program=program_id, period=period.label, why=why)
        if await self._ledger.claim_job(f"no nomination {program_id}", period.gate):
            await self._ledger.log(
                JournalEntry(at=now, subject=program_id, action="no nomination", cause=why)
            )
