"""Domain values as the API's answers; units stay W and Wh."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Literal

from contracts.reading import Reading
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import Notice, VehicleReadiness
from gateway.domain.dispatch import DispatchPlan, SiteAllocation
from gateway.domain.event import SignalKind
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.operating_envelope import EnvelopeStep, SiteBounds
from gateway.domain.scope import Scope
from gateway.flows.sites.live import LiveSite
from gateway.ports import (
    JournalEntry,
    SiteControl,
    StoredEnvelope,
    StoredEvent,
    StoredInstruction,
    UtilityHealth,
)
from gateway.reports.inverter_words import function_in_words
from gateway.web.api import binding_schemas, schemas, site_schemas
from gateway.web.links import event_api_url, event_url
from gateway.web.snapshot import Snapshot, data_age_s, reading, usable

_UNITS: dict[SignalKind, Literal["W", "level", "currency/kWh"]] = {
    SignalKind.LEVEL: "level",
    SignalKind.DELTA_W: "W",
    SignalKind.SETPOINT_W: "W",
    SignalKind.IMPORT_LIMIT_W: "W",
    SignalKind.EXPORT_LIMIT_W: "W",
    SignalKind.GENERATION_LIMIT_W: "W",
    SignalKind.PRICE: "currency/kWh",
}


def steps(series: StepSeries) -> list[schemas.StepOut]:
    """A step series."""
    return [
        schemas.StepOut(start=s.interval.start, end=s.interval.end, value=s.value) for s in series
    ]


def reading_out(found: Reading, now: datetime) -> schemas.ReadingOut:
    """A reading with its age."""
    return schemas.ReadingOut(
        value=found.value,
        quality=found.quality,
        at=found.at,
        age_s=max(0.0, (now - found.at).total_seconds()),
    )


def site_out(live: LiveSite, programs: list[str], now: datetime) -> site_schemas.SiteOut:
    """A site, its stale values left out."""
    site = live.site

    def fresh(point: str) -> float | None:
        found = reading(live, point, now)
        return found.value if usable(found) else None

    return site_schemas.SiteOut(
        site_id=site.site_id,
        name=site.name,
        time_zone=site.time_zone.key,
        contracted_import_w=site.import_limit_w,
        simulated=site.simulated,
        connected=live.online,
        power_w=fresh(points.PCC_POWER_W),
        import_limit_w=fresh(points.SITE_LIMIT_W),
        flex_down_w=fresh(points.FLEX_DOWN_W),
        data_age_s=data_age_s(live, now),
        programs=programs,
        heard_at=live.heard_at,
        agent=site_schemas.agent_out(live),
    )


def control_out(control: SiteControl) -> binding_schemas.ControlOut:
    """A utility's control at one site."""
    return binding_schemas.ControlOut(
        utility_id=control.utility_id,
        control_id=control.control_id,
        start=control.window.start,
        end=control.window.end,
        running=control.running,
        asks=control.asks,
        opted_out=control.opted_out,
        may_opt_out=not control.binding,
        binding=control.binding,
    )


def envelope_out(stored: StoredEnvelope, now: datetime) -> binding_schemas.EnvelopeOut:
    """What a utility imposes on a site; what is over is left out."""
    envelope, current = stored.envelope, stored.envelope.at(now)
    return binding_schemas.EnvelopeOut(
        utility_id=envelope.utility_id,
        site_id=envelope.site_id,
        received_at=stored.received_at,
        now=None if current is None else _envelope_step(current),
        steps=[
            _envelope_step(step)
            for step in envelope.steps
            if step.interval.end is None or step.interval.end > now
        ],
    )


def _envelope_step(step: EnvelopeStep) -> binding_schemas.EnvelopeStepOut:
    return binding_schemas.EnvelopeStepOut(
        start=step.interval.start,
        end=step.interval.end,
        bounds=_bounds(step.bounds),
        cause=step.cause,
    )


def _bounds(bounds: SiteBounds) -> binding_schemas.BoundsOut:
    values = {one.name: getattr(bounds, one.name) for one in fields(bounds)}
    functions = tuple(function_in_words(one) for one in bounds.inverter_functions)
    return binding_schemas.BoundsOut(**(values | {"inverter_functions": functions}))


def vehicle_out(row: VehicleReadiness) -> schemas.VehicleOut:
    """A vehicle's readiness."""
    return schemas.VehicleOut(
        vehicle_id=row.vehicle_id,
        evse_id=row.evse_id,
        at=row.at,
        soc_pct=row.soc_pct,
        required_wh=row.required_wh,
        departure=row.departure,
        on_track=row.on_track,
        reason=row.reason,
        outlook=row.outlook,
        since=row.since,
        ready_at=row.ready_at,
        missing_wh=row.missing_wh,
        late_by_s=row.late_by_s,
        helps=row.helps,
        here=row.here,
    )


