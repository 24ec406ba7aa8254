"""After the event: gather the evidence, run the baselines, store the report as a new version."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from contracts.errors import PermanentError
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Clock, Interval
from gateway.domain.dispatch import DispatchPlan, effective
from gateway.domain.enrolment import Enrolment
from gateway.domain.measure.performance import measure
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Effect, Program, findings
from gateway.domain.program.measuring import MeasuredBy
from gateway.domain.scope import scope_of
from gateway.flows.dispatch.baselines import Baselines, export_rule, other_events
from gateway.flows.dispatch.moved import moved_before
from gateway.flows.events.calls import history, new_call
from gateway.flows.nominating.commitments import Commitments
from gateway.flows.report.build import participation_report
from gateway.flows.report.data import DataState, data_state, waits_until
from gateway.flows.report.evidence import Evidence, SiteEvidence
from gateway.flows.report.loads import AgentLoads, MeterLoads
from gateway.flows.report.suspicions import Findings, looked_at
from gateway.flows.report.versions import needed, report_changes
from gateway.flows.report.watch import Watch
from gateway.ports import JournalEntry, Ledger, MeterStore, StoredEvent, TelemetryStore

_log = structlog.get_logger(__name__)

Dump = Callable[[ParticipationReport], Mapping[str, object]]
Load = Callable[[Mapping[str, object]], ParticipationReport]
_STANDING = timedelta(days=1)
"""A notice raised this long before the event may still be standing at its start."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What is needed to settle on revenue meters, and to tell versions of a report apart."""

    store: MeterStore
    load: Load
    """Reads a report from the document that the ledger keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is the same for every site of an event."""

    stored: StoredEvent
    program: Program
    span: Interval
    plan: DispatchPlan | None
    events: Sequence[StoredEvent]
    loads: AgentLoads | MeterLoads
    promised: Mapping[str, StepSeries]
    """By site, W."""
    enrolled: Mapping[str, Enrolment]


