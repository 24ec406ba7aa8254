"""The statement of a program's month or season, from reports, commitments, rules and contracts.

Event lines are the reports' own; capacity is paid by month on what was promised, season averages
when the season ends. Everything is rounded at the line, shared to the cent, and summed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from contracts.time import Interval
from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.settle.account import AccountLine, Input, PeriodStatement, part_totals
from gateway.domain.settle.determinant import expected
from gateway.domain.settle.due import THE_END
from gateway.domain.settle.event_lines import awaited
from gateway.domain.settle.grounds import Grounds, report_name
from gateway.domain.settle.line import said
from gateway.domain.settle.peaks import peak_months, peaks_awaited
from gateway.domain.settle.period_lines import period_lines, terms_of
from gateway.domain.settle.summary import summary_of


def period_statement(grounds: Grounds, now: datetime) -> PeriodStatement:
    """The statement as of now; its version is given when it is stored."""
    program, period = grounds.program, grounds.period
    lines = tuple(period_lines(grounds))
    waits_for = tuple(dict.fromkeys(_waits_for(grounds, lines, now)))
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
        summary=summary_of(
            list(_of_period(grounds)), [one.line for one in lines], part_totals(lines)
        ),
    )


def _waits_for(grounds: Grounds, lines: Sequence[AccountLine], now: datetime) -> Iterator[str]:
    end = grounds.period.span(grounds.program.zone).end
    if end is None or now < end:
        yield f"{THE_END}{grounds.period.name}"
    for report in _of_period(grounds):
        if not report.final:
            yield f"the FINAL report of {report.header.event_key}"
    for key in grounds.unreported:
        yield f"a report of {key}"
    for one in lines:
        missing = awaited(one.line)
        if missing is not None:
            yield f"{missing} ({one.line.kind.value}, {one.line.subject})"
    months = peak_months(grounds.program, grounds.period)
    yield from peaks_awaited(grounds.program, months, grounds.peaks)


def _inputs(grounds: Grounds) -> Iterator[Input]:
    for report in grounds.reports:
        status = "FINAL" if report.final else "PRELIMINARY"
        value = f"version {report.version}, {status}, sha256 {_digest(report)}"
        yield Input(name=report_name(report), value=value)
    for month in grounds.period.months():
        kw = grounds.committed_kw.get(month, {})
        each = ", ".join(f"{site} {said(value)}" for site, value in sorted(kw.items()))
        whole = said(sum(kw.values(), ZERO))
        yield Input(name=f"commitment {month:%Y-%m}", value=f"{whole} kW: {each or 'no site'}")
    for name, value in expected(grounds.told):
        yield Input(name=name, value=value)
    for events in grounds.others.values():
        for one in events:
            program, steps = one.program, len(one.account.steps)
            value = f"of {program.name}, {steps} intervals, version {one.version}"
            yield Input(name=f"claim of {one.event_key}", value=value)
    for month, last in grounds.last_factor.items():
        value = f"{said(last.factor)}: {last.because}"
        yield Input(name=f"factor before {month:%Y-%m}", value=value)
    for month, load in grounds.peaks.items():
        each = ", ".join(
            f"{site} {'not measured' if kw is None else said(kw)}"
            for site, kw in sorted(load.by_site.items())
        )
        yield Input(name=f"load in the peak of {month:%Y-%m}", value=f"kW: {each or 'no site'}")
    rules = grounds.program.rules
    parts = [one.words for one in rules.capacity_pay] + [one.words for one in rules.average_pay]
    parts += [one.words for one in rules.performance]
    version = f"version {grounds.program.version}"
    yield Input(name="rules", value=": ".join(filter(None, (version, "; ".join(parts)))))
    each = ", ".join(f"{site}: {terms_of(one)}" for site, one in sorted(grounds.contracts.items()))
    yield Input(name="contracts", value=each or "none")


def _of_period(grounds: Grounds) -> Iterator[ParticipationReport]:
    inside: Interval = grounds.period.span(grounds.program.zone)
    return (one for one in grounds.reports if one.header.window.start in inside)


def _digest(report: ParticipationReport) -> str:
    """Of what a statement takes from a report."""
    taken = (report.figures, report.lines, report.sharing, [s.inputs_hash for s in report.sites])
    return hashlib.sha256(repr(taken).encode()).hexdigest()[:12]
