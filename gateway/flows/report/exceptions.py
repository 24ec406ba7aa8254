"""What did not go to plan, each with who, when and why, in order of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from contracts.site_link.messages import InstructionState, Notice, Severity
from contracts.time import Interval
from gateway.domain.measure.performance import MIN_INTERVAL_COVERAGE
from gateway.domain.measure.report import ReportException
from gateway.domain.measure.shortfall import Shortfall
from gateway.domain.words import kw, pct, span
from gateway.flows.report.evidence import Evidence, SiteEvidence
from gateway.flows.report.short import short
from gateway.ports import StoredInstruction


def exceptions(
    evidence: Evidence, missing: Mapping[str, Shortfall | None]
) -> tuple[ReportException, ...]:
    """Everything worth a person's attention about this event; `missing`: by site, and why."""
    found = [
        *_opt_outs(evidence),
        *_notices(evidence),
        *_instructions(evidence),
        *(problem for one in evidence.sites for problem in _of_site(evidence, one)),
        *_shortfall(evidence),
    ]
    found += short(evidence, missing, found)
    return tuple(sorted(found, key=lambda e: (e.at, e.site_id, e.kind, e.subject)))


def _opt_outs(evidence: Evidence) -> Iterator[ReportException]:
    for one in evidence.opt_outs:
        yield ReportException(
            at=one.at, site_id=one.site_id, kind="opt-out", subject=one.site_id, text=one.cause
        )


def _notices(evidence: Evidence) -> Iterator[ReportException]:
    """Warnings and alarms raised during the event or still standing when it began."""
    sites = {one.site.site_id for one in evidence.sites}
    mine = [(s, n) for s, n in evidence.notices if s in sites and n.severity is not Severity.INFO]
    for site_id, notice in mine:
        if notice.raised and _during_or_standing(notice, site_id, mine, evidence.event.window):
            yield ReportException(
                at=notice.at,
                site_id=site_id,
                kind=notice.code,
                subject=notice.subject,
                text=notice.text,
            )


def _during_or_standing(
    notice: Notice, site_id: str, notices: Sequence[tuple[str, Notice]], event: Interval
) -> bool:
    if notice.at >= event.start:
        return True
    return not any(
        other.at > notice.at and other.at < event.start
        for s, other in notices
        if (s, other.code, other.subject) == (site_id, notice.code, notice.subject)
    )


def _instructions(evidence: Evidence) -> Iterator[ReportException]:
    newest = {one.instruction.site_id: one for one in evidence.instructions}  # in order of time
    for one in evidence.instructions:
        problem = _problem(one, is_last=newest[one.instruction.site_id] is one)
        if problem is not None:
            kind, text = problem
            yield ReportException(
                at=one.instruction.issued_at,
                site_id=one.instruction.site_id,
                kind=kind,
                subject=one.instruction.instruction_id,
                text=text,
            )


def _problem(one: StoredInstruction, *, is_last: bool) -> tuple[str, str] | None:
    if is_last and not one.statuses and one.instruction.steps:
        return "link-lost", "the instruction was never acknowledged by the site"
    for status in one.statuses:
        if status.state in (InstructionState.REJECTED, InstructionState.EXPIRED):
            return f"instruction-{status.state.value}", status.reason or "no reason given"
    return None


def _of_site(evidence: Evidence, one: SiteEvidence) -> Iterator[ReportException]:
    window, site_id = evidence.event.window, one.site.site_id
    for word in one.readiness:
        if word.departure >= window.start and not word.on_track:
            yield ReportException(
                at=word.at,
                site_id=site_id,
                kind="vehicle-short",
                subject=word.vehicle_id,
                text=word.reason or f"{word.required_wh / 1000:.1f} kWh short of its departure",
            )
    gaps = [i.interval for i in one.performance.during if i.coverage < MIN_INTERVAL_COVERAGE]
    if gaps:
        measured = pct(one.performance.coverage)
        text = f"{len(gaps)} intervals without enough data, {measured} of the event measured"
        yield _about(evidence, site_id, "data-gap", text, gaps[0])
    if one.baseline.problem:
        text = f"no baseline, so delivery is unknown: {one.baseline.problem}"
        yield _about(evidence, site_id, "no-baseline", text, window)


def _shortfall(evidence: Evidence) -> Iterator[ReportException]:
    short = evidence.plan.shortfall.clip(evidence.event.window) if evidence.plan else ()
    steps = list(short)
    if steps:
        most = max(steps, key=lambda step: step.value)
        seconds = sum(
            (s.interval.duration for s in steps if s.interval.duration), start=timedelta(0)
        )
        text = f"up to {kw(most.value)} more was asked than offered, for {span(seconds)}"
        yield _about(evidence, "", "shortfall", text, steps[0].interval)


def _about(
    evidence: Evidence, site_id: str, kind: str, text: str, when: Interval
) -> ReportException:
    subject = site_id or evidence.event.event_id
    return ReportException(at=when.start, site_id=site_id, kind=kind, subject=subject, text=text)