class Settlement:
    """Makes participation reports; `dump` turns one into the document that is stored."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        telemetry: TelemetryStore,
        baselines: Baselines,
        dump: Dump,
        clock: Clock,
        commitments: Commitments | None = None,
        metered: Metered | None = None,
        *,
        findings: Findings | None = None,
    ) -> None:
        """`commitments`: what was promised to programs; None: what the enrolments say.

        `metered`: None: no program can be settled on revenue meters. `findings`: what the check for
        anomalies has found; None: nobody looks.
        """
        self._findings = findings
        self._metered = metered
        self._busy = asyncio.Lock()
        self._commitments = commitments or Commitments(portfolio)
        self._portfolio = portfolio
        self._ledger = ledger
        self._telemetry = telemetry
        self._baselines = baselines
        self._watch = Watch(ledger, telemetry)
        self._dump = dump
        self._clock = clock

    async def settle(self, event_key: str, *, final: bool) -> int:
        """Store a version of the event's report; the same modification once per status.

        Of a program that is settled on revenue meters: a further version whenever anything is
        another than in the newest, with what changed. While data are missing it stays preliminary,
        until the program no longer waits; after a final version all are final.

        Raises:
            PermanentError: no such event or program, or the event has no end.
        """
        stored = await self._ledger.event(event_key)
        program = self._portfolio.program_of(stored.event) if stored else None
        if stored is None or program is None or stored.event.window.end is None:
            raise PermanentError(f"event {event_key!r} cannot be settled")
        if program.measured_by is MeasuredBy.REVENUE_METER:
            async with self._busy:
                return await self._settle_metered(stored, program, final=final)
        evidence = await self.evidence(stored, program)
        now = self._clock.now()  # of a thousand sites it takes a while: off the loop
        report = await asyncio.to_thread(
            participation_report, evidence, created_at=now, final=final
        )
        return await self._put(stored, report, "")

    async def _settle_metered(self, stored: StoredEvent, program: Program, *, final: bool) -> int:
        before, now = await self._newest(stored.event.key), self._clock.now()
        evidence = await self.evidence(stored, program, now)
        was_final = before is not None and before.final
        waits = None if was_final else waits_until(evidence.complete, program, evidence.window, now)
        final = was_final or (final and waits is None)
        report = await asyncio.to_thread(
            participation_report, evidence, created_at=now, final=final, waits=waits
        )
        if before is not None:
            if not needed(before, report):
                return before.version
            report = replace(report, changes=report_changes(before, report))
        return await self._put(stored, report, f"/after {before.version if before else 0}")

    async def _newest(self, event_key: str) -> ParticipationReport | None:
        data = await self._ledger.report(event_key) if self._metered else None
        return self._metered.load(data) if self._metered and data is not None else None

    async def _put(self, stored: StoredEvent, report: ParticipationReport, once: str) -> int:
        event_key, status = stored.event.key, "final" if report.final else "preliminary"
        data = await asyncio.to_thread(self._dump, report)
        version = await self._ledger.put_report(
            event_key,
            data,
            report.final,
            once=f"{stored.event.modification}/{status}{once}",
        )
        cause = f"version {version}, {status}"
        if report.waits_until is not None:
            cause += f": meter data are missing, waited for until {report.waits_until.isoformat()}"
        elif report.changes:
            cause += f": {len(report.changes)} figures are others than in the version before"
        await self._ledger.log(
            JournalEntry(
                at=self._clock.now(), subject=event_key, action="report written", cause=cause
            )
        )
        _log.info("report_written", event_key=event_key, version=version, status=status)
        return version

    async def heard(self, stored: StoredEvent) -> bool:
        """Whether every site that was told to take part has sent its load up to the end."""
        end = stored.event.window.end or stored.event.window.start
        instructions = await self._ledger.instructions(stored.event.key)
        for site_id in {one.instruction.site_id for one in instructions}:
            load = (await self._telemetry.latest(site_id)).get(points.PCC_POWER_W)
            if load is None or load.at < end:
                return False
        return True

    async def evidence(
        self, stored: StoredEvent, program: Program, known_at: datetime | None = None
    ) -> Evidence:
        """All that a report is made of, with the baselines as this program has them.

        `known_at`: of revenue meters what was known at this instant; None: what is known now.

        Raises:
            PermanentError: it is measured by revenue meters, and none are kept here.
            TransientError: something cannot be read now.
        """
        at = known_at or self._clock.now()
        event, observe = stored.event, program.observe_after
        end = event.window.end or event.window.start
        span = Interval(start=event.window.start - observe, end=end + observe)
        plans = await self._ledger.plans(event.key)
        whole = effective(plans)
        events = await self._ledger.events(ending_after=span.start - program.method.look_back)
        instructions = await self._ledger.instructions(event.key)
        moved = await moved_before(self._ledger, stored, events, instructions)
        loads = self._loads(program, stored, at)
        asked = _Asked(
            stored=stored,
            program=program,
            span=span,
            plan=whole,
            events=events,
            loads=loads,
            promised=await self._commitments.of(program.program_id, event.window),
            enrolled=self._portfolio.enrolled(program.program_id, event.window.start),
        )
        sites = [
            await self._site(site, asked, moved.get(site.site_id, ()))
            for site in self._portfolio.addressed(event)
        ]
        around = Interval(start=span.start - _STANDING, end=span.end)
        notices = await self._ledger.notices(around)
        return Evidence(
            stored=stored,
            program=program,
            span=span,
            resolution=self._baselines.resolution(program, event.window),
            plan=whole,
            sites=await self._watch.beside(sites, span, event.window, plans, notices),
            instructions=instructions,
            notices=notices,
            opt_outs=await self._ledger.opt_outs(event.key),
            findings=await self._findings(None, looked_at(sites, span)) if self._findings else (),
            voluntary=self._voluntary(stored, program, events),
        )

    def _loads(
        self, program: Program, stored: StoredEvent, known_at: datetime
    ) -> AgentLoads | MeterLoads:
        scope = scope_of(stored.event, program)
        if program.measured_by is MeasuredBy.SITE_AGENT:
            return AgentLoads(self._telemetry, scope)
        if self._metered is None:
            raise PermanentError("no intervals of revenue meters are kept here")
        return MeterLoads(
            self._portfolio, self._metered.store, program, scope, stored.event.window, known_at
        )

    def _voluntary(
        self, stored: StoredEvent, program: Program, events: Sequence[StoredEvent]
    ) -> bool:
        """Whether the program's rules left it open to take part."""
        moved = stored.announced.start != stored.event.window.start
        call = new_call(
            self._portfolio, stored.event, None if moved else stored, stored.received_at
        )
        before = [one for one in events if one.event.key != stored.event.key]
        calls = history(self._portfolio, program.program_id, before)
        said = findings(program, call, calls, stored.received_at)
        return any(one.effect is Effect.VOLUNTARY for one in said)

    async def _site(self, site: Site, of: _Asked, moved: Sequence[Interval]) -> SiteEvidence:
        site_id, window = site.site_id, of.stored.event.window
        stored, program, span, loads = of.stored, of.program, of.span, of.loads
        excluded = program.method.excluded_programs
        others = other_events(self._portfolio, of.events, stored.event.key, site_id, excluded)
        scope = scope_of(stored.event, program)
        baseline = await self._baselines.run(
            site,
            program,
            window,
            span,
            others,
            notified=stored.notified_at,
            moved=moved,
            scope=scope,
            events_of=lambda name: other_events(self._portfolio, of.events, "", name),
            history=loads.within if isinstance(loads, MeterLoads) else None,
        )
        actual = (await loads.within(site_id, [span])).clip(span)
        allocation = of.plan.allocation(site_id) if of.plan else None
        asked = allocation.reduction.clip(window) if allocation else StepSeries()
        performance = measure(
            event=window,
            resolution=self._baselines.resolution(program, window),
            observe_after=program.observe_after,
            baseline=baseline.series,
            actual=actual,
            asked=asked,
            export=export_rule(program, scope),
        )
        enrolment = of.enrolled.get(site_id)
        return SiteEvidence(
            site=site,
            nominated_w=of.promised[site_id].mean(window) or 0.0,
            baseline=baseline,
            actual=actual,
            asked=asked,
            performance=performance,
            readiness=await self._ledger.readiness(site_id),
            history_label=(
                None if isinstance(loads, MeterLoads) else await self._label(site, program, window)
            ),
            data=(
                await data_state(loads, site, program, stored, baseline)
                if isinstance(loads, MeterLoads)
                else DataState()
            ),
            sharing=enrolment.sharing if enrolment else None,
            firm_level_w=enrolment.firm_level_w if enrolment else None,
        )

    async def _label(self, site: Site, program: Program, window: Interval) -> str | None:
        """The label of loaded history anywhere in what the baseline may have looked at."""
        start = window.start - program.method.look_back - timedelta(days=1)
        return await self._telemetry.history_label(
            site.site_id, Interval(start=start, end=window.end)
        )
