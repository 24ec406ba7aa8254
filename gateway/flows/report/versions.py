"""Versions of one event's report: what differs between two, and whether a new one is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from gateway.domain.measure.difference import Value, difference
from gateway.domain.measure.report import DataRemark, ParticipationReport, ReportChange


def report_changes(
    before: ParticipationReport, after: ParticipationReport
) -> tuple[ReportChange, ...]:
    """Everything that is another than in the version before: meter data first, then figures."""
    figures = (
        ReportChange(
            where=one.where,
            what=one.what,
            unit=one.unit,
            before=_kept(one.before),
            after=_kept(one.after),
        )
        for one in difference(before, after)
    )
    return (*_data(before, after), *figures)


def needed(before: ParticipationReport | None, after: ParticipationReport) -> bool:
    """Whether anything a reader sees is another than in the version before."""
    if before is None or report_changes(before, after):
        return True
    return (before.final, before.data, before.waits_until) != (
        after.final,
        after.data,
        after.waits_until,
    )


def _data(before: ParticipationReport, after: ParticipationReport) -> Iterator[ReportChange]:
    for site_id in sorted({one.site_id for one in (*before.data, *after.data)}):
        was, now = (_summary(one.data, site_id) for one in (before, after))
        if was != now:
            yield ReportChange(where=site_id, what="meter data", unit="", before=was, after=now)


def _summary(data: tuple[DataRemark, ...], site_id: str) -> str:
    """`4 missing, 2 estimated`; `nothing to remark`."""
    counts: Counter[str] = Counter()
    for one in data:
        if one.site_id == site_id:
            counts[one.what] += one.intervals
    return ", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "nothing to remark"


def _kept(value: Value) -> float | str | None:
    return str(value) if isinstance(value, Decimal) else value
