"""The participation report from the evidence: a pure function, so that a report can be remade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.series import StepSeries
from contracts.site_link.messages import InstructionState, VehicleReadiness
from contracts.time import Interval
from gateway.domain.curves import Sampler, pointwise, total
from gateway.domain.event import Opt, Signal, SignalKind, effective_signal
from gateway.domain.measure.availability import availability, availability_of_all, response
from gateway.domain.measure.baseline import BaselineRun, describe
from gateway.domain.measure.performance import MIN_INTERVAL_COVERAGE, Performance, portfolio
from gateway.domain.measure.report import (
    Curves,
    KeyFigures,
    ParticipationReport,
    ReportHeader,
    SiteResult,
)
from gateway.domain.measure.shortfall import Shortfall
from gateway.domain.program import Program, level_share
from gateway.domain.program.performing import Absent
from gateway.domain.scope import Scope, scope_of
from gateway.domain.words import kw, pct
from gateway.flows.report.evidence import Evidence, SiteEvidence
from gateway.flows.report.exceptions import exceptions
from gateway.flows.report.shortfalls import shortfalls
from gateway.flows.report.suspicions import suspicions
from gateway.flows.report.worth import event_account, event_lines, judged, performance_words

_CURVE_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_CURVE_POINTS = 480


def participation_report(
    evidence: Evidence, *, created_at: datetime, final: bool, waits: datetime | None = None
) -> ParticipationReport:
    """The report; its version is given when it is stored.

    `waits`: until when it stays preliminary because meter data are missing.
    """
    target = evidence.plan.target if evidence.plan else StepSeries()
    asked = target.clip(evidence.event.window)
    whole = portfolio([site.performance for site in evidence.sites], asked)
    missing = shortfalls(evidence, whole)
    curves = _whole_curves(evidence, asked)
    return ParticipationReport(
        version=0,
        final=final,
        created_at=created_at,
        header=_header(evidence),
        figures=_figures(evidence, whole, curves, missing.whole),
        curves=curves,
        sites=tuple(
            _site(evidence, one, missing.sites[one.site.site_id]) for one in evidence.sites
        ),
        exceptions=exceptions(evidence, missing.sites),
        method=_method(evidence),
        estimated_intervals=_estimated(evidence, whole),
        performance_rule=performance_words(evidence.program),
        lines=event_lines(evidence, whole),
        account=event_account(evidence, whole),
        sharing={
            one.site.site_id: one.sharing for one in evidence.sites if one.sharing is not None
        },
        anomalies=suspicions(evidence),
        measured_by=evidence.program.measured_by.words,
        data=tuple(remark for one in evidence.sites for remark in one.data.remarks),
        waits_until=waits,
        missing_rule="" if evidence.complete else _missing_rule(evidence.program),
    )


def _method(evidence: Evidence) -> str:
    """The baseline rule, and on which meter it all is counted where that is not the site's."""
    meter = scope_of(evidence.event, evidence.program).meter
    rule = describe(evidence.program.method)
    return f"{rule}; counted on {meter}" if meter else rule


def _estimated(evidence: Evidence, whole: Performance) -> int:
    """Intervals judged on part of their data, on none, or on what meters' sources estimated."""
    said = [remark for one in evidence.sites for remark in one.data.remarks]
    return sum(
        not one.measured or any(remark.estimates(one.interval) for remark in said)
        for one in whole.during
    )


def _missing_rule(program: Program) -> str:
    """What becomes of intervals that no meter told, in words."""
    rule = program.rules.performance[0].missing if program.rules.performance else Absent.LEFT_OUT
    return f"{_MISSING[rule]}; in the sum of sites, a site without data delivers nothing"


_MISSING = {
    Absent.ZERO: "an interval without data counts as nothing delivered",
    Absent.ESTIMATE: "an interval without data counts as the mean of those with data",
    Absent.LEFT_OUT: "an interval without data is left out",
}


def signal_words(program: Program, signal: Signal | None) -> str:
    """What was asked, in words; of several values the strongest."""
    if signal is None or not len(signal.series):
        return "no signal we can act on"
    values = [step.value for step in signal.series]
    more = " at most" if len(set(values)) > 1 else ""
    match signal.kind:
        case SignalKind.DELTA_W:
            return f"reduce by{more} {kw(-min(values))} against baseline"
        case SignalKind.LEVEL:
            level = max(values)
            share = pct(level_share(program, level))
            return f"level {level:g}: {share} of what is nominated"
        case SignalKind.PRICE:
            return f"price{more} {max(values):g} per kWh"
        case kind:
            return f"{_TOGETHER[kind]} {kw(min(values))} in total"


_TOGETHER = {
    SignalKind.SETPOINT_W: "import",
    SignalKind.IMPORT_LIMIT_W: "import no more than",
    SignalKind.EXPORT_LIMIT_W: "export no more than",
    SignalKind.GENERATION_LIMIT_W: "generate no more than",
}


def _header(evidence: Evidence) -> ReportHeader:
    stored, event = evidence.stored, evidence.event
    zones = Counter(one.site.time_zone.key for one in evidence.sites)
    simulated = any(one.site.simulated or one.history_label for one in evidence.sites)
    opted_in = stored.decision.opt is Opt.IN
    return ReportHeader(
        event_key=event.key,
        event_id=event.event_id,
        utility_id=event.utility_id,
        program_id=event.program_id,
        program_name=evidence.program.name,
        test=event.test,
        simulated=simulated,
        window=event.window,
        signal=signal_words(evidence.program, effective_signal(event)),
        time_zone=zones.most_common(1)[0][0] if zones else "UTC",
        notified_at=stored.notified_at,
        opted_in_at=stored.received_at if opted_in else None,
        first_response_at=min(_times(evidence, InstructionState.STARTED), default=None),
        all_applied_s=_all_applied_s(evidence),
        opt=stored.decision.opt.value,
        opt_cause=stored.decision.cause,
    )


