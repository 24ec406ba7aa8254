"""A participation report as rows of text: the one thing both the page and the PDF show.

Everything is already in kW, kWh, % and local time with its zone; "n/a" stands for unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from gateway.domain.event import Opt
from gateway.domain.measure.report import (
    KeyFigures,
    ParticipationReport,
    ReportException,
    ReportHeader,
)
from gateway.domain.measure.shortfall import WORDS
from gateway.domain.settle.line import Line, Statement, said, statement
from gateway.reports import words
from gateway.reports.audience import Audience, Variant
from gateway.reports.data_rows import DataView, data_view
from gateway.reports.part_rows import PartRow, part_rows
from gateway.reports.short_rows import (
    AnomalyRow,
    CauseRow,
    ReadyRow,
    anomaly_rows,
    cause_rows,
    ready_rows,
)
from gateway.reports.site_rows import (
    Chart,
    MethodRow,
    SiteRow,
    chart_of,
    method_row,
    site_row,
)

SIMULATED = "SIMULATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One labelled line of the header."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One key figure; `unit` is empty when the value is unknown."""

    key: str
    label: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRow:
    """One thing that did not go to plan."""

    at: str
    site: str
    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidRow:
    """One line of the settlement."""

    what: str
    quantity: str
    price: str
    amount: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """The whole report as text."""

    title: str
    labels: tuple[str, ...]
    """SIMULATED, TEST EVENT, then PRELIMINARY or FINAL."""
    simulated: bool
    status: str
    version: int
    event_key: str
    program: str
    window: str
    created: str
    zone: str
    facts: tuple[Fact, ...]
    figures: tuple[Figure, ...]
    chart: Chart
    sites: tuple[SiteRow, ...]
    causes: tuple[CauseRow, ...]
    """Why less was given than planned; empty where nothing is missing."""
    ready: tuple[ReadyRow, ...]
    """Availability, response and rebound."""
    anomalies: tuple[AnomalyRow, ...]
    exceptions: tuple[ExceptionRow, ...]
    data: DataView
    """By what it was measured, what is to be said of that, what changed since the last version."""
    settlement: str
    paid: tuple[PaidRow, ...]
    parts: tuple[PartRow, ...]
    """Of aggregator and sites; empty to all but the operator, and where no contract is known."""
    method: str
    performance: str
    """The rule by which delivery is judged."""
    estimated_intervals: int
    methods: tuple[MethodRow, ...]
    audience: str
    """For whom it is."""


def report_view(
    shown: Variant, zone: ZoneInfo | None = None, part: slice = slice(None)
) -> ReportView:
    """Turn the document into what people read, in the report's own time zone or another.

    `part`: which sites are told one by one, with what went wrong there; figures and money are of
    all of them.
    """
    audience = shown.audience
    report = _told(shown.report, part)
    head, tz = report.header, zone or ZoneInfo(report.header.time_zone)
    status = "FINAL" if report.final else "PRELIMINARY"
    labels = (SIMULATED if head.simulated else "", "TEST EVENT" if head.test else "", status)
    names = {site.site_id: site.name for site in report.sites}
    told = report.sites[part]
    return ReportView(
        title=f"Participation report: {head.program_name}, event {head.event_id}",
        labels=tuple(label for label in labels if label),
        simulated=head.simulated,
        status=status,
        version=report.version,
        event_key=head.event_key,
        program=head.program_name,
        window=words.span(head.window, tz),
        created=words.moment(report.created_at, tz),
        zone=words.zone(head.window.start, tz),
        facts=_facts(head, tz, own=audience is Audience.OWNER),
        figures=_figures(report.figures),
        chart=chart_of("Portfolio", report.curves, head, tz),
        sites=tuple(site_row(site, head, tz) for site in told),
        causes=cause_rows(report, told),
        ready=ready_rows(report, told),
        anomalies=anomaly_rows(report, names, tz),
        exceptions=tuple(_exception(e, names, tz) for e in report.exceptions),
        data=data_view(report, names, tz),
        settlement=_settlement(statement(report.lines)),
        paid=tuple(_paid(line, head.event_key) for line in report.lines),
        parts=part_rows(report, names, {site.site_id for site in told}),
        method=report.method,
        performance=report.performance_rule or "delivered over committed",
        estimated_intervals=report.estimated_intervals,
        methods=tuple(method_row(site) for site in told),
        audience=shown.words,
    )


def _told(report: ParticipationReport, part: slice) -> ParticipationReport:
    """Without what went wrong at other sites than these."""
    others = {one.site_id for one in report.sites} - {one.site_id for one in report.sites[part]}
    if not others:
        return report
    return replace(
        report,
        exceptions=tuple(one for one in report.exceptions if one.site_id not in others),
        anomalies=tuple(one for one in report.anomalies if one.site_id not in others),
        data=tuple(one for one in report.data if one.site_id not in others),
    )


