"""Split what a utility asks over the sites, never above what each offers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.series import StepSeries
from contracts.time import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatedStep:
    """What one site gives over one interval."""

    interval: Interval
    reduction_w: float
    import_limit_w: float
    """Baseline less reduction: what the site is told to stay under, W."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAllocation:
    """One site's part of the plan, with the causes that bound it."""

    site_id: str
    steps: tuple[AllocatedStep, ...]
    cause: str


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
