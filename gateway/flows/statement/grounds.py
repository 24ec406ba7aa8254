"""Gathers what a statement is made from: reports, promises, contracts, figures from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from contracts.site_link import points
from contracts.time import Interval
from gateway.domain.event import Opt
from gateway.domain.measure.performance import MIN_INTERVAL_COVERAGE
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.measure.rows import kilowatts
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program
from gateway.domain.program.measuring import ExportRule
from gateway.domain.program.season import Season, on
from gateway.domain.program.wall import local_day, span_of
from gateway.domain.settle.credit import Claimed
from gateway.domain.settle.determinant import Determinant, What, concerning, newest
from gateway.domain.settle.grounds import Grounds, LastFactor, in_season, season_factor, standing_of
from gateway.domain.settle.line import plain
from gateway.domain.settle.peaks import PeakLoad, peak_months, top_interval
from gateway.domain.settle.period import StatementPeriod, next_month
from gateway.flows.nominating.commitments import Commitments
from gateway.ports import DeterminantBook, Ledger, StoredEvent, TelemetryStore

Load = Callable[[Mapping[str, object]], ParticipationReport]
_YEAR = timedelta(days=366)
_W_PER_KW = 1000


class Gathered:
    """Reads it all from the stores."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        telemetry: TelemetryStore,
        commitments: Commitments,
        determinants: DeterminantBook,
        load: Load,
    ) -> None:
        """`load` reads a report from the document that the ledger keeps."""
        self._portfolio = portfolio
        self._ledger = ledger
        self._telemetry = telemetry
        self._commitments = commitments
        self._determinants = determinants
        self._load = load

    async def of(self, program: Program, period: StatementPeriod) -> Grounds:
        """What the period's statement is made from, as it is known now.

        Raises:
            TransientError: something cannot be read now.
        """
        span = period.span(program.zone)
        events = await self._ledger.events(ending_after=span.start - 2 * _YEAR)
        mine = counted(program, period, events)
        reports, unreported = await self._reports(mine, span)
        told = concerning(
            await self._determinants.of(program.program_id),
            program,
            period,
            [one.event.key for one in mine],
        )
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
            programs={
                one.event.key: version
                for one in mine
                if (version := self._portfolio.program_of(one.event)) is not None
            },
            others={
                one.header.event_key: found
                for one in reports
                if one.header.window.start in span
                and (found := await self._others(one, program, events))
            },
            told=told,
            peaks=await self._peaks(program, period, told),
            last_factor=await self._last_factors(program, period, reports, events, told),
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
            report = await self._report(stored.event.key)
            if report is not None:
                reports.append(report)
            elif stored.event.window.start in span and stored.decision.opt is Opt.IN:
                unreported.append(stored.event.key)
        return reports, unreported

    async def _report(self, event_key: str) -> ParticipationReport | None:
        # without curves, of which a season's reports have more than memory should hold
        data = await self._ledger.report(event_key, curves_of=())
        return None if data is None else await asyncio.to_thread(self._load, data)

    async def _committed(self, program: Program, month: date) -> Mapping[str, Decimal]:
        """What each site enrolled at the month's start promised, kW, mean over the month."""
        window = span_of(month, _last_of(month), program.zone)
        promised = await self._commitments.of(program.program_id, window)
        means = {site: series.mean(window) or 0.0 for site, series in promised.items()}
        return {site: plain(Decimal(repr(power)) / _W_PER_KW) for site, power in means.items()}

    async def _others(
        self, report: ParticipationReport, program: Program, events: Sequence[StoredEvent]
    ) -> Sequence[Claimed]:
        """Other programs' events at the same time in which some of the same sites took part."""
        found: list[Claimed] = []
        sites = {site.site_id for site in report.sites}
        for stored in events:
            event, other = stored.event, self._portfolio.program_of(stored.event)
            if other is None or event.cancelled or event.program_id == program.program_id:
                continue
            if event.window.intersection(report.header.window) is None:
                continue
            beside = await self._report(event.key)
            if beside is None or beside.account is None or not sites & beside.account.sites.keys():
                continue
            found.append(
                Claimed(
                    program=other,
                    event_key=event.key,
                    account=beside.account,
                    version=beside.version,
                )
            )
        return found

    async def _peaks(
        self, program: Program, period: StatementPeriod, told: Sequence[Determinant]
    ) -> Mapping[date, PeakLoad]:
        """What sites drew in the system's peaks that were told."""
        holds = newest(told)
        found: dict[date, PeakLoad] = {}
        for month in peak_months(program, period):
            one = holds.get((What.PEAK, f"{month:%Y-%m}"))
            if one is not None:
                interval = top_interval(program, one)
                sites = self._portfolio.enrolled(program.program_id, interval.start)
                loads = {site: await self._mean_kw(program, site, interval) for site in sites}
                found[month] = PeakLoad(interval=interval, by_site=loads)
        return found

    async def _mean_kw(self, program: Program, site_id: str, interval: Interval) -> Decimal | None:
        """A site's mean load over an interval; None: too little of it was measured."""
        series = await self._telemetry.series(site_id, points.PCC_POWER_W, interval)
        seconds = interval.duration.total_seconds() if interval.duration else 0.0
        if series.covered_seconds(interval) < MIN_INTERVAL_COVERAGE * seconds:
            return None
        mean_w = series.mean(interval)
        if mean_w is None:
            return None
        load_w = mean_w if program.export is ExportRule.COUNTED else max(0.0, mean_w)
        return kilowatts(load_w)

    async def _last_factors(
        self,
        program: Program,
        period: StatementPeriod,
        reports: Sequence[ParticipationReport],
        events: Sequence[StoredEvent],
        told: Sequence[Determinant],
    ) -> Mapping[date, LastFactor]:
        """By month that has nothing else to go by, the factor of the season before."""
        if not program.rules.capacity_pay:
            return {}
        holds, found = newest(told), {}
        for month in period.months():
            own = [one for one in reports if in_season(program, one, month)]
            if standing_of(program, own, month).factor is not None:
                continue
            for name, first, last in _seasons_before(program, month):
                one = holds.get((What.FACTOR, name))
                if one is not None and one.value is not None:
                    found[month] = LastFactor(
                        factor=one.value, because=f"that of {name}, {one.words}"
                    )
                    break
                known = await self._of_season(program, events, first, last)
                if known is not None:
                    found[month] = replace(known, because=f"that of {name}, {known.because}")
                    break
        return found

    async def _of_season(
        self, program: Program, events: Sequence[StoredEvent], first: date, last: date
    ) -> LastFactor | None:
        """The factor with which a season ended, from its own reports."""
        span = span_of(first, last, program.zone)
        inside = [
            one
            for one in events
            if one.event.program_id == program.program_id
            and not one.event.cancelled
            and one.event.window.start in span
        ]
        reports, _ = await self._reports(inside, span)
        return season_factor(program, reports, first, last)


def counted(
    program: Program, period: StatementPeriod, events: Sequence[StoredEvent]
) -> Sequence[StoredEvent]:
    """The events that bear on a period's statement, in order of time."""
    return sorted(
        (one for one in events if _counts(one, program, period)),
        key=lambda one: (one.event.window.start, one.event.key),
    )


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


def _seasons_before(program: Program, month: date) -> Iterator[tuple[str, date, date]]:
    """Name, first and last day of the same season a year before those a month touches."""
    if not program.rules.seasons:
        year = month.year - 1
        yield f"{year}", date(year, 1, 1), date(year, 12, 31)
    for season in program.rules.seasons:
        first = _begins(season, month)
        if first is not None:
            begun = on(season.first, first.year - 1)
            yield f"{begun.year}-{season.name}", *season.around(begun)


def _begins(season: Season, month: date) -> date | None:
    """The first day of the run of a season that a month touches."""
    days = (date.fromordinal(n) for n in range(month.toordinal(), next_month(month).toordinal()))
    day = next((one for one in days if season.holds(one)), None)
    return None if day is None else season.around(day)[0]


def _last_of(month: date) -> date:
    return date.fromordinal(next_month(month).toordinal() - 1)