def _times(
    evidence: Evidence, state: InstructionState, site_id: str | None = None
) -> list[datetime]:
    return [
        status.at
        for one in evidence.instructions
        if site_id in (None, one.instruction.site_id)
        for status in one.statuses
        if status.state is state
    ]


def _all_applied_s(evidence: Evidence) -> float | None:
    """From the start until the last of the sites asked then had applied its first limit."""
    start = evidence.event.window.start
    asked = [
        one.site.site_id
        for one in evidence.sites
        if one.asked and one.asked.steps[0].interval.start <= start
    ]
    firsts = [
        min(_times(evidence, InstructionState.APPLIED, site_id), default=None) for site_id in asked
    ]
    known = [at for at in firsts if at is not None]
    if not known or len(known) < len(asked):
        return None
    return max(0.0, (max(known) - start).total_seconds())


def _figures(
    evidence: Evidence, whole: Performance, curves: Curves, missing: Shortfall | None
) -> KeyFigures:
    counted = judged(evidence.program, whole)
    nominated_w = sum(one.nominated_w for one in evidence.sites)
    told = [one.seen.flex_down for one in evidence.sites] if _lowers_import(evidence) else []
    event = evidence.event.window
    asked = evidence.plan.target.clip(event) if evidence.plan else StepSeries()
    return KeyFigures(
        performance_pct=counted.performance_pct,
        factor_pct=counted.factor_pct,
        delivered_mean_w=whole.delivered_mean_w,
        delivered_min_w=whole.delivered_min_w,
        nominated_w=nominated_w,
        target_mean_w=whole.asked_mean_w,
        reduced_wh=whole.reduced_wh,
        rebound_w=whole.rebound_w,
        rebound_wh=whole.rebound_wh,
        coverage=whole.coverage,
        availability=availability_of_all(whole, told, nominated_w),
        response=response(event, curves.baseline, curves.actual, asked),
        shortfall=missing,
    )


def _lowers_import(evidence: Evidence) -> bool:
    """What sites tell that they could still give is about their import as a whole."""
    return scope_of(evidence.event, evidence.program) is Scope.SITE


def _site(evidence: Evidence, one: SiteEvidence, missing: Shortfall | None) -> SiteResult:
    found, run, event = one.performance, one.baseline, evidence.event.window
    still = one.seen.flex_down if _lowers_import(evidence) else StepSeries()
    words = concerned(one.readiness, event)
    return SiteResult(
        site_id=one.site.site_id,
        name=one.site.name,
        nominated_w=one.nominated_w,
        asked_mean_w=found.asked_mean_w,
        delivered_mean_w=found.delivered_mean_w,
        performance_pct=judged(evidence.program, found).performance_pct,
        reduced_wh=found.reduced_wh,
        vehicles_ready=sum(word.on_track for word in words),
        vehicles_total=len(words),
        opted_out=one.site.site_id in evidence.stored.opted_out_sites,
        coverage=found.coverage,
        adjustment=run.adjustment.value,
        adjustment_capped=run.adjustment.capped,
        days=run.days,
        history_label=one.history_label,
        curves=_curves(evidence.span, run.series, _drawn(one, evidence.span), one.asked),
        inputs_hash=run.inputs_hash,
        baseline_note=_note(run),
        rebound_w=found.rebound_w,
        rebound_wh=found.rebound_wh,
        availability=availability(found, still, one.nominated_w),
        response=response(event, run.series, one.actual, one.asked),
        shortfall=missing,
    )


def _note(run: BaselineRun) -> str:
    parts = [run.fallback] if run.fallback else []
    if run.adjustment.value is None and run.adjustment.reason:
        parts.append(f"no adjustment: {run.adjustment.reason}")
    elif run.moved:
        parts.append("own instructions in the adjustment window: those hours are left out of it")
    return "; ".join(parts)


def concerned(words: Sequence[VehicleReadiness], event: Interval) -> list[VehicleReadiness]:
    """Vehicles that leave after the event has begun: those it could have kept from charging."""
    return [word for word in words if word.departure >= event.start]


def _whole_curves(evidence: Evidence, asked: StepSeries) -> Curves:
    sites = _judged_sites(evidence)
    baseline = total([one.baseline.series for one in sites])
    actual = total([_drawn(one, evidence.span) for one in sites])
    return _curves(evidence.span, baseline, actual, asked)


def _judged_sites(evidence: Evidence) -> list[SiteEvidence]:
    """Those that can be judged, so that baseline and actual speak of the same load."""
    return [one for one in evidence.sites if one.baseline.series and one.performance.coverage]


def _curves(span: Interval, baseline: StepSeries, actual: StepSeries, asked: StepSeries) -> Curves:
    target = pointwise(lambda pair: pair[0] - pair[1], (baseline, asked))
    return Curves(span=span, baseline=baseline, actual=actual, target=target)


def _drawn(one: SiteEvidence, span: Interval) -> StepSeries:
    """What was measured as means over round steps, few enough to draw; gaps stay gaps."""
    seconds = (span.duration or timedelta(0)).total_seconds()
    fitting = (s for s in _CURVE_STEPS_S if seconds / s <= _CURVE_POINTS)
    bins = tuple(span.split(timedelta(seconds=next(fitting, _CURVE_STEPS_S[-1]))))
    means = Sampler(one.actual).means(bins)
    return StepSeries.of(
        (interval, mean.value)
        for interval, mean in zip(bins, means, strict=True)
        if mean.value is not None and mean.coverage >= MIN_INTERVAL_COVERAGE
    )
