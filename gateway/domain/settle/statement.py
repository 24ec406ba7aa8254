"""The statement of a program's month or season, from reports, commitments, rules and contracts.

Event lines are the reports' own; capacity is paid by month on what was promised, season averages
when the season ends. Everything is rounded at the line, shared to the cent, and summed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.factor import EventResult, Standing, standing_factor
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.program import Program
from gateway.domain.program.performing import Performance
from gateway.domain.program.season import Season
from gateway.domain.program.wall import local_day, span_of
from gateway.domain.settle.account import (
    NO_CONTRACT,
    AccountLine,
    Input,
    PeriodStatement,
    SitePart,
)
from gateway.domain.settle.capacity import Holding, PayPeriod, capacity_lines
from gateway.domain.settle.line import Line, plain, said
from gateway.domain.settle.parts import weights_kwh
from gateway.domain.settle.period import StatementPeriod, next_month, season_ending_in
from gateway.domain.settle.season import average_lines
from gateway.domain.settle.sharing import Sharing, split
from gateway.domain.words import pct

_DIGITS = Decimal("1e-9")
"""To which a ratio that was stored as a float is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a statement is made from."""

    program: Program
    """The version in force when the period begins."""
    period: StatementPeriod
    reports: Sequence[ParticipationReport]
    """The newest of every event of the year and season the period lies in, up to its end."""
    unreported: Sequence[str] = ()
    """Events of the period that should have a report and have none yet."""
    committed_kw: Mapping[date, Mapping[str, Decimal]] = field(default_factory=dict)
    """By first day of a month and site, what was promised, kW."""
    contracts: Mapping[str, Sharing] = field(default_factory=dict)
    """By site; capacity is shared by these, events by what their reports say."""
    networks: frozenset[str] = frozenset()
    """Network groups of the sites enrolled, which may name the tier that is paid."""
    names: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False


def period_statement(grounds: Grounds, now: datetime) -> PeriodStatement:
    """The statement as of now; its version is given when it is stored."""
    program, period = grounds.program, grounds.period
    lines = (*_capacity(grounds), *_events(grounds), *_average(grounds))
    waits_for = tuple(_waits_for(grounds, now))
    return PeriodStatement(
        subject=program.program_id,
        name=program.name,
        period=period.name,
        first=period.first,
        last=period.last,
        time_zone=program.zone.key,
        version=0,
        final=not waits_for,
        created_at=now,
        simulated=grounds.simulated or any(one.header.simulated for one in grounds.reports),
        lines=tuple(
            sorted(lines, key=lambda one: (one.line.subject, one.line.kind, one.line.rule))
        ),
        inputs=tuple(_inputs(grounds)),
        waits_for=waits_for,
        names=dict(grounds.names) | {s.site_id: s.name for r in grounds.reports for s in r.sites},
    )


def result_of(report: ParticipationReport) -> EventResult:
    """What a report says of its event, for factors and means."""
    head, pct_of, mean_w = (
        report.header,
        report.figures.performance_pct,
        report.figures.delivered_mean_w,
    )
    return EventResult(
        event_key=head.event_key,
        window=head.window,
        ratio=None if pct_of is None else (Decimal(repr(pct_of)) / 100).quantize(_DIGITS),
        mean_kw=ZERO if mean_w is None else (Decimal(repr(mean_w)) / 1000).quantize(_DIGITS),
        test=head.test,
        opted_out=head.opt == "optOut",
    )


def _waits_for(grounds: Grounds, now: datetime) -> Iterator[str]:
    end = grounds.period.span(grounds.program.zone).end
    if end is None or now < end:
        yield f"the end of {grounds.period.name}"
    for report in _of_period(grounds):
        if not report.final:
            yield f"the FINAL report of {report.header.event_key}"
    for key in grounds.unreported:
        yield f"a report of {key}"


def _inputs(grounds: Grounds) -> Iterator[Input]:
    for report in grounds.reports:
        status = "FINAL" if report.final else "PRELIMINARY"
        value = f"version {report.version}, {status}, sha256 {_digest(report)}"
        yield Input(name=_report_name(report), value=value)
    for month in grounds.period.months():
        kw = grounds.committed_kw.get(month, {})
        each = ", ".join(f"{site} {said(value)}" for site, value in sorted(kw.items()))
        whole = said(sum(kw.values(), ZERO))
        yield Input(name=f"commitment {month:%Y-%m}", value=f"{whole} kW: {each or 'no site'}")
    rules = grounds.program.rules
    parts = [one.words for one in rules.capacity_pay] + [one.words for one in rules.average_pay]
    parts += [one.words for one in rules.performance]
    version = f"version {grounds.program.version}"
    yield Input(name="rules", value=": ".join(filter(None, (version, "; ".join(parts)))))
    each = ", ".join(f"{site}: {_terms(one)}" for site, one in sorted(grounds.contracts.items()))
    yield Input(name="contracts", value=each or "none")


def _capacity(grounds: Grounds) -> Iterator[AccountLine]:
    for month in grounds.period.months():
        kw = grounds.committed_kw.get(month, {})
        whole = sum(kw.values(), ZERO)
        if whole == 0:
            continue
        of_season = [one for one in grounds.reports if _with(grounds.program, one, month)]
        names = (
            *(_report_name(one) for one in of_season),
            *(f"commitment {month:%Y-%m}", "rules", "contracts"),
        )
        lines = capacity_lines(
            grounds.program,
            Holding(committed_kw=whole, tier=_tier(grounds)),
            PayPeriod(subject=f"{month:%Y-%m}", first=month),
            _standing(grounds.program, of_season, month),
            [one.header.window.start for one in of_season if not one.header.test],
        )
        for line in lines:
            yield _shared(grounds.program, line, names, grounds.contracts, kw)


def _standing(program: Program, reports: Sequence[ParticipationReport], month: date) -> Standing:
    rules = program.rules
    rule = rules.performance[0] if rules.performance else Performance()
    last = date.fromordinal(next_month(month).toordinal() - 1)
    return standing_factor(
        map(result_of, reports),
        rule,
        span_of(month, last, program.zone),
        tests_set_it=rules.tests is not None and rules.tests.sets_factor,
    )


def _events(grounds: Grounds) -> Iterator[AccountLine]:
    for report in grounds.reports:
        for line in report.lines:
            if _month_of(grounds.program, report, line) in set(grounds.period.months()):
                name = _report_name(report)
                weights = weights_kwh(report, line)
                yield _shared(grounds.program, line, (name,), report.sharing, weights)


def _average(grounds: Grounds) -> Iterator[AccountLine]:
    program = grounds.program
    season = season_ending_in(grounds.period, program.rules.seasons)
    if season is None or not program.rules.average_pay:
        return
    first, last = season.around(_day_of(season, grounds.period))
    inside = span_of(first, last, program.zone)
    reports = [
        one for one in grounds.reports if one.header.window.start in inside and not one.header.test
    ]
    weights: dict[str, Decimal] = {}
    for report in reports:
        for site in report.sites:
            energy = max(ZERO, Decimal(repr(site.reduced_wh or 0.0)) / 1000)
            weights[site.site_id] = weights.get(site.site_id, ZERO) + energy
    names = (*(_report_name(one) for one in reports), "rules", "contracts")
    for line in average_lines(program, f"{season.name} {first.year}", map(result_of, reports)):
        yield _shared(program, line, names, grounds.contracts, weights)


def _day_of(season: Season, period: StatementPeriod) -> date:
    day = period.first
    while not season.holds(day):
        day = date.fromordinal(day.toordinal() + 1)
    return day


def _shared(
    program: Program,
    line: Line,
    inputs: tuple[str, ...],
    contracts: Mapping[str, Sharing],
    weights: Mapping[str, Decimal],
) -> AccountLine:
    rest, parts = split(line, contracts, weights) if line.amount is not None else (None, {})
    return AccountLine(
        program=program.name,
        line=line,
        inputs=inputs,
        aggregator=rest,
        sites={
            site: SitePart(
                weight=plain(weight),
                amount=parts.get(site),
                terms=_terms(contracts[site]) if site in contracts else "",
                problem="" if site in parts else (line.problem or NO_CONTRACT),
            )
            for site, weight in sorted(weights.items())
        },
    )


def _terms(contract: Sharing) -> str:
    earned, charged = float(contract.site_share), float(contract.site_share_of_charges)
    return f"{pct(earned)} of what it earns, {pct(charged)} of charges it causes"


def _tier(grounds: Grounds) -> str:
    """The tier of the capacity payment that our product or network names, where it is one."""
    known = {one.tier for one in grounds.program.rules.capacity_pay} - {""}
    named = known & ({grounds.program.product} | grounds.networks)
    return next(iter(named)) if len(named) == 1 else ""


def _with(program: Program, report: ParticipationReport, month: date) -> bool:
    """Whether an event is of the season (without seasons: the year) of a month, and not later."""
    day = local_day(report.header.window.start, program.zone)
    if day >= next_month(month):
        return False
    seasons = [one for one in program.rules.seasons if _touches(one, month)]
    if not program.rules.seasons:
        return day.year == month.year
    return any(one.holds(day) and _same_run(one, day, month) for one in seasons)


def _touches(season: Season, month: date) -> bool:
    return any(season.holds(day) for day in _days(month))


def _same_run(season: Season, day: date, month: date) -> bool:
    first, last = season.around(day)
    return first < next_month(month) and month <= last


def _days(month: date) -> Iterable[date]:
    return map(date.fromordinal, range(month.toordinal(), next_month(month).toordinal()))


def _month_of(program: Program, report: ParticipationReport, line: Line) -> date:
    """The month a report's line falls to: the one it names, else that of the event's start."""
    _, _, named = line.subject.removeprefix(report.header.event_key).partition(", ")
    if named:
        year, _, month = named.partition("-")
        return date(int(year), int(month), 1)
    return local_day(report.header.window.start, program.zone).replace(day=1)


def _of_period(grounds: Grounds) -> Iterator[ParticipationReport]:
    inside: Interval = grounds.period.span(grounds.program.zone)
    return (one for one in grounds.reports if one.header.window.start in inside)


def _report_name(report: ParticipationReport) -> str:
    return f"report of {report.header.event_key}"


def _digest(report: ParticipationReport) -> str:
    """Of what a statement takes from a report."""
    taken = (report.figures, report.lines, report.sharing, [s.inputs_hash for s in report.sites])
    return hashlib.sha256(repr(taken).encode()).hexdigest()[:12]
