"""Everything known about one event when it is settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from contracts.series import StepSeries
from contracts.site_link.messages import Notice, VehicleReadiness
from contracts.time import Interval
from gateway.domain.anomaly.finding import Finding
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.event import GridEvent
from gateway.domain.measure.baseline import BaselineRun
from gateway.domain.measure.performance import Performance
from gateway.domain.portfolio import Site
from gateway.domain.program import Program
from gateway.domain.settle.sharing import Sharing
from gateway.flows.report.data import DataState
from gateway.flows.report.seen import Seen
from gateway.ports import SiteOptOut, StoredEvent, StoredInstruction


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEvidence:
    """One participant."""

    site: Site
    nominated_w: float
    baseline: BaselineRun
    actual: StepSeries
    """Measured import over the span."""
    asked: StepSeries
    """Reduction asked over the event, as the plans of the time said."""
    performance: Performance
    readiness: Sequence[VehicleReadiness]
    history_label: str | None
    sharing: Sharing | None = None
    """The site's contract on the program's money."""
    firm_level_w: float | None = None
    """What its load is to stay at or below during an event; None: nothing of the kind is agreed."""
    data: DataState = field(default_factory=DataState)
    """Of the revenue meters it is settled on."""
    seen: Seen = field(default_factory=Seen)
    """What is known of it beside its load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The event and all its participants."""

    stored: StoredEvent
    program: Program
    span: Interval
    """From before the event until the end of the observation."""
    resolution: timedelta
    plan: DispatchPlan | None
    """What was asked, instant by instant, over all revisions."""
    sites: tuple[SiteEvidence, ...]
    instructions: Sequence[StoredInstruction]
    notices: Sequence[tuple[str, Notice]]
    opt_outs: Sequence[SiteOptOut]
    findings: Sequence[tuple[str, Finding]] = ()
    """Anomalies by site, of the days that the baselines are made of up to the end of the span."""
    voluntary: bool = False
    """By the program's rules nobody had to take part."""

    @property
    def event(self) -> GridEvent:
        """The event at its newest modification."""
        return self.stored.event

    @property
    def window(self) -> Interval:
        """When it was."""
        return self.event.window

    @property
    def complete(self) -> bool:
        """Whether no meter data are missing."""
        return all(one.data.complete for one in self.sites)
