"""The lines of a month or season: capacity, events, limits of a month, averages and peaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.program import Program
from gateway.domain.program.season import Season
from gateway.domain.program.wall import days_of, local_day, span_of
from gateway.domain.settle.account import NO_CONTRACT, AccountLine, SitePart
from gateway.domain.settle.capacity import Holding, PayPeriod, capacity_lines
from gateway.domain.settle.determinant import What
from gateway.domain.settle.event_lines import Settled, event_lines
from gateway.domain.settle.grounds import Grounds, in_season, report_name, result_of, standing_of
from gateway.domain.settle.limits import claw_back_lines, stop_loss_lines
from gateway.domain.settle.line import Kind, Line, plain
from gateway.domain.settle.peaks import charges, peak_months
from gateway.domain.settle.period import StatementPeriod, season_ending_in
from gateway.domain.settle.season import average_lines
from gateway.domain.settle.sharing import Sharing, split
from gateway.domain.words import pct


def period_lines(grounds: Grounds) -> Iterator[AccountLine]:
    """Month by month what is held and delivered, then what a season or year brings."""
    events = _events(grounds)
    for month in grounds.period.months():
        capacity = list(_capacity(grounds, month))
        yield from (*capacity, *events.get(month, ()))
        yield from _stop_loss(grounds, month, events.get(month, ()))
        yield from _claw_back(grounds, month, capacity)
    yield from _average(grounds)
    yield from _peaks(grounds)


def _capacity(grounds: Grounds, month: date) -> Iterator[AccountLine]:
    kw = grounds.committed_kw.get(month, {})
    whole = sum(kw.values(), ZERO)
    if whole == 0:
        return
    of_season = [one for one in grounds.reports if in_season(grounds.program, one, month)]
    last = grounds.last_factor.get(month)
    standing = standing_of(grounds.program, of_season, month, None if last is None else last.factor)
    names = (
        *(report_name(one) for one in of_season),
        *(f"commitment {month:%Y-%m}", "rules", "contracts"),
        *((f"factor before {month:%Y-%m}",) if last is not None else ()),
    )
    lines = capacity_lines(
        grounds.program,
        Holding(committed_kw=whole, tier=_tier(grounds)),
        PayPeriod(subject=f"{month:%Y-%m}", first=month),
        standing,
        [one.header.window.start for one in of_season if not one.header.test],
    )
    for line in lines:
        made = _shared(grounds.program, line, names, grounds.contracts, kw)
        yield replace(made, month=f"{month:%Y-%m}")


def _events(grounds: Grounds) -> Mapping[date, Sequence[AccountLine]]:
    """The lines of events, by the month they fall to."""
    months = set(grounds.period.months())
    found: dict[date, list[AccountLine]] = {}
    for report in grounds.reports:
        key = report.header.event_key
        touched = days_of(report.header.window, grounds.program.zone)
        if not months & {day.replace(day=1) for day in touched}:
            continue
        settled = Settled(
            report=report,
            program=grounds.programs.get(key, grounds.program),
            told=grounds.told,
            others=grounds.others.get(key, ()),
        )
        for one in event_lines(settled):
            month = _month_of(grounds.program, report, one.line)
            if month in months:
                names = (report_name(report), *one.inputs)
                made = _shared(grounds.program, one.line, names, report.sharing, one.weights)
                line = replace(made, month=f"{month:%Y-%m}", event_key=key)
                found.setdefault(month, []).append(line)
    return found


def _stop_loss(
    grounds: Grounds, month: date, events: Sequence[AccountLine]
) -> Iterator[AccountLine]:
    owed = grounds.committed_kw.get(month, {})
    lines = [one.line for one in events]
    for line in stop_loss_lines(grounds.program, f"{month:%Y-%m}", lines, sum(owed.values(), ZERO)):
        mine = [one for one in events if one.line.rule == line.rule]
        names = tuple(dict.fromkeys(name for one in mine for name in one.inputs))
        weights: dict[str, Decimal] = {}
        for one in mine:
            for site, part in one.sites.items():
                weights[site] = weights.get(site, ZERO) + max(ZERO, -(part.amount or ZERO))
        names = (*names, f"commitment {month:%Y-%m}")
        made = _shared(grounds.program, line, names, grounds.contracts, weights, charge=True)
        yield replace(made, month=f"{month:%Y-%m}")


def _claw_back(
    grounds: Grounds, month: date, capacity: Sequence[AccountLine]
) -> Iterator[AccountLine]:
    mine = [
        one
        for one in grounds.reports
        if local_day(one.header.window.start, grounds.program.zone).replace(day=1) == month
        and not one.header.test
    ]
    paid = [one.line for one in capacity if one.line.kind is Kind.CAPACITY]
    for line in claw_back_lines(
        grounds.program, f"{month:%Y-%m}", paid, [result_of(one) for one in mine]
    ):
        names = (*(report_name(one) for one in mine), f"commitment {month:%Y-%m}", "contracts")
        kw = grounds.committed_kw.get(month, {})
        made = _shared(grounds.program, line, names, grounds.contracts, kw, charge=False)
        yield replace(made, month=f"{month:%Y-%m}")


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
    names = (*(report_name(one) for one in reports), "rules", "contracts")
    for line in average_lines(program, f"{season.name} {first.year}", map(result_of, reports)):
        yield _shared(program, line, names, grounds.contracts, weights)


def _peaks(grounds: Grounds) -> Iterator[AccountLine]:
    months = peak_months(grounds.program, grounds.period)
    lines, weights = charges(grounds.program, months, grounds.peaks)
    told = [f"load in the peak of {month:%Y-%m}" for month in months if month in grounds.peaks]
    told += [one.name for one in grounds.told if one.what is What.PEAK]
    for line in lines:
        names = (*told, "rules", "contracts")
        yield _shared(grounds.program, line, names, grounds.contracts, weights)


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
    *,
    charge: bool | None = None,
) -> AccountLine:
    rest, parts = (
        (None, {}) if line.amount is None else split(line, contracts, weights, charge=charge)
    )
    return AccountLine(
        program=program.name,
        line=line,
        inputs=inputs,
        aggregator=rest,
        sites={
            site: SitePart(
                weight=plain(weight),
                amount=parts.get(site),
                terms=terms_of(contracts[site]) if site in contracts else "",
                problem="" if site in parts else _problem(line),
            )
            for site, weight in sorted(weights.items())
        },
    )


def _problem(line: Line) -> str:
    """Why a site has no part yet, without a word on other sites."""
    if line.kind is Kind.OVER_LEVEL and line.problem:
        return "the firm service levels are not all agreed"
    return line.problem or NO_CONTRACT


def terms_of(contract: Sharing) -> str:
    """A contract in words."""
    earned, charged = float(contract.site_share), float(contract.site_share_of_charges)
    return f"{pct(earned)} of what it earns, {pct(charged)} of charges it causes"


def _tier(grounds: Grounds) -> str:
    """The tier of the capacity payment that our product or network names, where it is one."""
    known = {one.tier for one in grounds.program.rules.capacity_pay} - {""}
    named = known & ({grounds.program.product} | grounds.networks)
    return next(iter(named)) if len(named) == 1 else ""


def _month_of(program: Program, report: ParticipationReport, line: Line) -> date:
    """The month a report's line falls to: the one it names, else that of the event's start."""
    _, _, named = line.subject.removeprefix(report.header.event_key).partition(", ")
    if named:
        year, _, month = named.partition("-")
        return date(int(year), int(month), 1)
    return local_day(report.header.window.start, program.zone).replace(day=1)
