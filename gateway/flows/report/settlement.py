"""After the event: gather the evidence, run the baselines, store the report as a new version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog

from contracts.errors import PermanentError
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Clock, Interval
from gateway.domain.dispatch import DispatchPlan, effective
from gateway.domain.measure.performance import measure
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Effect, Program, findings
from gateway.domain.scope import scope_of
from gateway.flows.dispatch.baselines import Baselines, export_rule, other_events
from gateway.flows.dispatch.moved import moved_before
from gateway.flows.events.calls import history, new_call
from gateway.flows.nominating.commitments import Commitments
from gateway.flows.report.build import participation_report
from gateway.flows.report.evidence import Evidence, SiteEvidence
from gateway.ports import JournalEntry, Ledger, StoredEvent, TelemetryStore

_log = structlog.get_logger(__name__)

Dump = Callable[[ParticipationReport], Mapping[str, object]]
_STANDING = timedelta(days=1)
"""A notice raised this long before the event may still be standing at its start."""


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
    ) -> None:
        """`commitments`: what was promised to programs; None: what the enrolments say."""
        self._commitments = commitments or Commitments(portfolio)
        self._portfolio = portfolio
        self._ledger = ledger
        self._telemetry = telemetry
        self._baselines = baselines
        self._dump = dump
        self._clock = clock

    async def settle(self, event_key: str, *, final: bool) -> int:
        """Store a version of the event's report; the same modification once per status.

        Raises:
            PermanentError: no such event or program, or the event has no end.
        """
        stored = await self._ledger.event(event_key)
        program = self._portfolio.program_of(stored.event) if stored else None
        if stored is None or program is None or stored.event.window.end is None:
            raise PermanentError(f"event {event_key!r} cannot be settled")
        evidence = await self.evidence(stored, program)
        report = participation_report(evidence, created_at=self._clock.now(), final=final)
        status = "final" if final else "preliminary"
        version = await self._ledger.put_report(
            event_key, self._dump(report), final, once=f"{stored.event.modification}/{status}"
        )
        cause = f"version {version}, {status}"
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

    async def evidence(self, stored: StoredEvent, program: Program) -> Evidence:
        """All that a report is made of, with the baselines as this program has them.

        Raises:
            TransientError: something cannot be read now.
        """
        event, observe = stored.event, program.observe_after
        end = event.window.end or event.window.start
        span = Interval(start=event.window.start - observe, end=end + observe)
        whole = effective(await self._ledger.plans(event.key))
        events = await self._ledger.events(ending_after=span.start - program.method.look_back)
        instructions = await self._ledger.instructions(event.key)
        moved = await moved_before(self._ledger, stored, events, instructions)
        sites = [
            await self._site(
                site, program, stored, span, whole, events, moved.get(site.site_id, ())
            )
            for site in self._portfolio.addressed(event)
        ]
        around = Interval(start=span.start - _STANDING, end=span.end)
        return Evidence(
            stored=stored,
            program=program,
            span=span,
            resolution=self._baselines.resolution(program, event.window),
            plan=whole,
            sites=tuple(sites),
            instructions=instructions,
            notices=await self._ledger.notices(around),
            opt_outs=await self._ledger.opt_outs(event.key),
            voluntary=self._voluntary(stored, program, events),
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

    async def _site(
        self,
        site: Site,
        program: Program,
        stored: StoredEvent,
        span: Interval,
        whole: DispatchPlan | None,
        events: Sequence[StoredEvent],
        moved: Sequence[Interval],
    ) -> SiteEvidence:
        site_id, window = site.site_id, stored.event.window
        excluded = program.method.excluded_programs
        others = other_events(self._portfolio, events, stored.event.key, site_id, excluded)
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
            events_of=lambda name: other_events(self._portfolio, events, "", name),
        )
        actual = scope.counted(await self._telemetry.series(site_id, scope.point, span))
        allocation = whole.allocation(site_id) if whole else None
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
        promised = await self._commitments.of(program.program_id, window)
        enrolled = self._portfolio.enrolled(program.program_id, window.start)
        return SiteEvidence(
            site=site,
            nominated_w=promised[site_id].mean(window) or 0.0,
            baseline=baseline,
            actual=actual,
            asked=asked,
            performance=performance,
            readiness=await self._ledger.readiness(site_id),
            history_label=await self._label(site, program, window),
            sharing=enrolled[site_id].sharing if site_id in enrolled else None,
        )

    async def _label(self, site: Site, program: Program, window: Interval) -> str | None:
        """The label of loaded history anywhere in what the baseline may have looked at."""
        start = window.start - program.method.look_back - timedelta(days=1)
        return await self._telemetry.history_label(
            site.site_id, Interval(start=start, end=window.end)
        )
