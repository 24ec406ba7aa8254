"""The report as tables, for spreadsheets and for a utility's own analysis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from contracts.power import kw_from_watts
from contracts.time import Interval
from gateway.domain.measure.report import Curves, DataRemark, ParticipationReport
from gateway.domain.settle.line import Line
from gateway.reports.audience import Variant
from gateway.reports.axes import end_of
from gateway.reports.short_rows import PORTFOLIO, short_tables
from gateway.reports.tables import Cell, Table, as_csv
from gateway.reports.view import SIMULATED, ReportView, report_view

COLUMNS = (
    "event",
    "report_version",
    "status",
    "data_label",
    "site_id",
    "start_utc",
    "end_utc",
    "start_local",
    "in_event",
    "baseline_kw",
    "actual_kw",
    "target_kw",
    "reduction_kw",
    "reduction_kwh",
    "coverage",
)
LINE_COLUMNS = (
    "line",
    "subject",
    "quantity",
    "unit",
    "price",
    "amount",
    "currency",
    "example_rate",
    "rule_and_inputs",
)
DATA_COLUMNS = (
    *("site_id", "meter", "part", "what", "start_utc", "end_utc", "intervals", "reason"),
)
_DECIMALS = 4


def report_csv(report: ParticipationReport, zone: tzinfo | None = None) -> str:
    """The intervals as CSV, see `intervals`."""
    return as_csv(intervals(report, zone)).decode()


def intervals(report: ParticipationReport, zone: tzinfo | None = None) -> Table:
    """One row an interval: the portfolio first, then every site.

    Intervals are the steps of the baseline (of the target where there is no baseline), cut at the
    event's borders. Empty cells mean unknown. `reduction` is baseline less actual.
    """
    head = report.header
    status = "FINAL" if report.final else "PRELIMINARY"
    first = (head.event_key, report.version, status, SIMULATED if head.simulated else "")
    tz = zone or ZoneInfo(head.time_zone)
    subjects = [(PORTFOLIO, report.curves), *((s.site_id, s.curves) for s in report.sites)]
    rows = [
        (*first, name, *_row(curves, interval, interval.start in head.window, tz))
        for name, curves in subjects
        for interval in _intervals(curves, head.window)
    ]
    return Table(name="Intervals", columns=COLUMNS, rows=rows)


def tables(shown: Variant, zone: ZoneInfo | None = None) -> tuple[Table, ...]:
    """Everything of a report: what page and PDF say, the lines as numbers, and the intervals."""
    view = report_view(shown, zone)
    return (
        _facts(view),
        Table(
            name="Sites",
            columns=(
                *("site_id", "site", "nominated_kw", "asked_kw", "delivered_kw"),
                *("performance_pct", "reduced_kwh", "vehicles_ready", "vehicles", "opted_out"),
                "coverage",
            ),
            rows=[
                (
                    *(one.site_id, one.name, _kw(one.nominated_w), _kw(one.asked_mean_w)),
                    *(_kw(one.delivered_mean_w), one.performance_pct, _kw(one.reduced_wh)),
                    *(one.vehicles_ready, one.vehicles_total, "yes" if one.opted_out else "no"),
                    one.coverage,
                )
                for one in shown.report.sites
            ],
        ),
        *short_tables(shown.report),
        Table(
            name="Exceptions",
            columns=("local_time", "site", "what", "about", "details"),
            rows=[(e.at, e.site, e.kind, e.subject, e.text) for e in view.exceptions],
        ),
        Table(
            name="Data",
            columns=DATA_COLUMNS,
            rows=[_remark(one) for one in shown.report.data],
        ),
        Table(
            name="Changes",
            columns=("where", "what", "unit", "before", "after"),
            rows=[
                (one.where, one.what, one.unit, one.before, one.after)
                for one in shown.report.changes
            ],
        ),
        Table(
            name="Settlement",
            columns=LINE_COLUMNS,
            rows=[line_row(one) for one in shown.report.lines],
        ),
        intervals(shown.report, zone),
    )


def line_row(line: Line) -> tuple[Cell, ...]:
    """A line of money; an empty amount is not known, and the last cell says why."""
    return (
        *(line.kind.value, line.subject, line.quantity, line.unit, line.price, line.amount),
        *(line.currency, "yes" if line.example else "no", line.words),
    )


def _remark(one: DataRemark) -> tuple[Cell, ...]:
    return (
        *(one.site_id, one.meter, one.part, one.what, one.window.start.isoformat()),
        *(end_of(one.window).isoformat(), one.intervals, one.reason),
    )


def _facts(view: ReportView) -> Table:
    rows: list[tuple[Cell, ...]] = [
        ("Report", view.title),
        ("For", view.audience),
        ("Version", f"{view.version}, {', '.join(view.labels)}"),
        ("Created", view.created),
        *((fact.label, fact.value) for fact in view.facts),
        *((one.label, f"{one.value} {one.unit}".strip()) for one in view.figures),
        ("Settlement", view.settlement),
        ("Data", " ".join(view.data.words)),
        ("Baseline", view.method),
        ("Judged by", view.performance),
        ("Intervals estimated, not measured", view.estimated_intervals),
    ]
    return Table(name="Summary", columns=("item", "value"), rows=rows)


def _row(curves: Curves, interval: Interval, in_event: bool, tz: tzinfo) -> tuple[Cell, ...]:
    baseline, actual, target = (
        _kw(series.mean(interval)) for series in (curves.baseline, curves.actual, curves.target)
    )
    reduction = None
    if baseline is not None and actual is not None:
        reduction = round(baseline - actual, _DECIMALS)
    seconds = (end_of(interval) - interval.start).total_seconds()
    return (
        interval.start.isoformat(),
        end_of(interval).isoformat(),
        interval.start.astimezone(tz).isoformat(),
        "yes" if in_event else "no",
        baseline,
        actual,
        target,
        reduction,
        None if reduction is None else round(reduction * seconds / 3600, _DECIMALS),
        round(curves.actual.covered_seconds(interval) / seconds, _DECIMALS),
    )


def _kw(power_w: float | None) -> float | None:
    return None if power_w is None else round(kw_from_watts(power_w), _DECIMALS)


def _intervals(curves: Curves, window: Interval) -> Iterator[Interval]:
    leading = curves.baseline if curves.baseline.steps else curves.target
    steps = leading.clip(curves.span)
    edges = {curves.span.start, end_of(curves.span), window.start, window.end}
    edges |= {edge for step in steps for edge in (step.interval.start, step.interval.end)}
    inside = sorted(
        edge for edge in edges if edge and curves.span.start <= edge <= end_of(curves.span)
    )
    for start, end in pairwise(inside):
        yield Interval(start=start, end=end)
