"""What time itself brings about: start, end, report. Derived from stored rows at every tick.

Whatever fell due while we were down is done at the first tick; fences in the ledger keep a doubled
tick from doing anything twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.errors import GridyardError
from contracts.time import Clock
from gateway.domain.event import Opt
from gateway.domain.portfolio import Portfolio
from gateway.domain.program.measuring import MeasuredBy
from gateway.flows.dispatch.worker import Dispatch
from gateway.flows.report.reruns import waited_out
from gateway.flows.report.settlement import Settlement
from gateway.ports import JournalEntry, Ledger, StoredEvent

_log = structlog.get_logger(__name__)

_FORGET_AFTER = timedelta(days=8)
"""An event that ended longer ago is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleOptions:
    """When reports are made, beyond what the program says."""

    late_data: timedelta = timedelta(seconds=10)
    """How long the last measurements may take to arrive."""
    final_after: timedelta = timedelta(days=1)
    """When the preliminary report is made again as the final one, after the event's end."""
    patience: timedelta = timedelta(minutes=2)
    """How long the preliminary report waits for a site whose load up to the event's end is still
    missing: from when the report is due, or from our own start if that was later."""
    retry: timedelta = timedelta(minutes=1)


class Lifecycle:
    """The leader's calendar; `tick` does what is due and says when to come again."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        dispatch: Dispatch,
        settlement: Settlement,
        clock: Clock,
        options: LifecycleOptions,
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._dispatch = dispatch
        self._settlement = settlement
        self._clock = clock
        self._options = options
        self._began = clock.now()
        self._done: set[tuple[str, datetime]] = set()  # spares the ledger; it alone is trusted

    async def tick(self) -> datetime | None:
        """Do everything due; when the next thing is due, None when nothing is in sight.

        What fails is written to the log and tried again after `retry`; it holds up nothing else.
        """
        now = self._clock.now()
        moments: list[datetime] = []
        for stored in await self._ledger.events(ending_after=now - self._forget_after()):
            try:
                moments.extend(await self._of_event(stored, now))
            except GridyardError as error:
                _log.warning("lifecycle_postponed", event_key=stored.event.key, why=str(error))
                moments.append(now + self._options.retry)
        return min(moments, default=None)

    async def _of_event(self, stored: StoredEvent, now: datetime) -> Iterable[datetime]:
        """Do what is due for one event; the moments still to come."""
        event, program = stored.event, self._portfolio.program_of(stored.event)
        if program is None or event.cancelled:
            return ()
        moments = list(await self._passed(stored, now))
        if event.window.end is not None and stored.decision.opt is Opt.IN:
            end = event.window.end
            settled = end + program.observe_after + self._options.late_data
            final = max(settled, end + self._options.final_after)
            finals = (final, max(final, waited_out(program, event.window) or final))
            moments += [settled, *finals]
            awaited = max(settled, self._began) + self._options.patience
            if settled <= now < awaited and await self._incomplete(stored):
                moments.append(awaited)
            else:
                await self._report(
                    stored, settled <= now, max((at for at in finals if at <= now), default=None)
                )
        return (at for at in moments if at > now)

    async def _passed(self, stored: StoredEvent, now: datetime) -> Sequence[datetime]:
        """Write down each turn of the event that has come, also of one without us."""
        window, ramp = stored.event.window, stored.event.ramp_up
        turns = [(window.start, "has begun")]
        if ramp:
            turns.insert(0, (window.start - ramp, "is near: its ramp begins"))
        if window.end is not None:
            turns.append((window.end, "is over"))
        for at, what in turns:
            if at <= now:
                await self._once(stored, at, what)
        return [at for at, _ in turns]

    async def _once(self, stored: StoredEvent, at: datetime, what: str) -> None:
        key, job = stored.event.key, f"{stored.event.key} {what}"
        if (job, at) in self._done:
            return
        if await self._ledger.claim_job(job, at):
            part = "" if stored.decision.opt is Opt.IN else "; we take no part in it"
            known_at = max(at, stored.received_at)  # a modification may tell of the past
            entry = JournalEntry(
                at=known_at,
                subject=key,
                action=f"the event {what}",
                cause=f"by its window{part}",
            )
            await self._ledger.log(entry)
            self._dispatch.request(key, f"the event {what}")
        self._done.add((job, at))

    async def _incomplete(self, stored: StoredEvent) -> bool:
        """Whether a first report now would miss what sites still hold for us."""
        reported = await self._ledger.report_final(stored.event.key) is not None
        return not (reported or await self._settlement.heard(stored))

    def _forget_after(self) -> timedelta:
        """How long ago an event may have ended that something is still due of."""
        waits = [
            program.meter_wait + _FORGET_AFTER
            for program in self._portfolio.programs
            if program.measured_by is MeasuredBy.REVENUE_METER
        ]
        return max([_FORGET_AFTER, *waits])

    async def _report(self, stored: StoredEvent, due: bool, final_at: datetime | None) -> None:
        """Make the preliminary report, and the final one; neither twice.

        `final_at`: the last instant gone by from which on it may be final; one that still waits for
        meter data is looked at again when that is over.
        """
        key = stored.event.key
        if not due or (final_at is not None and (key, final_at) in self._done):
            return
        newest_final = await self._ledger.report_final(key)
        if newest_final is None:
            await self._settlement.settle(key, final=False)
        if final_at is None:
            return
        if not newest_final:
            await self._settlement.settle(key, final=True)
        self._done.add((key, final_at))
