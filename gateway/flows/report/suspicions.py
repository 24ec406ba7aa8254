"""Anomalies that touch what an event is settled on: its hours, the hours before, baseline days."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from contracts.time import Interval
from gateway.domain.anomaly.finding import Finding
from gateway.domain.measure.report import ReportAnomaly
from gateway.flows.report.evidence import Evidence, SiteEvidence

Findings = Callable[[str | None, Interval], Awaitable[Sequence[tuple[str, Finding]]]]
"""`(site_id, finding)` whose evidence touches a window; no site: of all."""
_DAY = timedelta(days=1)


def looked_at(sites: Sequence[SiteEvidence], span: Interval) -> Interval:
    """From the earliest day that a baseline is made of to the end of what the report shows."""
    days = [day for one in sites for day in one.baseline.days_used]
    first = datetime.combine(min(days), datetime.min.time(), span.start.tzinfo) if days else None
    start = min(span.start, first - _DAY) if first else span.start
    return Interval(start=start, end=span.end)


def suspicions(evidence: Evidence) -> tuple[ReportAnomaly, ...]:
    """What was found of each site where it matters for this event, in order of site and time."""
    found = [
        ReportAnomaly(
            site_id=site_id,
            code=one.code.value,
            subject=one.subject,
            evidence=one.evidence,
            touches=touches,
            reason=one.reason,
            what_to_do=one.what_to_do,
        )
        for site_id, one in evidence.findings
        for site in evidence.sites
        if site.site.site_id == site_id and (touches := tuple(_touched(evidence, site, one)))
    ]
    return tuple(sorted(found, key=lambda a: (a.site_id, a.evidence.start, a.code, a.subject)))


def _touched(evidence: Evidence, site: SiteEvidence, finding: Finding) -> Iterator[str]:
    event, method = evidence.event.window, evidence.program.method
    before = Interval(start=event.start - method.adjust_from, end=event.start - method.adjust_until)
    after = Interval(start=event.end or event.start, end=evidence.span.end)
    parts = [("the event", event), ("the adjustment window", before), ("the time after", after)]
    parts += [
        (f"baseline day {day}", _same_hours(day, before.start, event, site))
        for day in sorted(site.baseline.days_used)
    ]
    return (name for name, window in parts if finding.evidence.overlaps(window))


def _same_hours(day: date, since: datetime, event: Interval, site: SiteEvidence) -> Interval:
    """The event's hours and those before it on another day, by the site's wall clock."""
    zone = site.site.time_zone
    start = datetime.combine(day, event.start.astimezone(zone).time(), zone)
    length = event.duration or timedelta(0)
    return Interval(start=start - (event.start - since), end=start + length)