def notice_out(site_id: str, notice: Notice) -> schemas.NoticeOut:
    """A notice of a site."""
    return schemas.NoticeOut(
        site_id=site_id,
        at=notice.at,
        code=notice.code,
        subject=notice.subject,
        severity=notice.severity,
        raised=notice.raised,
        text=notice.text,
    )


def event_out(stored: StoredEvent, now: datetime) -> schemas.EventOut:
    """An event with our answer."""
    event = stored.event
    return schemas.EventOut(
        utility_id=event.utility_id,
        event_id=event.event_id,
        modification=event.modification,
        program_id=event.program_id,
        status=event.status(now),
        test=event.test,
        priority=event.priority,
        start=event.window.start,
        end=event.window.end,
        created_at=event.created_at,
        received_at=stored.received_at,
        signals=[
            schemas.SignalOut(kind=s.kind, unit=_UNITS[s.kind], steps=steps(s.series))
            for s in event.signals
        ],
        opt=stored.decision.opt,
        opt_cause=stored.decision.cause,
        opt_by=stored.decision.by,
        opted_out_sites=sorted(stored.opted_out_sites),
        comment=event.comment,
    )


def plan_out(plan: DispatchPlan, counted_on: Scope) -> schemas.PlanOut:
    """One revision of a plan of an event that is counted on this."""
    return schemas.PlanOut(
        revision=plan.revision,
        modification=plan.modification,
        created_at=plan.created_at,
        reason=plan.reason,
        target=steps(plan.target),
        shortfall=steps(plan.shortfall),
        counted_on=counted_on.value,
        allocations=[_allocation(allocation) for allocation in plan.allocations],
    )


def _allocation(allocation: SiteAllocation) -> schemas.AllocationOut:
    return schemas.AllocationOut(
        site_id=allocation.site_id,
        cause=allocation.cause,
        steps=[
            schemas.AllocationStepOut(
                start=step.interval.start,
                end=step.interval.end,
                reduction_w=step.reduction_w,
                limit_w=step.limit_w,
            )
            for step in allocation.steps
        ],
    )


def instruction_out(row: StoredInstruction) -> schemas.InstructionOut:
    """An instruction with what became of it."""
    sent = row.instruction
    return schemas.InstructionOut(
        instruction_id=sent.instruction_id,
        site_id=sent.site_id,
        site_seq=sent.site_seq,
        revision=row.revision,
        issued_at=sent.issued_at,
        start=sent.start,
        expires_at=sent.expires_at,
        steps=[
            schemas.InstructionStepOut(
                start=step.start,
                end=step.end,
                import_limit_w=step.import_limit_w,
                export_limit_w=step.export_limit_w,
            )
            for step in sent.steps
        ],
        cause=sent.cause,
        statuses=[
            schemas.StatusOut(at=status.at, state=status.state, reason=status.reason)
            for status in row.statuses
        ],
    )


def journal_out(entry: JournalEntry) -> schemas.JournalOut:
    """A line of the journal."""
    return schemas.JournalOut(
        at=entry.at, subject=entry.subject, action=entry.action, cause=entry.cause
    )


def report_version_out(
    stored: StoredEvent, report: ParticipationReport
) -> schemas.ReportVersionOut:
    """Where to find one version of a report."""
    key = stored.event.key
    return schemas.ReportVersionOut(
        version=report.version,
        final=report.final,
        simulated=report.header.simulated,
        created_at=report.created_at,
        json_url=f"{event_api_url(stored.event)}/reports/{report.version}",
        pdf_url=event_url(key, "report.pdf", version=report.version),
        csv_url=event_url(key, "report.csv", version=report.version),
    )


def utility_out(health: UtilityHealth) -> schemas.UtilityOut:
    """How the way to a utility is."""
    return schemas.UtilityOut(
        utility_id=health.utility_id,
        protocol=health.protocol,
        connected=health.connected,
        detail=health.detail,
        last_contact_at=health.last_contact_at,
    )


def portfolio_out(
    snapshot: Snapshot, simulated: bool, health: list[UtilityHealth]
) -> schemas.PortfolioOut:
    """The portfolio now."""
    live = snapshot.live

    def whole(point: str) -> float | None:
        figure = live.sums[point]
        return figure.value if figure.sites == len(live.sites) else None

    return schemas.PortfolioOut(
        at=snapshot.now,
        simulated=simulated,
        power_w=whole(points.PCC_POWER_W),
        baseline_w=snapshot.baseline_w,
        target_w=snapshot.target_w,
        flex_down_w=whole(points.FLEX_DOWN_W),
        sites_online=live.online,
        sites_total=len(live.sites),
        utilities=[utility_out(one) for one in health],
        notices=[notice_out(site_id, notice) for site_id, notice in snapshot.raised],
    )
