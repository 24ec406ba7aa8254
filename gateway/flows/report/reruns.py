"""Meter data that came in make the reports again that rest on them.

What is still to be done is derived from stored rows, so a crash between a delivery and its reports
loses nothing. A report in which nothing is another stays the newest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from contracts.errors import GridyardError
from contracts.time import Clock, Interval
from gateway.domain.event import Opt
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program
from gateway.domain.program.measuring import MeasuredBy
from gateway.flows.report.settlement import Settlement
from gateway.ports import Delivery, Ledger, MeterStore, StoredEvent

_log = structlog.get_logger(__name__)
_RETRY_S = 60.0
_AROUND = timedelta(days=3)
"""Beyond look-back and observation: an event's own windows reach no further from it."""


class Reruns:
    """Wakes on a delivery and at the start; one event after the other."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        meters: MeterStore,
        settlement: Settlement,
        clock: Clock,
        *,
        final_after: timedelta,
    ) -> None:
        """`final_after`: so long after its end an event's report may be final."""
        self._portfolio = portfolio
        self._ledger = ledger
        self._meters = meters
        self._settlement = settlement
        self._clock = clock
        self._final_after = final_after
        self._woken = asyncio.Event()
        self._woken.set()

    def wake(self) -> None:
        """Something was delivered."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.catch_up()
            except GridyardError as error:
                _log.warning("meter_reruns_postponed", why=str(error))
                await self._clock.sleep(_RETRY_S)
                self._woken.set()

    async def catch_up(self) -> Sequence[str]:
        """Make every report again that deliveries since the last time concern; their events.

        Raises:
            TransientError: something cannot be read or written now.
        """
        deliveries = await self._meters.unsettled()
        if not deliveries:
            return ()
        first = min(one.window.start for one in deliveries)
        made: list[str] = []
        for stored in await self._ledger.events(ending_after=first - _AROUND):
            program = self._portfolio.program_of(stored.event)
            if program is None or not self._concerned(stored, program, deliveries):
                continue
            if await self._ledger.report_final(stored.event.key) is not None:
                due = (stored.event.window.end or stored.event.window.start) + self._final_after
                await self._settlement.settle(stored.event.key, final=self._clock.now() >= due)
                made.append(stored.event.key)
        await self._meters.settled([one.number for one in deliveries], self._clock.now())
        return made

    def _concerned(
        self, stored: StoredEvent, program: Program, deliveries: Iterable[Delivery]
    ) -> bool:
        """Whether an event's result may rest on what was delivered."""
        event = stored.event
        if event.cancelled or stored.decision.opt is not Opt.IN or event.window.end is None:
            return False
        if program.measured_by is not MeasuredBy.REVENUE_METER:
            return False
        sites = {site.site_id for site in self._portfolio.addressed(event)}
        sites |= set(program.method.control_sites)
        read = Interval(
            start=event.window.start - program.method.look_back - _AROUND,
            end=event.window.end + program.observe_after + _AROUND,
        )
        return any(one.site_id in sites and one.window.overlaps(read) for one in deliveries)


def waited_out(program: Program, window: Interval) -> datetime | None:
    """When an event's report no longer waits for meter data; None: it never does."""
    if program.measured_by is not MeasuredBy.REVENUE_METER:
        return None
    return (window.end or window.start) + program.meter_wait
