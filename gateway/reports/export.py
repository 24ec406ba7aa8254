"""The report's intervals as CSV, for spreadsheets and for a utility's own analysis."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from contracts.power import kw_from_watts
from contracts.time import Interval
from gateway.domain.measure.report import Curves, ParticipationReport
from gateway.reports.axes import end_of
from gateway.reports.view import SIMULATED

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
PORTFOLIO = "(portfolio)"
_DECIMALS = 4


def report_csv(report: ParticipationReport) -> str:
    """One row an interval: the portfolio first, then every site.

    Intervals are the steps of the baseline (of the target where there is no baseline), cut at the
    event's borders. Empty cells mean unknown. `reduction` is baseline less actual.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    head = report.header
    status = "FINAL" if report.final else "PRELIMINARY"
    first = (_cell(head.event_key), report.version, status, SIMULATED if head.simulated else "")
    tz = ZoneInfo(head.time_zone)
    subjects = [(PORTFOLIO, report.curves), *((s.site_id, s.curves) for s in report.sites)]
    for name, curves in subjects:
        for interval in _intervals(curves, head.window):
            row = _row(curves, interval, interval.start in head.window, tz)
            writer.writerow((*first, _cell(name), *row))
    return out.getvalue()


def _row(
    curves: Curves, interval: Interval, in_event: bool, tz: tzinfo
) -> tuple[str | float | None, ...]:
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


def _cell(text: str) -> str:
    """Text from outside that a spreadsheet would run as a formula is made plain text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
