"""Statements: made from what is stored, kept as versions, shown whole or one site's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from contracts.errors import PermanentError
from contracts.series import StepSeries
from contracts.time import Clock, Interval
from gateway.domain.event import Opt
from gateway.domain.measure.report import Curves, ParticipationReport
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Program
from gateway.domain.program.wall import local_day, span_of
from gateway.domain.settle.account import PeriodStatement, changes
from gateway.domain.settle.line import plain
from gateway.domain.settle.period import StatementPeriod, next_month, period_named
from gateway.domain.settle.site_account import site_statement
from gateway.domain.settle.statement import Grounds, period_statement
from gateway.flows.nominating.commitments import Commitments
from gateway.ports import Ledger, StatementBook, StoredEvent

Load = Callable[[Mapping[str, object]], ParticipationReport]
_YEAR = timedelta(days=366)
_W_PER_KW = 1000


class Statements:
    """What programs owe, by month or season."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        commitments: Commitments,
        book: StatementBook,
        load: Load,
        clock: Clock,
    ) -> None:
        """`load` reads a report from the document that the ledger keeps."""
        self._portfolio = portfolio
        self._ledger = ledger
        self._commitments = commitments
        self._book = book
        self._load = load
        self._clock = clock

    async def settle(self, program_id: str, period: str) -> PeriodStatement:
        """Make the statement from what is known now; a new version where anything is another.

        Raises:
            PermanentError: no such program or period.
        """
        program = self._program(program_id)
        chosen = _period(period, program)
        made = period_statement(await self._grounds(program, chosen), self._clock.now())
        newest = await self._book.statement(program_id, chosen.name)
        if newest is None:
            return await self._book.add(made)
        if made.same_as(newest):
            return newest
        return await self._book.add(replace(made, changes=changes(newest, made)))

    async def settle_site(self, site: Site, period: str) -> None:
        """Make the statements of all the programs of a site.

        Raises:
            PermanentError: no such period.
        """
        for program_id in self._programs_of(site.site_id):
            await self.settle(program_id, period)

    async def of_program(
        self, program_id: str, period: str, version: int | None = None
    ) -> PeriodStatement | None:
        """A version, or the newest; None: there is none.

        Raises:
            PermanentError: no such program or period.
        """
        program = self._program(program_id)
        return await self._book.statement(program_id, _period(period, program).name, version)

    async def of_site(self, site: Site, period: str) -> PeriodStatement | None:
        """What of the newest statements is a site's, with what changed for it; None: nothing yet.

        Raises:
            PermanentError: no such period.
        """
        newest: list[PeriodStatement] = []
        before: list[PeriodStatement] = []
        for program_id in self._programs_of(site.site_id):
            chosen = _period(period, self._program(program_id))
            versions = await self._book.versions(program_id, chosen.name)
            newest += versions[-1:]
            before += versions[-2:-1] or versions[-1:]
        if not newest:
            return None
        own, was = (
            site_statement(site.site_id, site.name, site.time_zone.key, every)
            for every in (newest, before)
        )
        return replace(own, changes=changes(was, own))

    def _programs_of(self, site_id: str) -> Sequence[str]:
        return sorted({e.program_id for e in self._portfolio.enrolments if e.site_id == site_id})

    def _program(self, program_id: str) -> Program:
        program = self._portfolio.program(program_id)
        if program is None:
            raise PermanentError(f"there is no program {program_id!r}")
        return program

    async def _grounds(self, program: Program, period: StatementPeriod) -> Grounds:
        span = period.span(program.zone)
        events = await self._ledger.events(ending_after=span.start - _YEAR)
        mine = sorted(
            (one for one in events if _counts(one, program, period)),
            key=lambda one: (one.event.window.start, one.event.key),
        )
        reports, unreported = await self._reports(mine, span)
        enrolled = self._portfolio.enrolled(program.program_id, span.start)
        return Grounds(
            program=self._portfolio.program(program.program_id, span.start) or program,
            period=period,
            reports=reports,
            unreported=unreported,
            committed_kw={
                month: await self._committed(program, month) for month in period.months()
            },
            contracts={s: e.sharing for s, e in sorted(enrolled.items()) if e.sharing is not None},
            networks=frozenset(one.network for one in enrolled.values()),
            names={s.site_id: s.name for s in self._portfolio.sites if s.site_id in enrolled},
            simulated=any(s.simulated for s in self._portfolio.sites if s.site_id in enrolled),
        )

    async def _reports(
        self, events: Sequence[StoredEvent], span: Interval
    ) -> tuple[Sequence[ParticipationReport], Sequence[str]]:
        """The newest report of each event, and which of the period have none."""
        reports: list[ParticipationReport] = []
        unreported: list[str] = []
        for stored in events:
            data = await self._ledger.report(stored.event.key)
            if data is not None:
                reports.append(_bare(await asyncio.to_thread(self._load, data)))
            elif stored.event.window.start in span and stored.decision.opt is Opt.IN:
                unreported.append(stored.event.key)
        return reports, unreported

    async def _committed(self, program: Program, month: date) -> Mapping[str, Decimal]:
        """What each site enrolled at the month's start promised, kW, mean over the month."""
        last = date.fromordinal(next_month(month).toordinal() - 1)
        window = span_of(month, last, program.zone)
        promised = await self._commitments.of(program.program_id, window)
        means = {site: series.mean(window) or 0.0 for site, series in promised.items()}
        return {site: plain(Decimal(repr(power)) / _W_PER_KW) for site, power in means.items()}


def _period(name: str, program: Program) -> StatementPeriod:
    try:
        return period_named(name, program.rules.seasons)
    except ValueError as error:
        raise PermanentError(str(error)) from error


def _counts(stored: StoredEvent, program: Program, period: StatementPeriod) -> bool:
    """An event of the program, not cancelled, that begins before the period ends and is near it.

    Near is within the period, the season it lies in, or without seasons the same year; the day
    before the period too, from which an event may reach into it.
    """
    event, end = stored.event, period.span(program.zone).end
    begun = end is None or event.window.start < end
    if event.program_id != program.program_id or event.cancelled or not begun:
        return False
    day = local_day(event.window.start, program.zone)
    if (period.first - day).days <= 1:
        return True
    if not program.rules.seasons:
        return day.year == period.first.year
    around = [one.around(day) for one in program.rules.seasons if one.holds(day)]
    return any(first <= period.last and period.first <= last for first, last in around)


def _bare(report: ParticipationReport) -> ParticipationReport:
    """Without curves, of which a season's reports have more than memory should hold."""
    empty = StepSeries()
    none = Curves(span=report.curves.span, baseline=empty, actual=empty, target=empty)
    return replace(
        report, curves=none, sites=tuple(replace(one, curves=none) for one in report.sites)
    )