def _facts(head: ReportHeader, tz: tzinfo, *, own: bool) -> tuple[Fact, ...]:
    answer = {Opt.IN.value: "Opted in", Opt.OUT.value: "Opted out"}.get(head.opt, head.opt)
    applied = head.all_applied_s
    rows = {
        "Program": f"{head.program_name} ({head.program_id})",
        "Utility": head.utility_id,
        "Event": f"{head.event_id}{' (test event)' if head.test else ''}",
        "Window": f"{words.span(head.window, tz)} ({words.duration(head.window.duration)})",
        "Asked": head.signal,
        "Notified": f"{words.moment(head.notified_at, tz)}{_notice(head)}",
        "Our answer": f"{answer}: {head.opt_cause}" if head.opt_cause else answer,
        "Answer sent": words.moment(head.opted_in_at, tz),
    }
    if not own:  # what all sites together did is not told to one of them
        rows |= {
            "First site responded": _after_start(head.first_response_at, head, tz),
            "All chargers limited": (
                words.NA if applied is None else f"{words.number(applied)} s after the start"
            ),
        }
    return tuple(Fact(label=label, value=value) for label, value in rows.items())


def _notice(head: ReportHeader) -> str:
    lead = head.window.start - head.notified_at
    if lead.total_seconds() < 0:
        return " (after the start)"
    return f" ({words.duration(lead)} before the start)"


def _after_start(at: datetime | None, head: ReportHeader, tz: tzinfo) -> str:
    if at is None:
        return words.NA
    late_s = (at - head.window.start).total_seconds()
    when = "after" if late_s >= 0 else "before"
    return f"{words.clock(at, tz)} ({words.number(abs(late_s))} s {when} the start)"


def _figures(figures: KeyFigures) -> tuple[Figure, ...]:
    def figure(key: str, label: str, value: str, unit: str, note: str) -> Figure:
        return Figure(
            key=key, label=label, value=value, unit="" if value == words.NA else unit, note=note
        )

    kilo, performance = words.kilo, words.number(figures.performance_pct, 0)
    coverage = words.share(figures.coverage).removesuffix(" %")
    there, speed = figures.availability, figures.response
    available = words.share(there.there_share).removesuffix(" %")
    return (
        figure("performance", "Performance", performance, "%", _counts_as(figures)),
        figure("delivered", "Delivered", kilo(figures.delivered_mean_w), "kW", "mean"),
        figure("worst", "Worst interval", kilo(figures.delivered_min_w), "kW", "delivered"),
        figure("reduced", "Energy reduced", kilo(figures.reduced_wh), "kWh", "over the event"),
        figure("asked", "Asked", kilo(figures.target_mean_w), "kW", "mean"),
        figure("nominated", "Nominated", kilo(figures.nominated_w), "kW", "promised"),
        figure("rebound", "Rebound", kilo(figures.rebound_w), "kW", _rebound(figures)),
        figure("coverage", "Data coverage", coverage, "%", "of the event measured"),
        figure("missing", "Missing", kilo(_missing_w(figures)), "kW", _main_cause(figures)),
        figure("available", "Available", available, "%", "of the time what was promised"),
        figure("still", "Still there", kilo(there.still_w), "kW", "not asked for, mean"),
        figure("response", "Response", words.number(speed.full_s, 0), "s", _first(figures)),
    )


def _rebound(figures: KeyFigures) -> str:
    if figures.rebound_wh is None:
        return "above baseline, after"
    return f"above baseline; {words.energy(figures.rebound_wh)}"


def _missing_w(figures: KeyFigures) -> float | None:
    """None where it is not known, as in documents of before."""
    if figures.shortfall is not None:
        return figures.shortfall.mean_w
    known = figures.rebound_wh is not None and figures.delivered_mean_w is not None
    return 0.0 if known else None


def _main_cause(figures: KeyFigures) -> str:
    found = figures.shortfall
    return f"mostly: {WORDS[found.parts[0].cause]}" if found else "of what was asked"


def _first(figures: KeyFigures) -> str:
    first = figures.response.first_s
    return "to 90 % of it" if first is None else f"to 90 %; first after {words.number(first, 0)} s"


def _counts_as(figures: KeyFigures) -> str:
    """What is said below the performance: another figure where the rule makes one of it."""
    factor, shown = figures.factor_pct, figures.performance_pct
    if factor is None or shown is None or words.number(factor, 0) == words.number(shown, 0):
        return "delivered over asked"
    return f"counts as {words.percent(factor)}"


def _settlement(whole: Statement) -> str:
    if not whole.lines:
        return "No price is set for this program: nothing to settle."
    totals = [words.money(amount, currency) for currency, amount in whole.totals.items()]
    text = (
        f"Estimated payment for the event: {', '.join(totals)}."
        if totals
        else "Nothing is priced yet."
    )
    if whole.unpriced:
        text += " Lines without an amount are no part of it."
    if any(line.example for line in whole.lines):
        text += " By example rates: no tariff in force was read."
    return text


def _paid(line: Line, event_key: str) -> PaidRow:
    unit = f"{line.currency}/{line.unit}" + ", example rate" * line.example
    return PaidRow(
        what=line.kind.value + line.subject.removeprefix(event_key),
        quantity=f"{said(line.quantity)} {line.unit}".strip(),
        price=words.NA if line.price is None else f"{said(line.price)} {unit}",
        amount=words.NA if line.amount is None else words.money(line.amount, line.currency),
        why=line.words,
    )


def _exception(row: ReportException, names: dict[str, str], tz: tzinfo) -> ExceptionRow:
    return ExceptionRow(
        at=words.clock(row.at, tz),
        site=names.get(row.site_id, row.site_id) or "(portfolio)",
        kind=row.kind.replace("-", " "),
        subject=row.subject,
        text=row.text,
    )
