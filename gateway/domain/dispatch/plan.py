"""The plan of one event: who gives how much, when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatedStep:
    """What one site gives over one interval."""

    interval: Interval
    reduction_w: float
    limit_w: float
    """Baseline less reduction, W: the most on the event's meter (`domain.scope`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAllocation:
    """One site's part of the plan, with the causes that bound it; no steps: asked nothing."""

    site_id: str
    steps: tuple[AllocatedStep, ...]
    cause: str
    counted_on: bool = True
    """False: the site was not available when the plan was made."""
    offered_wh: float | None = None
    """What it offered while something was asked, Wh; None in plans from before that was kept."""

    @property
    def reduction(self) -> StepSeries:
        """Reduction asked of this site, W."""
        return StepSeries.of((step.interval, step.reduction_w) for step in self.steps)

    @property
    def limit(self) -> StepSeries:
        """The most given to this site, W."""
        return StepSeries.of((step.interval, step.limit_w) for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchPlan:
    """Who gives how much, when, for one event at one revision (a new revision replaces the old)."""

    event_key: str
    modification: int
    revision: int
    created_at: datetime
    reason: str
    """What made this plan: a new event, an opt-out, a site lost, ..."""
    target: StepSeries
    """Reduction asked of the portfolio, W, >= 0."""
    allocations: tuple[SiteAllocation, ...]
    shortfall: StepSeries
    """Reduction nobody can give, W, >= 0: reported, never hidden."""
    short_because: str = ""
    """What the shortfall is for, where it is largest."""
    over: StepSeries = field(default_factory=StepSeries)
    """What comes beyond the target because sites have least requests, W, >= 0."""
    evenness: float = 1.0
    """Jain's index of the shares of their offers that sites are asked, 1 / sites to 1."""

    def allocation(self, site_id: str) -> SiteAllocation | None:
        """This site's part."""
        return next((a for a in self.allocations if a.site_id == site_id), None)


def effective(plans: Sequence[DispatchPlan]) -> DispatchPlan | None:
    """One plan that holds, at each instant, what the revision of that time asked; None of none."""
    ordered = sorted(plans, key=lambda p: p.revision)
    if not ordered:
        return None
    whole = ordered[0]
    for later in ordered[1:]:
        whole = _followed_by(whole, later)
    return whole


def _followed_by(first: DispatchPlan, then: DispatchPlan) -> DispatchPlan:
    site_ids = sorted({a.site_id for p in (first, then) for a in p.allocations})
    return DispatchPlan(
        event_key=then.event_key,
        modification=then.modification,
        revision=then.revision,
        created_at=then.created_at,
        reason=then.reason,
        target=overlay(first.target, then.target, then.created_at),
        allocations=tuple(_merged(site_id, first, then) for site_id in site_ids),
        shortfall=overlay(first.shortfall, then.shortfall, then.created_at),
        short_because=then.short_because,
        over=overlay(first.over, then.over, then.created_at),
        evenness=then.evenness,
    )


def _merged(site_id: str, first: DispatchPlan, then: DispatchPlan) -> SiteAllocation:
    old, new = first.allocation(site_id), then.allocation(site_id)
    none = StepSeries()
    reduction, limit = (
        overlay(
            getattr(old, part) if old else none,
            getattr(new, part) if new else none,
            then.created_at,
        )
        for part in ("reduction", "limit")
    )
    steps = (
        AllocatedStep(interval=r.interval, reduction_w=r.value, limit_w=m.value)
        for r, m in zip(reduction, limit, strict=True)
    )
    last = new or old
    return SiteAllocation(
        site_id=site_id,
        steps=tuple(steps),
        cause=last.cause if last else "",
        counted_on=last.counted_on if last else False,
        offered_wh=max((a.offered_wh or 0.0 for a in (old, new) if a), default=None),
    )
